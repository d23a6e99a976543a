import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from hf_rumor.evaluation.calibration import (
    calibration_error_by_chance,
    fit_lines,
    fit_platt,
    measure_calibration,
)
from hf_rumor.evaluation.metrics import Scored, expected_calibration_errors


def ece(labels, probabilities):
    """Return the expected calibration error of posts with equal weights."""
    labels, probabilities = np.asarray(labels), np.asarray(probabilities, dtype=np.float64)
    [error] = expected_calibration_errors(labels, probabilities, np.ones((1, len(labels))))
    return error


@pytest.mark.parametrize(
    ("labels", "probability", "error"),
    [
        ([0] * 150 + [1] * 150, 0.5, 0.0),
        ([0, 0, 0, 1] * 15, 0.25, 0.0),
        ([1] * 30, 1.0, 0.0),
        ([0, 1] * 150, 0.9, 0.4),  # over-confident
        ([0] * 30, 1.0, 1.0),  # wrong and confident
        ([1] * 30, 0.4, 0.6),  # under-confident
        ([1], 0.3, 0.7),
    ],
)
def test_the_error_of_a_constant_is_its_distance_from_the_share_of_rumors(labels, probability, error):
    assert ece(labels, np.full(len(labels), probability)) == pytest.approx(error)


def test_few_posts_have_a_run_each_and_their_error_is_the_mean_distance():
    assert ece([0, 1, 1, 0], [0.1, 0.6, 0.7, 0.4]) == pytest.approx(0.3)


def test_runs_are_weighted_by_their_lengths():
    # Of 15 runs, the first has three posts and no rumor; the others share 28 posts of which half are rumors.
    assert ece([0] * 3 + [0, 1] * 14, [0.1] * 3 + [0.5] * 28) == pytest.approx(3 * 0.1 / 31)


def test_the_true_probabilities_are_almost_calibrated():
    random = np.random.default_rng(1)
    probabilities = random.random(20_000)
    labels = (random.random(20_000) < probabilities).astype(np.int64)
    assert ece(labels, probabilities) < 0.02 < ece(labels, probabilities**3)


