"""Does a probability mean what it says, and how is it made to?"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from hf_rumor.evaluation.decision import average_ties


PRIOR_POSTS = 20  # that speak for the logits as they are; how their number was chosen: docs/LOG.md


@dataclass(frozen=True)
class Platt:
    """The line that makes a logit say what it means: `probability = sigmoid(slope · logit + intercept)`.

    Attributes:
        slope: Above 0, so that the order of the posts stays as it was.
        intercept: In nats.
    """

    slope: float
    intercept: float


def fit_platt(labels: NDArray[np.int64], logits: NDArray[np.float64]) -> Platt | None:
    """Return the line under which the logits predict the labels best; None where these would turn their order round.

    Platt, 1999, "Probabilistic outputs for support vector machines", Sec. 2.2: a logistic regression on the logit,
    with targets `(n + 1) / (n + 2)` and `1 / (m + 2)` for `n` posts of label 1 and `m` of label 0, so that a perfect
    separation does not send the slope to infinity. A dozen posts can say anything; so the line that changes nothing
    has the weight of `PRIOR_POSTS` more (a conjugate prior: Chen and Ibrahim, 2003, "Conjugate priors for generalized
    linear models", Statistica Sinica 13).

    Args:
        labels: 0 or 1, of posts that trained nothing and will test nothing. *Shape:* `(num_posts,)`.
        logits: Of label 1. *Shape:* `(num_posts,)`.
    """
    softened = _soften(labels)
    if (softened - softened.mean()) @ logits <= 0:  # the slope by the labels alone has the sign of this covariance
        return None
    target = (len(labels) * softened + PRIOR_POSTS * expit(logits)) / (len(labels) + PRIOR_POSTS)
    # A target between 0 and 1 is a post that stands there twice, once with each label, with weights.
    spread = max(float(logits.std()), 1e-6)  # the solver wants numbers of order 1
    model = LogisticRegression(C=np.inf, max_iter=1000, tol=1e-10)
    model.fit(
        np.tile(logits / spread, 2)[:, None],
        np.repeat([1, 0], len(labels)),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    return Platt(float(model.coef_[0, 0]) / spread, float(model.intercept_[0]))


def _soften(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    positive = int(labels.sum())
    return np.where(labels == 1, (positive + 1) / (positive + 2), 1 / (len(labels) - positive + 2))


def fit_lines(
    labels: NDArray[np.int64],
    logits: NDArray[np.float64],
    activation: Literal["sigmoid", "softmax"],
    share_of_rumors: float,
) -> tuple[Platt, Platt] | None:
    """Return the line of each logit, that of non-rumor first; None where one would turn the order of posts round.

    The newest tenth of a corpus can hold many more rumors than the rest. Lines fitted on it would carry its share of
    rumors into every probability; so the intercepts are moved by Bayes' rule (Saerens et al., 2002,
    https://doi.org/10.1162/089976602753284446, Eq. 2.4) to the share among all posts that the run may see.
    Where labels are in equal shares, as in the `grouped` split, this moves next to nothing.

    Under `sigmoid` each logit has a line of its own. Under `softmax` only the difference of the logits counts: both
    take its slope, and half of its intercept each.

    Args:
        labels: 0 or 1, of validation posts. *Shape:* `(num_posts,)`.
        logits: *Shape:* `(num_posts, 2)`.
        activation: How the logits become probabilities.
        share_of_rumors: For which the probabilities shall be right, in (0, 1).
    """
    if activation == "softmax":
        line = _fit_line(labels, logits[:, 1] - logits[:, 0], share_of_rumors)
        return (Platt(line.slope, -line.intercept / 2), Platt(line.slope, line.intercept / 2)) if line else None
    non_rumor = _fit_line(1 - labels, logits[:, 0], 1 - share_of_rumors)
    rumor = _fit_line(labels, logits[:, 1], share_of_rumors)
    return (non_rumor, rumor) if non_rumor and rumor else None


def _fit_line(labels: NDArray[np.int64], logits: NDArray[np.float64], share: float) -> Platt | None:
    """Return the line of Platt, moved to a `share` of label 1 as far as labels, not the prior, speak for another."""
    line = fit_platt(labels, logits)
    carried = (len(labels) * _soften(labels).mean() + PRIOR_POSTS * share) / (len(labels) + PRIOR_POSTS)
    shift = _log_odds(share) - _log_odds(float(carried))
    return Platt(line.slope, line.intercept + shift) if line else None


def _log_odds(share: float) -> float:
    return math.log(share / (1 - share))


def expected_calibration_error(labels: NDArray[np.int64], probabilities: NDArray[np.float64], bins: int = 15) -> float:
    """Return the expected calibration error of the probability of rumor, from 0 (calibrated) to 1.

    Naeini et al., 2015, https://doi.org/10.1609/aaai.v29i1.9602, with bins of equal mass (Nixon et al., 2019,
    https://arxiv.org/abs/1904.01685): posts are sorted by probability and cut into `bins` runs of equal length; the
    result is the mean distance between a run's mean probability and its share of rumors, weighted by its length.

    Args:
        labels: 0 or 1. *Shape:* `(num_posts,)`.
        probabilities: Probability of rumor, in [0, 1]. *Shape:* `(num_posts,)`.
        bins: Number of runs, at least 1.
    """
    order = np.argsort(probabilities)
    gaps = average_ties(probabilities[order], (probabilities - labels)[order])
    runs = np.array_split(gaps, min(bins, len(gaps)))
    return float(sum(abs(run.sum()) for run in runs) / len(gaps))


def calibration_error_by_chance(probabilities: NDArray[np.float64], seed: int = 0) -> float:
    """Return the mean `expected_calibration_error` of labels drawn by the probabilities themselves.

    A model that is calibrated perfectly has this error, not 0: the fewer posts, the more.

    Args:
        probabilities: Probability of rumor, in [0, 1]. *Shape:* `(num_posts,)`, not empty.
        seed: Equal seeds give equal errors.
    """
    random = np.random.default_rng(seed)
    num_draws = min(200, max(10, 2_000_000 // len(probabilities)))
    draws = [random.random(len(probabilities)) < probabilities for _ in range(num_draws)]
    return float(np.mean([expected_calibration_error(drawn.astype(np.int64), probabilities) for drawn in draws]))
