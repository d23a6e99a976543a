import numpy as np
import pytest

from hf_rumor.evaluation.calibration import expected_calibration_error


def ece(labels, probabilities, **options):
    return expected_calibration_error(np.asarray(labels), np.asarray(probabilities, dtype=np.float64), **options)


@pytest.mark.parametrize(
    ("labels", "probability", "error"),
    [
        ([0, 1] * 150, 0.5, 0.0),
        ([0, 0, 0, 1] * 15, 0.25, 0.0),
        ([1] * 30, 1.0, 0.0),
        ([0, 1] * 150, 0.9, 0.4),  # over-confident
        ([0] * 30, 1.0, 1.0),  # wrong and sure of it
        ([1] * 30, 0.4, 0.6),  # under-confident
        ([1], 0.3, 0.7),
    ],
)
def test_the_error_of_a_constant_is_its_distance_from_the_share_of_rumors(labels, probability, error):
    assert ece(labels, np.full(len(labels), probability)) == pytest.approx(error)


def test_the_error_of_two_runs_by_hand():
    # mean 0.2, one rumor of two: 0.3; mean 0.8, two of two: 0.2
    assert ece([0, 1, 1, 1], [0.1, 0.3, 0.9, 0.7], bins=2) == pytest.approx((0.3 + 0.2) / 2)


def test_runs_are_weighted_by_their_lengths():
    # three non-rumors of mean 0.2, two rumors of mean 0.9
    assert ece([0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.85, 0.95], bins=2) == pytest.approx((3 * 0.2 + 2 * 0.1) / 5)


def test_with_a_run_for_each_post_the_error_is_the_mean_distance():
    labels, probabilities = [0, 1, 1, 0], [0.1, 0.6, 0.7, 0.4]
    assert ece(labels, probabilities, bins=4) == ece(labels, probabilities, bins=99) == pytest.approx(0.3)


def test_with_one_run_the_error_is_that_of_the_mean():
    assert ece([0, 1, 1, 0], [0.1, 0.6, 0.7, 0.4], bins=1) == pytest.approx(0.05)


def test_the_error_does_not_depend_on_the_order_of_posts():
    random = np.random.default_rng(0)
    probabilities = random.random(200)
    labels = (random.random(200) < 0.5).astype(np.int64)
    order = random.permutation(200)
    assert ece(labels[order], probabilities[order]) == pytest.approx(ece(labels, probabilities))


def test_the_error_of_a_constant_does_not_depend_on_the_order_of_posts():
    assert ece([0] * 150 + [1] * 150, np.full(300, 0.5)) == pytest.approx(0.0)


def test_probabilities_that_are_the_truth_are_nearly_calibrated():
    random = np.random.default_rng(1)
    probabilities = random.random(20_000)
    labels = (random.random(20_000) < probabilities).astype(np.int64)
    assert ece(labels, probabilities) < 0.02 < ece(labels, probabilities**3)
