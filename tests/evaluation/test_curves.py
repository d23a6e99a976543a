import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hf_rumor.evaluation.calibration import expected_calibration_error
from hf_rumor.evaluation.curves import MAX_POINTS, confident_mistakes, measure_curves, reliability


@pytest.fixture
def part():
    random = np.random.default_rng(0)
    labels = (random.random(300) < 0.4).astype(np.int64)
    return labels, np.clip(0.4 + 0.2 * labels + random.normal(0, 0.2, 300), 0, 1)


def test_the_area_below_the_points_is_that_of_the_report(part):
    roc = measure_curves(part[0], part[1], part[1])["roc"]
    area = np.trapezoid(roc["true_positive_rate"], roc["false_positive_rate"])
    assert area == pytest.approx(roc_auc_score(*part), abs=0.005)


def test_the_distances_of_the_runs_are_the_calibration_error(part):
    runs = reliability(*part)
    error = sum(run["num_posts"] * abs(run["probability"] - run["share_of_rumors"]) for run in runs) / len(part[0])
    assert error == pytest.approx(expected_calibration_error(*part), abs=1e-3)
    assert [run["probability"] for run in runs] == sorted(run["probability"] for run in runs)


def test_the_histogram_counts_every_post_once(part):
    histogram = measure_curves(part[0], part[1], part[1])["histogram"]
    assert sum(histogram["rumor"]) == part[0].sum()
    assert sum(histogram["rumor"]) + sum(histogram["non-rumor"]) == 300


def test_many_posts_do_not_make_long_curves():
    random = np.random.default_rng(0)
    labels = np.arange(5000) % 2
    curves = measure_curves(labels, random.random(5000), random.random(5000))
    for curve in (curves["roc"], curves["precision_recall"]):
        assert {len(values) for values in curve.values()} == {MAX_POINTS}


def test_with_one_label_there_is_no_curve_to_draw():
    curves = measure_curves(np.ones(3, dtype=np.int64), np.full(3, 0.2), np.full(3, 0.2))
    assert curves["roc"] == curves["precision_recall"] == {}
    assert len(curves["reliability"]["after"]) == 3


def test_the_surest_mistakes_come_first():
    labels, probabilities = np.array([0, 1, 0, 1]), np.array([0.7, 0.05, 0.2, 0.9])
    found = confident_mistakes(["a", "b", "c", "d"], labels, probabilities, 0.5)
    assert [(row["id"], row["label"]) for row in found] == [("b", 1), ("a", 0)]
    assert len(confident_mistakes(["a", "b", "c", "d"], labels, probabilities, 0.5, most=1)) == 1
