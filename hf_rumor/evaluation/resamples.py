"""The metrics of many resamples at once, where a resample says how often it holds each post.

`compute_metrics` asks scikit-learn: for a thousand resamples of a small test part that takes forty times as long.
"""

import numpy as np
from numpy.typing import NDArray

from hf_rumor.evaluation.calibration import expected_calibration_error


# The cells of the confusion matrix, row by row.
COUNTS = ("right_non_rumors", "false_alarms", "missed_rumors", "right_rumors")


def metrics_of_resamples(
    labels: NDArray[np.int64],
    predicted: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    times: NDArray[np.int64],
) -> dict[str, NDArray[np.float64]]:
    """Return each of `METRICS` and of `COUNTS` for each resample: what `compute_metrics` says of its posts.

    Args:
        labels: 0 or 1. *Shape:* `(num_posts,)`, not empty.
        predicted: 0 or 1. *Shape:* `(num_posts,)`.
        probabilities: Probability of rumor, in [0, 1]. *Shape:* `(num_posts,)`.
        times: How often a resample holds a post, each at least one. *Shape:* `(num_resamples, num_posts)`.

    Returns:
        *Shape:* `(num_resamples,)` each. The two areas are NaN where only one label occurs.
    """
    weights = times.astype(np.float64)  # whole numbers stay exact, and their products are fast
    counts = weights @ np.eye(len(COUNTS))[2 * labels + predicted]
    told = np.where(labels == 1, probabilities, 1 - probabilities)
    nats = -np.log(np.clip(told, np.finfo(np.float64).eps, None))
    num_posts = weights.sum(axis=1)
    return {
        **scores_of_counts(counts),
        **_areas(labels, probabilities, weights),
        "ece": _calibration_errors(labels, probabilities, times),
        "brier": weights @ (probabilities - labels) ** 2 / num_posts,
        "log_loss": weights @ nats / num_posts,
        **dict(zip(COUNTS, counts.T, strict=True)),
    }


def scores_of_counts(counts: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return the metrics that ask only which posts are called what; a share of no post is 0.

    Args:
        counts: `COUNTS` of each confusion matrix. *Shape:* `(num_matrices, 4)`.

    Returns:
        *Shape:* `(num_matrices,)` each.
    """
    right_non_rumors, false_alarms, missed_rumors, right_rumors = counts.T
    wrong = false_alarms + missed_rumors
    rumor_f1, non_rumor_f1 = (_share(2 * right, 2 * right + wrong) for right in (right_rumors, right_non_rumors))
    return {
        "accuracy": _share(right_non_rumors + right_rumors, counts.sum(axis=1)),
        "macro_f1": (rumor_f1 + non_rumor_f1) / 2,
        "rumor_precision": _share(right_rumors, right_rumors + false_alarms),
        "rumor_recall": _share(right_rumors, right_rumors + missed_rumors),
        "rumor_f1": rumor_f1,
        "non_rumor_precision": _share(right_non_rumors, right_non_rumors + missed_rumors),
        "non_rumor_recall": _share(right_non_rumors, right_non_rumors + false_alarms),
        "non_rumor_f1": non_rumor_f1,
    }


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return part / np.maximum(whole, 1)  # of whole numbers: where there is none, of which there are none, 0


def _areas(
    labels: NDArray[np.int64], probabilities: NDArray[np.float64], weights: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return the area under ROC and average precision; posts of one probability pass a threshold together."""
    order = np.argsort(-probabilities)
    _, starts = np.unique(-probabilities[order], return_index=True)
    rumors, non_rumors = (
        np.add.reduceat((weights * (labels == label))[:, order], starts, axis=1) for label in (1, 0)
    )  # at each threshold, the highest first
    found, alarms = rumors.cumsum(axis=1), non_rumors.cumsum(axis=1)
    above = found - rumors / 2  # half of a tie
    num_rumors, num_non_rumors = found[:, -1], alarms[:, -1]
    one_label = (num_rumors == 0) | (num_non_rumors == 0)
    roc_auc = (non_rumors * above).sum(axis=1) / np.maximum(num_rumors * num_non_rumors, 1)
    pr_auc = (rumors * _share(found, found + alarms)).sum(axis=1) / np.maximum(num_rumors, 1)
    return {"roc_auc": np.where(one_label, np.nan, roc_auc), "pr_auc": np.where(one_label, np.nan, pr_auc)}


def _calibration_errors(
    labels: NDArray[np.int64], probabilities: NDArray[np.float64], times: NDArray[np.int64]
) -> NDArray[np.float64]:
    drawn = (np.repeat(np.arange(len(labels)), row) for row in times)
    return np.array([expected_calibration_error(labels[posts], probabilities[posts]) for posts in drawn])
