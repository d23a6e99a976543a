"""The two labels, and the one rule that turns logits into a probability of rumor and a decision."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray


LABEL_NAMES = ("non-rumor", "rumor")  # position = label id, everywhere

Activation = Literal["sigmoid", "softmax"]

# How the text-classification pipeline of transformers reads `config.problem_type`.
PROBLEM_TYPES = {"sigmoid": "multi_label_classification", "softmax": "single_label_classification"}


def rumor_probabilities(logits: ArrayLike, activation: Activation) -> NDArray[np.float64]:
    """Return the probability of rumor: the sigmoid of the rumor logit, or its share of the softmax.

    Args:
        logits: *Shape:* `(num_posts, 2)`, column 1 is rumor.
        activation: As in `PROBLEM_TYPES`; saved with the model, so that the plain pipeline follows the same rule.
    """
    wide = np.asarray(logits, dtype=np.float64)
    # The softmax over two logits is the sigmoid of their difference.
    odds = wide[:, 1] if activation == "sigmoid" else wide[:, 1] - wide[:, 0]
    return np.asarray(np.exp(-np.logaddexp(0.0, -odds)))


def decide(probabilities: NDArray[np.float64], threshold: float) -> NDArray[np.int64]:
    """Return 1 (rumor) where the probability of rumor is at least `threshold`, else 0."""
    return (probabilities >= threshold).astype(np.int64)
