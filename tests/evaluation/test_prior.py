import numpy as np
import pytest

from hf_rumor.errors import ArgumentError
from hf_rumor.evaluation.metrics import Scored
from hf_rumor.evaluation.prior import (
    MIN_POSTS,
    Prior,
    Validation,
    adjust,
    estimate_prior,
    given_prior,
    summarize_validation,
)
from hf_rumor.labels import sigmoid


TRAINED = 0.4
SEPARATION = 2.5  # distance between the scores of rumors and those of non-rumors, which are normal with variance 1


def posts(num_posts, share, seed=0):
    """Return exact probabilities of a model that was trained on a share of `TRAINED`, and the labels."""
    generator = np.random.default_rng(seed)
    labels = (generator.random(num_posts) < share).astype(np.int64)
    scores = generator.normal(SEPARATION * labels)
    log_ratio = SEPARATION * scores - SEPARATION**2 / 2
    return sigmoid(log_ratio + np.log(TRAINED / (1 - TRAINED))), labels


def validation(seed=9):
    probabilities, labels = posts(5000, TRAINED, seed)
    ids = [str(number) for number in range(len(labels))]
    return summarize_validation(Scored(ids, labels, probabilities, loss=0.0), 0.5)


def test_what_is_saved_of_validation_posts():
    scored = Scored(["a", "b", "c", "d"], np.array([1, 1, 1, 0]), np.array([0.9, 0.5, 0.2, 0.7]), loss=0.0)
    assert summarize_validation(scored, 0.5) == Validation(
        share=0.75, recall=2 / 3, false_alarm_rate=1.0, threshold=0.5
    )


@pytest.mark.parametrize("share", [0.05, 0.2, 0.4, 0.6, 0.8])
def test_the_share_is_found_and_the_decisions_follow(share):
    probabilities, labels = posts(4000, share)
    prior = estimate_prior(probabilities, validation())
    assert prior.share == pytest.approx(share, abs=0.02)
    assert prior.second_estimate == pytest.approx(share, abs=0.03)
    assert prior.interval[0] < labels.mean() < prior.interval[1]
    assert not prior.is_doubtful
    accuracies = [np.mean((p >= 0.5) == labels) for p in (probabilities, adjust(probabilities, prior))]
    assert accuracies[1] >= accuracies[0] - 0.005


def test_adjusted_probabilities_are_those_of_bayes_rule():
    prior = Prior(share=0.1, interval=None, second_estimate=None, trained_share=0.5)
    odds = 0.8 / 0.2 * 0.1 / 0.9
    assert adjust(np.array([0.8, 0.5]), prior) == pytest.approx([odds / (1 + odds), 0.1])
    unchanged = Prior(share=0.3, interval=None, second_estimate=None, trained_share=0.3)
    assert adjust(np.array([0.8]), unchanged) == pytest.approx([0.8])


def test_too_few_posts_are_refused():
    with pytest.raises(ArgumentError, match=f"{MIN_POSTS - 1} posts, but {MIN_POSTS} are needed"):
        estimate_prior(np.full(MIN_POSTS - 1, 0.5), validation())
    estimate_prior(np.full(MIN_POSTS, 0.5), validation())


def test_posts_that_look_otherwise_make_the_estimate_doubtful():
    unsure = np.concatenate([np.full(500, 0.52), np.full(500, 0.05)])  # rumors and non-rumors were never like this
    assert estimate_prior(unsure, validation()).is_doubtful


def test_a_model_that_only_guesses_has_no_second_estimate():
    guessing = Validation(share=0.5, recall=0.3, false_alarm_rate=0.3, threshold=0.5)
    prior = estimate_prior(np.full(100, 0.5), guessing)
    assert prior.second_estimate is None
    assert not prior.is_doubtful


@pytest.mark.parametrize("share", [0, 1, -0.1, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ArgumentError, match="not between 0 and 1"):
        given_prior(share, validation())
