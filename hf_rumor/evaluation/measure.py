"""Probabilities of one part of a split -> its entry in the report, and its predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_rumor.corpus.post import LABEL_NAMES
from hf_rumor.evaluation.intervals import bootstrap_intervals
from hf_rumor.evaluation.metrics import compute_metrics, confusion, decide


NUM_RESAMPLES = 1000


@dataclass(frozen=True)
class Scored:
    """The posts of one part with what the model says of them; arrays of *shape* `(num_posts,)`.

    Attributes:
        ids: Ids of the posts.
        labels: 0 (non-rumor) or 1 (rumor).
        probabilities: Probability of rumor, in [0, 1].
        loss: Mean loss over the posts.
    """

    ids: Sequence[str]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    loss: float


@dataclass(frozen=True)
class Prediction:
    """One post with its label and what the model says."""

    id: str
    label: str
    predicted: str
    rumor_probability: float


def measure(scored: Scored, threshold: float) -> dict[str, Any]:
    """Return counts, loss and every metric of a part."""
    predicted = decide(scored.probabilities, threshold)
    return {
        "num_posts": len(scored.labels),
        "threshold": threshold,
        "loss": scored.loss,
        **compute_metrics(scored.labels, predicted, scored.probabilities),
        "confusion": confusion(scored.labels, predicted),
    }


def measure_with_intervals(scored: Scored, threshold: float, groups: NDArray[np.int64]) -> dict[str, Any]:
    """Return `measure`, and the 95 % interval of each metric; posts of one near-duplicate group are drawn together."""
    predicted = decide(scored.probabilities, threshold)
    intervals = bootstrap_intervals(
        scored.labels, predicted, scored.probabilities, groups, num_resamples=NUM_RESAMPLES
    )
    return {**measure(scored, threshold), "intervals": intervals}


def predictions(scored: Scored, threshold: float) -> list[Prediction]:
    """Return one prediction for each post, in order."""
    predicted = decide(scored.probabilities, threshold)
    return [
        Prediction(post_id, LABEL_NAMES[label], LABEL_NAMES[decision], probability)
        for post_id, label, decision, probability in zip(
            scored.ids, scored.labels.tolist(), predicted.tolist(), scored.probabilities.tolist(), strict=True
        )
    ]
