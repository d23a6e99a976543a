from dataclasses import replace

import pytest

from hf_rumor.evaluation.baseline import Baselines
from hf_rumor.evaluation.metrics import METRICS
from hf_rumor.report.view import sections


NAN = float("nan")


def by_id(report):
    return {section.id: section for section in sections(report)}


def rows(section, number=0):
    return {row[0]: row[1:] for row in section.tables[number].rows}


@pytest.mark.parametrize("given", [{}, {"labels": (1,), "probabilities": (0.2,)}, {"split": {"name": "outside"}}])
def test_every_row_has_as_many_cells_as_columns(make_report, given):
    for section in sections(make_report(**given)):
        for each in section.tables:
            assert {len(row) for row in each.rows} == {len(each.columns)}


def test_every_metric_has_a_row_with_its_meaning(make_report):
    metrics = rows(by_id(make_report())["metrics"])
    assert list(metrics) == [*METRICS, "loss"]
    assert metrics["accuracy"] == ("0.750 [0.625, 0.875]", "0.750", "share of posts classified correctly")
    assert metrics["brier"][-1].endswith("lower is better")


def test_the_confusion_matrix_is_labeled_actual_and_predicted(make_report):
    section = by_id(make_report())["metrics"]
    assert [column.title for column in section.tables[1].columns[1:]] == ["predicted non-rumor", "predicted rumor"]
    assert rows(section, 1) == {
        "actual non-rumor": ("2 [2, 4], 100.0%", "0 [0, 0], 0.0%"),
        "actual rumor": ("1 [1, 2], 50.0%", "1 [1, 2], 50.0%"),
    }


def test_undefined_numbers_are_named(make_report):
    sections_of = by_id(make_report((1, 1, 1), (0.1, 0.2, 0.9), train={"posts_per_second": NAN}))
    assert rows(sections_of["metrics"])["roc_auc"][:2] == ("n/a", "n/a")
    assert "nan" not in repr(sections_of)


def test_baselines_are_compared_by_the_paired_difference(make_report):
    baseline = rows(by_id(make_report())["baseline"])
    assert baseline["character TF-IDF + linear SVM"][:2] == ("0.500", "0.333")
    assert baseline["majority class"][2].startswith("no significant difference; +25.0 pp [")


def test_without_a_baseline_the_reason_stands_in_its_place(make_report):
    report = replace(make_report(), baseline=Baselines(skipped="too few posts"))
    section = by_id(report)["baseline"]
    assert (section.paragraphs, section.tables) == (("There is no baseline: too few posts.",), ())


def test_calibration_and_threshold_are_explained(make_report):
    report = make_report()
    text = " ".join(by_id(report)["calibration"].paragraphs)
    for words in (
        "The probability of rumor is the sigmoid of the rumor logit.",
        "rumor: 0.750 · logit - 0.500",
        "its probability is at least 0.5 (`--decision precision>=0.9`). No threshold satisfies this rule on",
        "The accuracy on the other 3 of 4 test posts is 1.000.",
    ):
        assert words in text
    without = replace(report, calibration=replace(report.calibration, method="none", lines=None, before=None))
    assert "were not calibrated" in by_id(without)["calibration"].paragraphs[0]
    assert list(rows(by_id(without)["calibration"])) == ["after calibration"]


def test_a_slice_of_few_posts_is_marked(make_report):
    first = by_id(make_report())["slices"].tables[0].rows[0]
    assert first == ("characters: 0 to 49", "2", "1", "0.500 [0.000, 1.000]", "too few posts to judge")
