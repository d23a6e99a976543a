"""The one rule that makes a probability of rumor out of logits."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


# How the text-classification pipeline of transformers reads `config.problem_type`.
PROBLEM_TYPES = {"sigmoid": "multi_label_classification", "softmax": "single_label_classification"}


def rumor_probabilities(logits: Tensor, activation: Literal["sigmoid", "softmax"]) -> NDArray[np.float64]:
    """Return the probability of rumor: the sigmoid of the rumor logit, or its share of the softmax.

    Args:
        logits: *Shape:* `(num_posts, 2)`, column 1 is rumor.
        activation: As in `PROBLEM_TYPES`; saved with the model, so that the plain pipeline follows the same rule.
    """
    wide = logits.double()
    values = wide[:, 1].sigmoid() if activation == "sigmoid" else wide.softmax(dim=-1)[:, 1]
    probabilities: NDArray[np.float64] = values.cpu().numpy()
    return probabilities
