"""Estimate the share of rumors among unlabeled posts, and adjust probabilities to it (prior shift).

A model is fitted where a certain share of the posts are rumors. Where the share differs, but rumors and non-rumors
each look as before, its probabilities are adjusted by a constant that is added to the log-odds. The share is estimated
from the probabilities by expectation maximization (Saerens et al., 2002,
https://doi.org/10.1162/089976602753284446). A second estimate, from the share of posts that are predicted to be rumors
and from recall and false alarm rate on validation posts (Lipton et al., 2018, arXiv:1802.03916), shows whether the
assumption may hold.
"""

from dataclasses import dataclass

import numpy as np

from hf_rumor.errors import ArgumentError
from hf_rumor.evaluation.intervals import Interval
from hf_rumor.evaluation.metrics import Floats, Scored
from hf_rumor.labels import log_odds, sigmoid


MIN_POSTS = 50  # fewer say little about the share
NUM_RESAMPLES = 200
MAX_ITERATIONS = 1000
TOLERANCE = 1e-6
SMALLEST = 1e-3  # share; closer to 0 or 1, shares are not distinguished
STEP = 0.02  # of rounded log-odds, so that a million posts are as fast as a thousand
MAX_DIFFERENCE = 0.1  # between the two estimates; with more, posts look otherwise than in training


@dataclass(frozen=True)
class Validation:
    """Scores of a model on validation posts, saved with it."""

    share: float  # of rumors
    recall: float  # share of the rumors that are predicted to be rumors
    false_alarm_rate: float  # share of the non-rumors that are predicted to be rumors
    threshold: float  # at which they are predicted


@dataclass(frozen=True)
class Prior:
    """A share of rumors to which probabilities are adjusted."""

    share: float
    interval: Interval | None  # 95%; None if the share was given
    second_estimate: float | None  # by recall and false alarm rate; None if the share was given, or the model guesses
    trained_share: float  # to which the probabilities of the model belong

    @property
    def is_doubtful(self) -> bool:
        """Return whether the two estimates differ too much."""
        return self.second_estimate is not None and abs(self.second_estimate - self.share) > MAX_DIFFERENCE


def summarize_validation(validation: Scored, threshold: float) -> Validation:
    """Return what is saved of validation posts."""
    is_rumor, is_flagged = validation.labels == 1, validation.probabilities >= threshold
    share, recall, false_alarm_rate = (
        float(values.mean()) for values in (is_rumor, is_flagged[is_rumor], is_flagged[~is_rumor])
    )
    return Validation(share, recall, false_alarm_rate, threshold)


def estimate_prior(probabilities: Floats, validation: Validation) -> Prior:
    """Estimate the share of rumors among posts.

    Args:
        probabilities: Of rumor, by a model. *Shape:* `(num_posts,)`.
        validation: Of the model.

    Raises:
        ArgumentError: There are fewer than `MIN_POSTS` posts.
    """
    num_posts = len(probabilities)
    if num_posts < MIN_POSTS:
        raise ArgumentError(f"--prior auto: {num_posts:,} posts, but {MIN_POSTS} are needed. Pass a share instead.")
    rounded = np.round(log_odds(probabilities) / STEP) * STEP
    values, counts = np.unique(rounded, return_counts=True)
    resampled = np.random.default_rng(0).multinomial(num_posts, counts / num_posts, size=NUM_RESAMPLES)
    shares = _maximize(values, np.vstack([counts, resampled]) / num_posts, validation.share)
    low, high = np.quantile(shares[1:], [0.025, 0.975])
    gap = validation.recall - validation.false_alarm_rate
    flagged = float(np.mean(probabilities >= validation.threshold)) - validation.false_alarm_rate
    second = min(max(flagged / gap, 0.0), 1.0) if gap > 0 else None
    return Prior(float(shares[0]), (float(low), float(high)), second, validation.share)


def _maximize(values: Floats, weights: Floats, trained_share: float) -> Floats:
    """Return the most likely share of rumors for each weighting of the log-odds. *Shape:* `(num_weightings,)`."""
    shares = np.full(len(weights), trained_share)
    for _ in range(MAX_ITERATIONS):
        before, shift = shares, log_odds(shares) - log_odds(np.array([trained_share]))
        shares = np.einsum("wv,wv->w", weights, sigmoid(values[None, :] + shift[:, None]))
        shares = np.clip(shares, SMALLEST, 1 - SMALLEST)
        if np.abs(shares - before).max() < TOLERANCE:
            break
    return shares


def given_prior(share: float, validation: Validation) -> Prior:
    """Return a share that is known.

    Raises:
        ArgumentError: It is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise ArgumentError(f"--prior {share:g}: not between 0 and 1. Use a share of rumors such as 0.1.")
    return Prior(share, None, None, validation.share)


def adjust(probabilities: Floats, prior: Prior) -> Floats:
    """Return the probabilities as they are where the share of rumors is that of the prior. *Shape:* `(num_posts,)`."""
    ends = log_odds(np.array([prior.share, prior.trained_share]))
    return sigmoid(log_odds(probabilities) + ends[0] - ends[1])
