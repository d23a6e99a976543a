"""The two labels, and how logits become a probability of rumor and a decision."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray


LABEL_NAMES = ("non-rumor", "rumor")  # position = label id

Activation = Literal["sigmoid", "softmax"]

# The text-classification pipeline of transformers chooses its activation by `config.problem_type`.
PROBLEM_TYPES = {"sigmoid": "multi_label_classification", "softmax": "single_label_classification"}


def rumor_probabilities(logits: ArrayLike, activation: Activation) -> NDArray[np.float64]:
    """Return the probability of rumor: the sigmoid of the rumor logit, or its share of the softmax.

    Args:
        logits: *Shape:* `(num_posts, 2)`, column 1 is rumor.
        activation: A key of `PROBLEM_TYPES`; saved with the model, so that the pipeline of transformers agrees.
    """
    wide = np.asarray(logits, dtype=np.float64)
    # The softmax over two logits is the sigmoid of their difference.
    return sigmoid(wide[:, 1] if activation == "sigmoid" else wide[:, 1] - wide[:, 0])


def sigmoid(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities that have these log-odds."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -log_odds)))


def log_odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log-odds of probabilities; 0 and 1 are moved by 1e-12, so that the log-odds are finite."""
    inside = np.clip(probabilities, 1e-12, 1 - 1e-12)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def decide(probabilities: NDArray[np.float64], threshold: float) -> NDArray[np.int64]:
    """Return 1 (rumor) where the probability of rumor is at least `threshold`, else 0."""
    return (probabilities >= threshold).astype(np.int64)
