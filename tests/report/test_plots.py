import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from hf_rumor.evaluation.early import Curve
from hf_rumor.report.plots import draw_all
from hf_rumor.report.record import Step


NAN = float("nan")


@pytest.fixture(scope="module")
def pictures(make_report):
    return {picture.title: picture for picture in draw_all(make_report())}


def test_every_picture_is_svg_with_a_text_alternative_and_texts_as_texts(pictures):
    assert len(pictures) == 8
    for picture in pictures.values():
        assert ElementTree.fromstring(picture.svg).get("width").endswith("pt")
        root = ElementTree.fromstring(picture.inline())
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
        (
            "Learning curve",
            "Training loss: from 0.700 to 0.500. Validation loss: 0.500, 0.375; validation macro-F1: 0.700",
        ),
        ("Learning rate", "peaks at 5e-05 and ends at 0"),
        ("Confusion matrix", "Actual rumor: 1 predicted non-rumor, 1 predicted rumor."),
        ("Reliability", "Expected calibration error: 0.250, before calibration 0.250."),
        ("Precision and recall", "At the threshold, precision is 1.000 and recall is 0.500."),
    ],
)
def test_the_text_alternative_describes_the_picture(pictures, title, words):
    assert words in pictures[title].words


def test_the_confusion_matrix_has_the_shares_of_each_row(pictures):
    texts = re.findall(r">([^<>]+)</text>", pictures["Confusion matrix"].svg)
    assert [text for text in texts if "%" in text] == ["100.0%", "0.0%", "50.0%", "50.0%"]


def test_undefined_curves_are_not_drawn(make_report):
    report = make_report(labels=[1, 1, 1], probabilities=[0.1, 0.2, 0.3], train={"curve": ()})
    assert {picture.title for picture in draw_all(report)} == {
        *("Confusion matrix", "Probabilities by label", "Reliability", "Accuracy against coverage"),
    }


def drawn_early(make_report, early):
    return draw_all(make_report(early=early))[-1]


def test_early_detection_is_drawn_from_the_text_alone_to_the_last_moment(make_report, early):
    picture = drawn_early(make_report, early)
    assert picture.words == (
        "Accuracy: 0.890 with the text alone, 0.945 at the last moment. ROC-AUC: 0.950 and 0.985."
    )
    labels = [label.get_text() for label in picture.axes.get_xticklabels()]
    assert labels == ["text alone", "2 min", "10 min", "1 h", "6 h", "24 h", "all"]
    for line in picture.axes.lines:
        assert len(line.get_xdata()) == len(early.curve.minutes)
        assert picture.axes.get_xlim()[0] < min(line.get_xdata()) <= max(line.get_xdata()) < picture.axes.get_xlim()[1]


def test_early_detection_ends_at_the_deadline(make_report, early):
    curve = Curve(early.curve.minutes[:4], early.curve.accuracy[:4], (NAN,) * 4)
    picture = drawn_early(make_report, replace(early, curve=curve))
    assert [label.get_text() for label in picture.axes.get_xticklabels()] == ["text alone", "2 min", "10 min", "1 h"]
    assert picture.words.endswith("ROC-AUC: n/a and n/a.")


def test_equal_reports_give_equal_pictures(make_report):
    assert draw_all(make_report()) == draw_all(make_report())


def test_a_loss_that_is_not_a_number_is_skipped_in_the_curve(make_report):
    curve = (Step(10, float("nan"), 5e-5), Step(20, 0.5, 0.0))
    [learning] = [p for p in draw_all(make_report(train={"curve": curve})) if p.title == "Learning curve"]
    assert "from 0.500 to 0.500" in learning.words
