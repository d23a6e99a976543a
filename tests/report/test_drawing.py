import logging

import pytest

from hf_rumor.report import drawing
from hf_rumor.report.chinese import translator
from hf_rumor.report.drawing import NAMES, write_figures
from hf_rumor.report.plots import draw_all


@pytest.fixture(scope="module")
def picture(make_report):
    return draw_all(make_report(), translator("zh"))[2]


def test_every_figure_is_written_as_svg_and_png(picture, tmp_path):
    (tmp_path / "roc.svg").write_text("of an earlier report")
    (tmp_path / "mine.svg").write_text("mine")
    write_figures(tmp_path, [picture], "en")
    assert {path.name for path in tmp_path.iterdir()} == {"confusion_matrix.svg", "confusion_matrix.png", "mine.svg"}
    assert (tmp_path / "confusion_matrix.png").read_bytes().startswith(b"\x89PNG")
    assert "混淆矩阵" not in (tmp_path / "confusion_matrix.svg").read_text("utf-8")  # the page has the title
    assert "非谣言" in (tmp_path / "confusion_matrix.svg").read_text("utf-8")


def test_without_a_chinese_font_there_is_no_png_and_a_line_in_the_log(picture, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(drawing, "CHINESE_FONTS", ())
    with caplog.at_level(logging.WARNING, logger="hf_rumor"):
        write_figures(tmp_path, [picture], "zh")
    assert [path.name for path in tmp_path.iterdir()] == ["confusion_matrix.svg"]
    assert "no Chinese font is installed" in caplog.text


def test_the_names_of_all_figures_are_known(make_report, early):
    assert {picture.name for picture in draw_all(make_report(early=early))} == set(NAMES)
