"""Labels and probabilities -> the points of the curves that a report draws; kept in `report.json`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from hf_rumor.evaluation.decision import average_ties


MAX_POINTS = 200  # of a curve; more cannot be told apart on a screen
NUM_BINS = 15  # of equal mass, as in the expected calibration error
HISTOGRAM_BINS = 20  # of equal width


def measure_curves(
    labels: NDArray[np.int64], before: NDArray[np.float64], after: NDArray[np.float64]
) -> dict[str, Any]:
    """Return the points of every curve of a part.

    Args:
        labels: 0 or 1. *Shape:* `(num_posts,)`.
        before: Probability of rumor before calibration. *Shape:* `(num_posts,)`.
        after: The same after calibration. *Shape:* `(num_posts,)`.

    Returns:
        `roc` and `precision_recall`, empty where only one label occurs; `reliability` before and after; `histogram`.
    """
    both = 0 < labels.sum() < len(labels)
    roc: dict[str, list[float]] = {}
    precision_recall: dict[str, list[float]] = {}
    if both:
        false_positive_rate, true_positive_rate, _ = roc_curve(labels, after)
        roc = _thin(false_positive_rate=false_positive_rate, true_positive_rate=true_positive_rate)
        precision, recall, _ = precision_recall_curve(labels, after)
        precision_recall = _thin(recall=recall, precision=precision)
    edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
    return {
        "roc": roc,
        "precision_recall": precision_recall,
        "reliability": {"before": reliability(labels, before), "after": reliability(labels, after)},
        "histogram": {
            "edges": edges.tolist(),
            "non-rumor": np.histogram(after[labels == 0], edges)[0].tolist(),
            "rumor": np.histogram(after[labels == 1], edges)[0].tolist(),
        },
    }


def reliability(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> list[dict[str, float]]:
    """Return mean probability, share of rumors and number of posts of runs of equal length, least probable first."""
    order = np.argsort(probabilities, kind="stable")
    share = np.empty(len(labels))
    share[order] = average_ties(probabilities[order], labels[order])
    return [
        {
            "probability": float(probabilities[run].mean()),
            "share_of_rumors": float(share[run].mean()),
            "num_posts": len(run),
        }
        for run in np.array_split(order, min(NUM_BINS, len(order)))
    ]


def _thin(**columns: NDArray[np.float64]) -> dict[str, list[float]]:
    length = len(next(iter(columns.values())))
    kept = np.unique(np.linspace(0, length - 1, min(length, MAX_POINTS)).round().astype(int))
    return {name: column[kept].tolist() for name, column in columns.items()}


def confident_mistakes(
    ids: Sequence[str], labels: NDArray[np.int64], probabilities: NDArray[np.float64], threshold: float, most: int = 10
) -> list[dict[str, Any]]:
    """Return the posts that were told wrong with the most confidence, by id, the most confident first."""
    called = probabilities >= threshold
    confidence = np.where(called, probabilities, 1 - probabilities)
    wrong = np.flatnonzero(called != (labels == 1))
    chosen = wrong[np.argsort(-confidence[wrong], kind="stable")][:most]
    return [
        {"id": ids[position], "label": int(labels[position]), "rumor_probability": float(probabilities[position])}
        for position in chosen.tolist()
    ]
