"""Platt scaling, and how well probabilities are calibrated before and after it."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hf_rumor.evaluation.metrics import Floats, Labels, Scored, compute_metrics, expected_calibration_errors
from hf_rumor.labels import decide


PRIOR_POSTS = 20  # weight of the prior that leaves the logits unchanged; see docs/log/calibration.md#few-posts


@dataclass(frozen=True)
class Platt:
    """The line that calibrates a logit: `probability = sigmoid(slope · logit + intercept)`."""

    slope: float  # above 0: the ranking of the posts does not change
    intercept: float  # in nats


@dataclass(frozen=True)
class CalibrationScores:
    """How well probabilities are calibrated; `ece_by_chance` is the ECE of a perfectly calibrated model."""

    ece: float
    ece_by_chance: float
    brier: float
    log_loss: float
    roc_auc: float


@dataclass(frozen=True)
class Calibration:
    """How the probabilities were calibrated, and the scores on test posts."""

    method: str  # platt or none
    prior_posts: int
    lines: dict[str, Platt] | None  # label -> the line of its logit; None without calibration
    before: CalibrationScores | None  # None if the model was calibrated earlier
    after: CalibrationScores


def fit_platt(labels: Labels, logits: Floats) -> Platt | None:
    """Return the line under which the logits predict the labels best; None if it would invert the ranking.

    Platt, 1999, "Probabilistic outputs for support vector machines", Sec. 2.2: a logistic regression on the logit,
    with targets `(n + 1) / (n + 2)` and `1 / (m + 2)` for `n` posts of label 1 and `m` of label 0, so that a perfect
    separation does not send the slope to infinity. A dozen posts are too few to trust. So the probabilities before
    calibration are targets too, with the weight of `PRIOR_POSTS` posts (a conjugate prior: Chen and Ibrahim, 2003,
    "Conjugate priors for generalized linear models", Statistica Sinica 13).

    Args:
        labels: Of posts used neither for training nor for testing.
        logits: Of label 1. *Shape:* `(num_posts,)`.
    """
    from scipy.special import expit  # here: `describe` reads reports without it
    from sklearn.linear_model import LogisticRegression

    softened = _soften(labels)
    if (softened - softened.mean()) @ logits <= 0:  # the slope by the labels alone has the sign of this covariance
        return None
    target = (len(labels) * softened + PRIOR_POSTS * expit(logits)) / (len(labels) + PRIOR_POSTS)
    # A post with a target between 0 and 1 enters twice, once with each label, with weights.
    spread = max(float(logits.std()), 1e-6)  # the solver needs numbers of order 1
    model = LogisticRegression(C=np.inf, max_iter=1000, tol=1e-10)
    model.fit(
        np.tile(logits / spread, 2)[:, None],
        np.repeat([1, 0], len(labels)),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    return Platt(float(model.coef_[0, 0]) / spread, float(model.intercept_[0]))


def _soften(labels: Labels) -> NDArray[np.float64]:
    positive = int(labels.sum())
    return np.where(labels == 1, (positive + 1) / (positive + 2), 1 / (len(labels) - positive + 2))


def fit_lines(
    labels: Labels, logits: Floats, activation: Literal["sigmoid", "softmax"], share_of_rumors: float
) -> tuple[Platt, Platt] | None:
    """Return the line of each logit, non-rumor first; None if one would invert the ranking of the posts.

    The newest tenth of a corpus can contain many more rumors than the rest. Lines fitted on it would carry its share
    of rumors into every probability. So the intercepts are moved by Bayes' rule (Saerens et al., 2002,
    https://doi.org/10.1162/089976602753284446, Eq. 2.4) to the share among training and validation posts. With
    equal shares, as in the `grouped` split, this changes almost nothing.

    Under `sigmoid` each logit has a line of its own. Under `softmax` only the difference of the logits counts: both
    take its slope, and half of its intercept each.

    Args:
        labels: Of validation posts.
        logits: *Shape:* `(num_posts, 2)`.
        activation: How the logits become probabilities.
        share_of_rumors: Share of rumors for which to calibrate, in (0, 1).
    """
    if activation == "softmax":
        line = _fit_line(labels, logits[:, 1] - logits[:, 0], share_of_rumors)
        return (Platt(line.slope, -line.intercept / 2), Platt(line.slope, line.intercept / 2)) if line else None
    non_rumor = _fit_line(1 - labels, logits[:, 0], 1 - share_of_rumors)
    rumor = _fit_line(labels, logits[:, 1], share_of_rumors)
    return (non_rumor, rumor) if non_rumor and rumor else None


def _fit_line(labels: Labels, logits: Floats, share: float) -> Platt | None:
    """Return the line of `fit_platt`, with its intercept moved to a `share` of label 1."""
    line = fit_platt(labels, logits)
    # The share that the line was fitted to: that of the labels, and `share` among the posts of the prior.
    fitted = float((len(labels) * _soften(labels).mean() + PRIOR_POSTS * share) / (len(labels) + PRIOR_POSTS))
    shift = math.log(share / (1 - share)) - math.log(fitted / (1 - fitted))
    return Platt(line.slope, line.intercept + shift) if line else None


def calibration_error_by_chance(probabilities: Floats) -> float:
    """Return the mean expected calibration error of labels drawn from the probabilities themselves.

    A perfectly calibrated model has this error, not 0; it is larger for fewer posts.
    """
    random = np.random.default_rng(0)
    num_draws = min(200, max(10, 2_000_000 // len(probabilities)))
    ones = np.ones((1, len(probabilities)))
    draws = [(random.random(len(probabilities)) < probabilities).astype(np.int64) for _ in range(num_draws)]
    return float(np.mean([expected_calibration_errors(labels, probabilities, ones) for labels in draws]))


def measure_calibration(scored: Scored) -> CalibrationScores:
    """Return how well the probabilities of posts are calibrated."""
    metrics = compute_metrics(scored.labels, decide(scored.probabilities, 0.5), scored.probabilities)
    return CalibrationScores(
        ece=metrics.ece,
        ece_by_chance=calibration_error_by_chance(scored.probabilities),
        brier=metrics.brier,
        log_loss=metrics.log_loss,
        roc_auc=metrics.roc_auc,
    )
