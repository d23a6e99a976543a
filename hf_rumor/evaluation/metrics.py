"""Labels and probabilities of rumor -> the metrics of the report, by scikit-learn."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)

from hf_rumor.evaluation.calibration import expected_calibration_error


# Metric -> what it says, in the words of the report; in the order of the report.
METRICS = {
    "accuracy": "share of posts that were told right",
    "macro_f1": "mean of the F1 of both labels",
    "rumor_precision": "of the posts called rumor, the share that are",
    "rumor_recall": "of the rumors, the share that were found",
    "rumor_f1": "harmonic mean of the two",
    "non_rumor_precision": "the same for non-rumors",
    "non_rumor_recall": "the same for non-rumors",
    "non_rumor_f1": "the same for non-rumors",
    "roc_auc": "chance that a rumor ranks above a non-rumor",
    "pr_auc": "average precision over all thresholds",
    "ece": "expected calibration error, 15 bins of equal mass; lower is better; chance adds to it and its interval",
    "brier": "mean squared error of the probability; lower is better",
    "log_loss": "mean negative log-likelihood, in nats; lower is better",
}


def compute_metrics(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> dict[str, float]:
    """Return each of `METRICS`. The two areas are NaN where only one label occurs.

    Args:
        labels: 0 (non-rumor) or 1 (rumor). *Shape:* `(num_posts,)`, not empty.
        predicted: 0 or 1. *Shape:* `(num_posts,)`.
        probabilities: Probability of rumor, in [0, 1]. *Shape:* `(num_posts,)`.
    """
    precision, recall, f1, _ = precision_recall_fscore_support(labels, predicted, labels=[0, 1], zero_division=0.0)
    both = 0 < labels.sum() < len(labels)
    values = {
        "accuracy": accuracy_score(labels, predicted),
        "macro_f1": f1.mean(),
        "rumor_precision": precision[1],
        "rumor_recall": recall[1],
        "rumor_f1": f1[1],
        "non_rumor_precision": precision[0],
        "non_rumor_recall": recall[0],
        "non_rumor_f1": f1[0],
        "roc_auc": roc_auc_score(labels, probabilities) if both else np.nan,
        "pr_auc": average_precision_score(labels, probabilities) if both else np.nan,
        "ece": expected_calibration_error(labels, probabilities),
        "brier": brier_score_loss(labels, probabilities, pos_label=1),
        "log_loss": log_loss(labels, probabilities, labels=[0, 1]),
    }
    return {name: float(value) for name, value in values.items()}


def confusion(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> list[list[int]]:
    """Return counts of posts, `[label][predicted]`: `[[right non-rumors, false alarms], [missed, right rumors]]`."""
    return np.bincount(2 * labels + predicted, minlength=4).reshape(2, 2).tolist()
