import numpy as np
import pytest
from hf_rumor.evaluation.resamples import COUNTS

from hf_rumor.evaluation import measure as module
from hf_rumor.evaluation.baseline import BaselinePredictions
from hf_rumor.evaluation.decision import Threshold
from hf_rumor.evaluation.measure import (
    Prediction,
    Scored,
    measure,
    measure_baselines,
    measure_calibration,
    measure_decision,
    measure_with_intervals,
    predictions,
    verdict,
)
from hf_rumor.evaluation.metrics import METRICS, compute_metrics


@pytest.fixture
def scored():
    return Scored(
        ids=["a", "b", "c", "d"],
        labels=np.array([0, 1, 1, 0]),
        probabilities=np.array([0.1, 0.9, 0.4, 0.6]),
        loss=0.5,
    )


def test_a_part_is_measured_with_counts_loss_and_all_metrics(scored):
    found = measure(scored, threshold=0.5)
    assert found["num_posts"] == 4
    assert found["loss"] == 0.5
    assert found["confusion"] == [[1, 1], [1, 1]]
    assert {name: found[name] for name in METRICS} == compute_metrics(
        scored.labels, np.array([0, 1, 0, 1]), scored.probabilities
    )


@pytest.mark.parametrize(
    ("threshold", "confusion"), [(0.0, [[0, 2], [0, 2]]), (0.4, [[1, 1], [0, 2]]), (0.95, [[2, 0], [2, 0]])]
)
def test_the_threshold_decides(scored, threshold, confusion):
    found = measure(scored, threshold)
    assert found["threshold"] == threshold
    assert found["confusion"] == confusion
    assert found["accuracy"] == (confusion[0][0] + confusion[1][1]) / 4


def test_intervals_belong_to_the_same_decisions(scored, monkeypatch):
    monkeypatch.setattr(module, "NUM_RESAMPLES", 3)
    one_group = np.zeros(4, dtype=np.int64)  # of which nothing can be known
    found = measure_with_intervals(scored, 0.4, one_group)
    intervals = found.pop("intervals")
    assert found == measure(scored, 0.4)
    assert list(intervals) == [*METRICS, *COUNTS]
    counts = dict(zip(COUNTS, np.ravel(found["confusion"]), strict=True))
    for name, (low, high) in intervals.items():
        value = (found | counts)[name]
        if name.endswith(("accuracy", "precision", "recall")):
            assert low == (pytest.approx(0.025) if value == 1.0 else 0.0)
            assert high == (pytest.approx(0.975) if value == 0.0 else 1.0)
        elif value == 0 and name in COUNTS:
            assert (low, high) == pytest.approx((0.0, 4 * 0.975))
        else:
            assert np.isnan([low, high]).all()


def test_each_post_has_a_prediction_in_order(scored):
    assert predictions(scored, 0.5) == [
        Prediction("a", "non-rumor", "non-rumor", 0.1),
        Prediction("b", "rumor", "rumor", 0.9),
        Prediction("c", "rumor", "non-rumor", 0.4),
        Prediction("d", "non-rumor", "rumor", 0.6),
    ]


def test_predictions_of_unequal_columns_are_refused(scored):
    short = Scored(scored.ids[:3], scored.labels, scored.probabilities, scored.loss)
    with pytest.raises(ValueError, match="longer"):
        predictions(short, 0.5)


def test_an_unsure_post_is_uncertain_where_that_was_asked_for(scored):
    assert [row.predicted for row in predictions(scored, 0.5, 0.8)] == ["non-rumor", "rumor", "uncertain", "uncertain"]


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((0.021, 0.004, 0.039, 0.01), "better by 2.1 points, 95 % interval 0.4 to 3.9"),
        ((-0.021, -0.039, -0.004, 0.01), "worse by 2.1 points, 95 % interval 0.4 to 3.9"),
        ((0.01, -0.01, 0.03, 0.3), "not distinguishable: +1.0 points, 95 % interval -1.0 to 3.0"),
        (
            (0.1, 0.025, 0.2, 0.125),
            "not distinguishable: +10.0 points, 95 % interval 2.5 to 20.0; too few posts differ (sign test: p = 0.12)",
        ),
    ],
)
def test_a_difference_is_told_in_words(interval, words):
    assert verdict(*interval) == words


def test_four_posts_told_better_are_not_better(scored):
    right, ours = np.array([0, 1] * 20), np.array([0, 1] * 20)
    theirs = np.where(np.arange(40) < 4, 1 - right, right)
    posts = Scored([str(number) for number in range(40)], right, ours.astype(np.float64), 0.0)
    found = measure_baselines(BaselinePredictions(tfidf_svm=theirs, majority=1 - right), posts, 0.5, np.arange(40))
    assert found["tfidf_svm"]["difference"]["accuracy"]["low"] > 0
    assert found["tfidf_svm"]["verdict"].startswith("not distinguishable: +10.0 points")
    assert found["majority"]["verdict"].startswith("better by 100.0 points")


def test_baselines_are_compared_on_the_same_decisions(scored):
    baselines = BaselinePredictions(tfidf_svm=np.array([0, 1, 0, 1]), majority=np.array([1, 1, 1, 1]))
    found = measure_baselines(baselines, scored, 0.5, np.arange(4))
    assert found["tfidf_svm"]["difference"]["accuracy"] == {"difference": 0.0, "low": 0.0, "high": 0.0}
    assert found["majority"]["accuracy"] == 0.5
    assert found["majority"]["confusion"] == [[0, 2], [0, 2]]


def test_where_no_post_is_certain_their_accuracy_is_not_defined(scored):
    facts = measure_decision("0.5", Threshold(0.5), 0.95, {"validation": scored, "test": scored})
    assert facts["certain"]["num_posts"] == 0
    assert np.isnan(facts["certain"]["accuracy"])


def test_calibration_is_measured_before_and_after(scored):
    better = Scored(scored.ids, scored.labels, np.array([0.0, 1.0, 1.0, 0.0]), 0.0)
    found = measure_calibration({"test": scored}, {"test": better})
    assert found["before"]["test"]["brier"] == pytest.approx((0.1**2 + 0.1**2 + 0.6**2 + 0.6**2) / 4)
    assert found["after"]["test"]["brier"] == 0
