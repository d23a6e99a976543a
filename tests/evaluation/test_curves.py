import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hf_rumor.evaluation.curves import (
    MAX_MISTAKES,
    MAX_POINTS,
    confident_mistakes,
    find_mistakes,
    measure_curves,
    reliability,
)
from hf_rumor.evaluation.metrics import Scored, compute_metrics


@pytest.fixture
def part():
    random = np.random.default_rng(0)
    labels = (random.random(300) < 0.4).astype(np.int64)
    return labels, np.clip(0.4 + 0.2 * labels + random.normal(0, 0.2, 300), 0, 1)


def test_the_area_below_the_points_is_the_area_in_the_report(part):
    roc = measure_curves(part[0], part[1], part[1]).roc
    area = np.trapezoid(roc.true_positive_rate, roc.false_positive_rate)
    assert area == pytest.approx(roc_auc_score(*part), abs=0.005)


def test_the_mean_distance_of_the_bins_is_the_calibration_error(part):
    bins = reliability(*part)
    error = sum(run.num_posts * abs(run.probability - run.share_of_rumors) for run in bins) / len(part[0])
    assert error == pytest.approx(compute_metrics(part[0], part[0], part[1]).ece, abs=1e-3)
    assert [run.probability for run in bins] == sorted(run.probability for run in bins)


def test_the_histogram_counts_every_post_once(part):
    histogram = measure_curves(part[0], part[1], part[1]).histogram
    assert sum(histogram.rumor) == part[0].sum()
    assert sum(histogram.rumor) + sum(histogram.non_rumor) == 300


def test_many_posts_do_not_make_long_curves():
    random = np.random.default_rng(0)
    curves = measure_curves(np.arange(5000) % 2, random.random(5000), random.random(5000))
    assert {len(curves.roc.true_positive_rate), len(curves.precision_recall.precision)} == {MAX_POINTS}


def test_with_one_label_two_curves_are_undefined():
    curves = measure_curves(np.ones(3, dtype=np.int64), np.full(3, 0.2), np.full(3, 0.2))
    assert curves.roc is curves.precision_recall is None
    assert len(curves.reliability) == 3


def test_the_most_confident_mistakes_come_first():
    scored = Scored(["a", "b", "c", "d"], np.array([0, 1, 0, 1]), np.array([0.7, 0.05, 0.2, 0.9]), 0.0)
    mistakes = confident_mistakes(scored, 0.5, np.arange(4))
    assert [(mistake.id, mistake.label) for mistake in mistakes] == [("b", 1), ("a", 0)]
    wrong = Scored([str(number) for number in range(30)], np.ones(30, dtype=np.int64), np.zeros(30), 0.0)
    assert len(confident_mistakes(wrong, 0.5, np.arange(30))) == MAX_MISTAKES
    assert len(find_mistakes(wrong, 0.5)) == 30


def test_near_duplicates_are_one_mistake():
    scored = Scored(["a", "b", "c"], np.ones(3, dtype=np.int64), np.array([0.3, 0.1, 0.2]), 0.0)
    assert [mistake.id for mistake in confident_mistakes(scored, 0.5, np.array([7, 2, 2]))] == ["b", "a"]
