import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from hf_rumor.errors import ModelError
from hf_rumor.evaluation.metrics import Scored
from hf_rumor.report import write
from hf_rumor.report.card import license_of, write_card
from hf_rumor.report.markdown import to_markdown
from hf_rumor.report.plots import draw_all
from hf_rumor.report.record import to_json
from hf_rumor.report.write import render, write_report


SCORED = Scored(["0", "“b”", "2", "d"], np.array([0, 1, 1, 0]), np.array([0.1, 0.9, 0.4, 0.6]), 0.25)
TEXTS = ["不错的微博", "别的", "一条合成的微博", "别的"]


GROUPS = np.array([0, 1, 2, 3])


def test_only_the_page_and_the_table_of_mistakes_show_texts(make_report, tmp_path, monkeypatch):
    monkeypatch.setattr(write, "draw_all", draw_all)
    report = make_report()
    write_report(tmp_path / "run", report, SCORED, TEXTS, GROUPS)
    files = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "run").iterdir() if path.is_file()}
    assert files.keys() == {"report.json", "report.md", "report.html", "predictions.jsonl", "mistakes.csv"}
    assert {name for name, text in files.items() if "一条合成的微博" in text} == {"report.html", "mistakes.csv"}
    assert not any("不错的微博" in content for content in files.values())  # it is not a mistake
    assert len(list((tmp_path / "run" / "figures").iterdir())) == 16
    assert (files["report.json"], files["report.md"]) == (to_json(report), to_markdown(report))
    assert "“b”" in files["predictions.jsonl"]


@pytest.mark.parametrize(
    ("abstain_below", "predicted"),
    [(None, ["non-rumor", "rumor", "non-rumor", "rumor"]), (0.8, ["non-rumor", "rumor", "uncertain", "uncertain"])],
)
def test_each_post_has_a_prediction_in_order(make_report, tmp_path, abstain_below, predicted):
    decision = replace(make_report().decision, abstain_below=abstain_below, certain=None)
    write_report(tmp_path, replace(make_report(), decision=decision), SCORED, TEXTS, GROUPS)
    rows = [json.loads(line) for line in (tmp_path / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]
    labels = ["non-rumor", "rumor", "rumor", "non-rumor"]
    names = ("id", "label", "predicted", "rumor_probability")
    expected = zip(SCORED.ids, labels, predicted, SCORED.probabilities.tolist(), strict=True)
    assert [tuple(row.items()) for row in rows] == [tuple(zip(names, row, strict=True)) for row in expected]


def test_all_mistakes_are_in_a_table_the_most_confident_first(make_report, tmp_path):
    texts = ["", "", '有\n换行，和"引号"', "别的"]
    write_report(tmp_path, make_report(), SCORED, texts, np.array([0, 1, 5, 5]))
    with (tmp_path / "mistakes.csv").open(encoding="utf-8-sig", newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["id"], first["near_duplicate_group"], first["text"]) == ("2", "5", texts[2])
    assert (second["id"], second["label"], second["predicted"]) == ("d", "non-rumor", "uncertain")


def test_a_finished_folder_is_rendered_again_in_the_other_language(make_report, tmp_path):
    write_report(tmp_path / "run", make_report(), SCORED, TEXTS, GROUPS)
    write_card(tmp_path / "run", make_report(), "mit")
    record, before = (tmp_path / "run" / "report.json").read_bytes(), _texts(tmp_path / "run")
    render(tmp_path / "run", "zh")
    rendered = _texts(tmp_path / "run")
    assert (tmp_path / "run" / "report.json").read_bytes() == record
    assert all("混淆矩阵" in rendered[name] for name in ("report.md", "report.html"))
    assert "# 中文微博谣言检测模型" in rendered["README.md"]
    assert license_of(rendered["README.md"]) == "mit"
    render(tmp_path / "run", "en")
    assert _texts(tmp_path / "run") == before


def test_without_the_table_of_mistakes_nothing_is_rendered(make_report, tmp_path):
    write_report(tmp_path, make_report(), SCORED, TEXTS, GROUPS)
    (tmp_path / "mistakes.csv").unlink()
    with pytest.raises(ModelError, match=r"mistakes\.csv"):
        render(tmp_path, "zh")
    assert "Report on" in (tmp_path / "report.md").read_text(encoding="utf-8")


def _texts(folder):
    return {name: (folder / name).read_text(encoding="utf-8") for name in ("report.md", "report.html", "README.md")}
