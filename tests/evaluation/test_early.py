import numpy as np
import pytest

from hf_rumor.evaluation.early import (
    CONFIDENCES,
    BaselineScores,
    choose_confidence,
    compare_at,
    draw_curve,
    early_rate,
    first_confident,
    instability,
    measure_calls,
    score_posts,
)


MOMENTS = (0.0, 600.0, 3600.0, 86_400.0)
LABELS = np.array([1, 0, 1])
# At a confidence of 0.8, post 0 is called at once and flips twice later, post 1 is called after an hour, wrongly, and
# post 2 is never called.
OVER_TIME = np.array([[0.9, 0.4, 0.5], [0.4, 0.6, 0.6], [0.7, 0.8, 0.6], [0.8, 0.9, 0.7]])


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr("hf_rumor.evaluation.measure.NUM_RESAMPLES", 20)


def test_calls_of_three_posts_at_four_moments():
    calls = measure_calls(LABELS, OVER_TIME, 0.5, MOMENTS, 0.8, reached=True)
    assert calls.num_moments == 4
    assert calls.share_called == pytest.approx(2 / 3)
    assert calls.error == 1 / 2
    assert calls.median_minutes == 60  # of 0, 60 and never
    assert calls.early_rate == pytest.approx((1 + 3 + 4) / 4 / 3)
    assert calls.instability == pytest.approx((2 / 3 + 0 + 0) / 3)
    assert calls.accuracy == pytest.approx(2 / 3)  # post 2 is called at the last moment
    assert calls.sea == pytest.approx((1 - 2 / 3 + 1 - 2 / 9 + 2 / 3) / 3)


def test_a_post_is_called_at_the_first_confident_moment_else_at_the_last():
    called, is_called = first_confident(np.array([[0.6, 0.9, 0.6], [0.8, 0.6, 0.7], [0.9, 0.6, 0.7]]), 0.8)
    assert called.tolist() == [1, 0, 2]
    assert is_called.tolist() == [True, True, False]


def test_without_a_confident_post_there_are_no_calls_and_no_minutes():
    calls = measure_calls(LABELS, OVER_TIME, 0.5, MOMENTS, 0.95, reached=False)
    assert (calls.share_called, calls.early_rate, calls.instability) == (0, 1, 0)
    assert np.isnan(calls.error)
    assert np.isnan(calls.median_minutes)
    assert calls.accuracy == pytest.approx(2 / 3)
    assert not calls.reached


def test_a_call_at_a_moment_without_a_limit_has_no_minutes():
    moments = (*MOMENTS[:3], float("inf"))
    calls = measure_calls(LABELS[:1], np.array([[0.6], [0.6], [0.6], [0.9]]), 0.5, moments, 0.8, reached=True)
    assert calls.share_called == 1
    assert np.isnan(calls.median_minutes)


@pytest.mark.parametrize(("called", "rate"), [((0, 0), 0.25), ((3, 3), 1.0), ((0, 3), 0.625)])
def test_the_early_rate_is_the_share_of_moments_that_have_passed(called, rate):
    assert early_rate(np.array(called), 4) == rate


@pytest.mark.parametrize(
    ("decisions", "called", "share"),
    [
        ((1, 1, 1, 1), 0, 0.0),
        ((1, 0, 1, 0), 0, 1.0),
        ((0, 1, 1, 0), 1, 0.5),  # the flip at the call itself does not count
        ((0, 1, 0, 1), 3, 0.0),
    ],
)
def test_instability_is_the_share_of_flips_after_the_call(decisions, called, share):
    assert instability(np.array(decisions)[:, None], np.array([called])) == share


@pytest.mark.parametrize(
    ("num_wrong", "least"),
    [
        (0, 0.5),
        (1, 0.5),  # 1 of 20 is 5%: the target is reached
        (2, 0.615),  # 1 of 19 is more than 5%, 0 of 18 is not
    ],
)
def test_the_least_confidence_with_few_wrong_calls_is_chosen(num_wrong, least):
    confidences = np.linspace(0.6, 0.79, 20)
    probabilities = np.where(np.arange(20) < num_wrong, confidences, 1 - confidences)
    assert choose_confidence(np.zeros(20), probabilities[None], 0.5) == (least, True)


def test_without_a_sufficient_confidence_the_highest_is_chosen():
    assert choose_confidence(np.zeros(3), np.full((1, 3), 0.9), 0.5) == (CONFIDENCES[-1], False)


def test_a_row_compares_the_model_with_what_was_fitted():
    labels, probabilities = np.array([0, 1, 0, 1]), np.array([0.1, 0.9, 0.2, 0.4])
    svm = np.array([0.6, 0.9, 0.2, 0.4])
    row = compare_at("1h", 0.5, labels, probabilities, svm, BaselineScores(svm=svm), np.arange(4), 0.4)
    assert (row.deadline, row.share_with_reposts) == ("1h", 0.5)
    assert (row.model.accuracy, row.without_denials.accuracy, row.svm.accuracy) == (1.0, 0.75, 0.5)
    assert (row.reposts_only, row.number_only) == (None, None)
    assert row.difference.accuracy.difference == 0.5
    without = compare_at("1h", 0.5, labels, probabilities, svm, BaselineScores(), np.arange(4), 0.4)
    assert (without.svm, without.difference) == (None, None)


def test_scores_have_an_interval_each():
    scores = score_posts(np.array([0, 1, 1, 0]), np.array([0.1, 0.9, 0.4, 0.2]), np.arange(4))
    assert scores.intervals.keys() == {"accuracy", "macro_f1", "roc_auc"}
    low, high = scores.intervals["accuracy"]
    assert low < scores.accuracy == 0.75 < high


def test_the_curve_has_the_scores_at_each_moment_in_minutes():
    curve = draw_curve(LABELS, OVER_TIME, 0.5, MOMENTS)
    assert curve.minutes == (0, 10, 60, 1440)
    assert curve.accuracy == pytest.approx((1, 1 / 3, 2 / 3, 2 / 3))
    assert curve.roc_auc == pytest.approx((1, 0.25, 0, 0))
