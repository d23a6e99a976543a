import json
import re
import xml.etree.ElementTree as ElementTree

import pytest

from hf_rumor.report.plots import draw_all
from hf_rumor.report.record import to_json


@pytest.fixture(scope="module")
def pictures(make_report):
    return {picture.title: picture for picture in draw_all(json.loads(to_json(make_report())))}


def test_every_picture_is_whole_has_words_and_its_texts_are_texts(pictures):
    assert len(pictures) == 8
    for picture in pictures.values():
        root = ElementTree.fromstring(picture.svg)
        assert root.tag.endswith("svg")
        assert root.get("width") is None
        assert len(picture.words) > 20
        assert "<text" in picture.svg
        assert set(re.findall('font-family: ([^;"]*)', picture.svg)) <= {
            "system-ui, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
        }


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Learning curve", "The training loss goes from 0.700 to 0.500. Validation macro-F1: 0.700"),
        ("Learning rate", "peaks at 5e-05 and ends at 0"),
        ("Confusion", "Non-rumors: 2 called non-rumor, 0 called rumor. Rumors: 1 called non-rumor, 1 called rumor."),
        ("Reliability", "Expected calibration error: 0.250, before calibration 0.250."),
        ("Precision and recall", "At the threshold precision is 1.000 and recall 0.500."),
    ],
)
def test_the_words_tell_what_the_picture_shows(pictures, title, words):
    assert words in pictures[title].words


def test_what_is_not_defined_is_not_drawn(make_report):
    report = make_report(labels=[1, 1, 1], probabilities=[0.1, 0.2, 0.3])
    report.train["curve"].clear()
    titles = {picture.title for picture in draw_all(json.loads(to_json(report)))}
    assert titles == {
        *("Confusion", "Probabilities by label", "Reliability", "Accuracy if unsure posts are left to people"),
    }


def test_equal_reports_give_equal_pictures(make_report):
    report = json.loads(to_json(make_report()))
    assert draw_all(report) == draw_all(report)


def test_a_loss_that_is_no_number_is_left_out_of_the_curve(make_report):
    report = make_report()
    report.train["curve"][0]["loss"] = float("nan")
    [learning] = [p for p in draw_all(json.loads(to_json(report))) if p.title == "Learning curve"]
    assert "from 0.500 to 0.500" in learning.words