def draw_logits(num_posts=600, seed=0):
    """Return labels, and the logits from which they were drawn."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, num_posts)
    return (random.random(num_posts) < expit(logits)).astype(np.int64), logits


def test_the_line_minimizes_the_loss_of_platt_plus_that_of_the_prior():
    labels, logits = draw_logits(40)
    positive = labels.sum()
    negative = len(labels) - positive
    target = np.where(labels == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))

    def loss(line):
        scores = line[0] * logits * 3 + line[1]
        by_labels, by_prior = (np.logaddexp(0, scores) - share * scores for share in (target, expit(3 * logits)))
        return by_labels.sum() + 20 * by_prior.mean()

    line = fit_platt(labels, 3 * logits)
    assert (line.slope, line.intercept) == pytest.approx(tuple(minimize(loss, [1.0, 0.0], tol=1e-12).x), abs=1e-4)


def test_logits_that_are_three_times_too_large_are_scaled_back():
    labels, logits = draw_logits(8000)
    line = fit_platt(labels[:4000], 3 * logits[:4000])
    held_out = labels[4000:], 3 * logits[4000:]
    before = ece(held_out[0], expit(held_out[1]))
    after = ece(held_out[0], expit(line.slope * held_out[1] + line.intercept))
    assert line.slope == pytest.approx(1 / 3, abs=0.06)
    assert after < before / 2


def test_a_dozen_posts_move_the_line_less_than_a_thousand_similar_ones():
    labels = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    logits = np.array([-4.0, -4, 4, -4, 4, 4, 4, 4, -4, -4, 4, 4])  # correct for seven posts, and confident for all
    few, many = fit_platt(labels, logits), fit_platt(np.tile(labels, 100), np.tile(logits, 100))
    assert 0 < many.slope < 0.1 < few.slope < 1


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_calibration_keeps_the_order_of_the_posts(activation):
    labels, logits = draw_logits()
    both = np.stack([-0.7 * logits + 0.1, 2.5 * logits], axis=1)
    lines = fit_lines(labels, both, activation, labels.mean())
    after = np.stack([line.slope * both[:, label] + line.intercept for label, line in enumerate(lines)], axis=1)
    scores = [x[:, 1] - x[:, 0] if activation == "softmax" else x[:, 1] for x in (both, after)]
    assert roc_auc_score(labels, scores[0]) == pytest.approx(roc_auc_score(labels, scores[1]), abs=1e-12)
    assert np.array_equal(np.argsort(scores[0]), np.argsort(scores[1]))


def test_under_softmax_the_difference_of_the_logits_takes_the_line():
    labels, logits = draw_logits()
    both = np.stack([1 - logits, 2 + logits], axis=1)
    line = fit_platt(labels, both[:, 1] - both[:, 0])
    positive, negative = labels.sum(), (1 - labels).sum()
    carried = positive * (positive + 1) / (positive + 2) + negative / (negative + 2)
    lines = fit_lines(labels, both, "softmax", carried / len(labels))
    for fitted, intercept in zip(lines, (-line.intercept / 2, line.intercept / 2), strict=True):
        assert (fitted.slope, fitted.intercept) == pytest.approx((line.slope, intercept))


def test_logits_that_separate_the_labels_do_not_send_the_slope_to_infinity():
    line = fit_platt(np.array([0] * 10 + [1] * 10), np.array([-1.0] * 10 + [1.0] * 10))
    assert expit(line.slope + line.intercept) == pytest.approx((20 * 11 / 12 + 20 * expit(1)) / 40)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_logits_that_invert_the_ranking_are_not_calibrated(activation):
    labels, logits = draw_logits()
    assert fit_lines(labels, np.stack([logits, -logits], axis=1), activation, 0.5) is None


def test_labels_that_slightly_contradict_the_logits_prevent_calibration():
    labels, logits = np.array([0, 0, 0, 1, 1, 1]), np.array([-2.0, 2, 2, -2, -2, 2])
    assert fit_platt(labels, logits) is None
    assert fit_platt(1 - labels, logits).slope > 0


def test_logits_calibrated_for_the_requested_share_stay_whatever_share_few_posts_have():
    random = np.random.default_rng(0)
    labels = np.array([0] * 4 + [1] * 10)  # a share of 0.71; the logits are calibrated for 0.45
    intercepts = []
    for _ in range(60):
        logits = 3 * random.normal(3.0 * labels - 1.5, 1.0) + np.log(0.45 / 0.55)
        lines = fit_lines(labels, np.stack([-logits, logits], axis=1), "sigmoid", 0.45)
        intercepts.append([line.intercept for line in lines])
    assert np.mean(intercepts, axis=0) == pytest.approx([0, 0], abs=0.15)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_lines_fitted_on_posts_with_too_many_rumors_are_calibrated_for_the_requested_share(activation):
    """Log-odds are 2 x at equal shares: lines fitted on 80% rumors and moved to 30% are calibrated for 30%."""
    random = np.random.default_rng(0)

    def make(share, num_posts=40_000):
        labels = (random.random(num_posts) < share).astype(np.int64)
        x = random.normal(2.0 * labels - 1.0, 1.0)
        return labels, np.stack([-x, x], axis=1)

    def rumor(lines, logits):
        values = [line.slope * logits[:, label] + line.intercept for label, line in enumerate(lines)]
        return expit(values[1] if activation == "sigmoid" else values[1] - values[0])

    lines = fit_lines(*make(0.8), activation, 0.3)
    labels, logits = make(0.3)
    assert ece(labels, rumor(lines, logits)) < 0.01
    assert lines[0].slope == pytest.approx(lines[1].slope, rel=1e-6)
    assert lines[0].intercept == pytest.approx(-lines[1].intercept, rel=1e-6)
    unmoved = fit_lines(*make(0.8), activation, 0.8)
    assert ece(labels, rumor(unmoved, logits)) > 0.1


def test_lines_keep_a_rare_share_of_rumors_where_nothing_shifted():
    random = np.random.default_rng(0)
    logits = np.sort(random.normal(-4.1, 1.0, 80))  # of which the mean probability is this share
    labels = np.zeros(80, dtype=np.int64)
    labels[-2:] = 1
    _, rumor = fit_lines(labels, np.stack([-logits, logits], axis=1), "sigmoid", 2 / 80)
    calibrated = 1 / (1 + np.exp(-(rumor.slope * logits + rumor.intercept)))
    assert calibrated.mean() == pytest.approx(2 / 80, abs=0.005)


def test_a_calibrated_model_has_the_error_of_chance():
    random = np.random.default_rng(1)
    probabilities = random.random(300)
    drawn = [ece((random.random(300) < probabilities).astype(np.int64), probabilities) for _ in range(50)]
    assert calibration_error_by_chance(probabilities) == pytest.approx(np.mean(drawn), rel=0.1)
    assert calibration_error_by_chance(np.array([0.0, 1.0])) == 0.0


def test_the_calibration_of_posts_does_not_depend_on_a_threshold():
    labels, probabilities = np.array([0, 1, 1, 0]), np.array([0.1, 0.9, 0.4, 0.6])
    scores = measure_calibration(Scored(["a", "b", "c", "d"], labels, probabilities, 0.0))
    assert scores.brier == pytest.approx((0.1**2 + 0.1**2 + 0.6**2 + 0.6**2) / 4)
    assert scores.ece == ece(labels, probabilities)
    assert scores.roc_auc == roc_auc_score(labels, probabilities)
