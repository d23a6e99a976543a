"""The metrics of the report. Each has one implementation, which takes a matrix of weights: one row per resample."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray


Labels = NDArray[np.int64]  # (num_posts,), 0 (non-rumor) or 1 (rumor)
Floats = NDArray[np.float64]  # probabilities of rumor: (num_posts,), in [0, 1]
Confusion = tuple[tuple[int, int], tuple[int, int]]  # counts of posts, [actual][predicted]

CELLS = ("true_negatives", "false_positives", "false_negatives", "true_positives")  # of `Confusion`, row by row
ECE_BINS = 15


def _about(meaning: str, labels: Sequence[int] = (), *, lower_is_better: bool = False) -> dict[str, Any]:
    return {"meaning": meaning, "labels": labels, "lower_is_better": lower_is_better}


@dataclass(frozen=True)
class Metrics:
    """The metrics of some posts; NaN if the posts lack a label that the metric needs (`labels` in the metadata).

    `docs/howto/metric.md` shows how to add one.
    """

    accuracy: float = field(metadata=_about("share of posts classified correctly"))
    macro_f1: float = field(metadata=_about("mean of the F1 scores of both labels", labels=(0, 1)))
    rumor_precision: float = field(metadata=_about("precision for the rumor class", labels=(1,)))
    rumor_recall: float = field(metadata=_about("recall for the rumor class", labels=(1,)))
    rumor_f1: float = field(metadata=_about("F1 score for the rumor class", labels=(1,)))
    non_rumor_precision: float = field(metadata=_about("precision for the non-rumor class", labels=(0,)))
    non_rumor_recall: float = field(metadata=_about("recall for the non-rumor class", labels=(0,)))
    non_rumor_f1: float = field(metadata=_about("F1 score for the non-rumor class", labels=(0,)))
    roc_auc: float = field(
        metadata=_about("probability that a random rumor ranks above a random non-rumor", labels=(0, 1))
    )
    pr_auc: float = field(metadata=_about("average precision over all thresholds", labels=(0, 1)))
    ece: float = field(
        metadata=_about(f"expected calibration error, {ECE_BINS} bins of equal mass", lower_is_better=True)
    )
    brier: float = field(metadata=_about("mean squared error of the probability", lower_is_better=True))
    log_loss: float = field(metadata=_about("mean negative log-likelihood, in nats", lower_is_better=True))


METRICS: dict[str, str] = {entry.name: entry.metadata["meaning"] for entry in fields(Metrics)}
LOWER_IS_BETTER = tuple(entry.name for entry in fields(Metrics) if entry.metadata["lower_is_better"])


@dataclass(frozen=True)
class Scored:
    """Posts with their labels and the probabilities of a model."""

    ids: Sequence[str]
    labels: Labels
    probabilities: Floats
    loss: float  # mean over the posts; NaN if it was not computed

    def select(self, is_kept: NDArray[np.bool_]) -> "Scored":
        """Return some of the posts; their mean loss is not known."""
        return Scored(list(compress(self.ids, is_kept)), self.labels[is_kept], self.probabilities[is_kept], np.nan)


def compute_metrics(labels: Labels, predicted: Labels, probabilities: Floats) -> Metrics:
    """Return the metrics of at least one post."""
    values = weighted_metrics(labels, predicted, probabilities, np.ones((1, len(labels))))
    present = set(labels.tolist())
    return Metrics(
        **{
            entry.name: float(values[entry.name][0]) if present.issuperset(entry.metadata["labels"]) else np.nan
            for entry in fields(Metrics)
        }
    )


def weighted_metrics(
    labels: Labels, predicted: Labels, probabilities: Floats, weights: Floats
) -> dict[str, NDArray[np.float64]]:
    """Return each of `METRICS` and of `CELLS` for each row of weights. *Shape:* `(num_resamples,)` each.

    A ratio with denominator 0 is 0. The two areas are NaN if a resample has only one label.

    Args:
        labels: Not empty.
        predicted: At some threshold.
        probabilities: Of rumor.
        weights: How often a resample contains each post: whole numbers. *Shape:* `(num_resamples, num_posts)`.
    """
    cells = weights @ np.eye(len(CELLS))[2 * labels + predicted]
    num_posts = weights.sum(axis=1)
    likelihood = np.where(labels == 1, probabilities, 1 - probabilities)
    nats = -np.log(np.clip(likelihood, np.finfo(np.float64).eps, None))
    roc_auc, pr_auc = areas(labels, probabilities, weights)
    return {
        **scores_of_cells(cells),
        "roc_auc": roc_auc,
        "pr_auc": pr_auc,
        "ece": expected_calibration_errors(labels, probabilities, weights),
        "brier": weights @ (probabilities - labels) ** 2 / num_posts,
        "log_loss": weights @ nats / num_posts,
        **dict(zip(CELLS, cells.T, strict=True)),
    }


def scores_of_cells(cells: Floats) -> dict[str, NDArray[np.float64]]:
    """Return the metrics that depend on the confusion matrix alone. *Shape:* `(num_matrices,)` each.

    Args:
        cells: `CELLS` of each confusion matrix, whole numbers. *Shape:* `(num_matrices, 4)`.
    """
    true_negatives, false_positives, false_negatives, true_positives = cells.T
    wrong = false_negatives + false_positives
    rumor_f1, non_rumor_f1 = (_ratio(2 * right, 2 * right + wrong) for right in (true_positives, true_negatives))
    return {
        "accuracy": _ratio(true_negatives + true_positives, cells.sum(axis=1)),
        "macro_f1": (rumor_f1 + non_rumor_f1) / 2,
        "rumor_precision": _ratio(true_positives, true_positives + false_positives),
        "rumor_recall": _ratio(true_positives, true_positives + false_negatives),
        "rumor_f1": rumor_f1,
        "non_rumor_precision": _ratio(true_negatives, true_negatives + false_negatives),
        "non_rumor_recall": _ratio(true_negatives, true_negatives + false_positives),
        "non_rumor_f1": non_rumor_f1,
    }


def _ratio(part: Floats, whole: Floats) -> NDArray[np.float64]:
    return part / np.maximum(whole, 1)  # both count posts: if `whole` is 0, so is `part`


def areas(labels: Labels, probabilities: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the area under ROC and the average precision; posts of equal probability pass a threshold together."""
    order = np.argsort(-probabilities)
    _, starts = np.unique(-probabilities[order], return_index=True)
    rumors, non_rumors = (
        np.add.reduceat((weights * (labels == label))[:, order], starts, axis=1) for label in (1, 0)
    )  # at each threshold, the highest first
    true_positives, false_positives = rumors.cumsum(axis=1), non_rumors.cumsum(axis=1)
    above = true_positives - rumors / 2  # a tie counts half
    num_rumors, num_non_rumors = true_positives[:, -1], false_positives[:, -1]
    one_label = (num_rumors == 0) | (num_non_rumors == 0)
    roc_auc = (non_rumors * above).sum(axis=1) / np.maximum(num_rumors * num_non_rumors, 1)
    precision = _ratio(true_positives, true_positives + false_positives)
    pr_auc = (rumors * precision).sum(axis=1) / np.maximum(num_rumors, 1)
    return np.where(one_label, np.nan, roc_auc), np.where(one_label, np.nan, pr_auc)


def expected_calibration_errors(labels: Labels, probabilities: Floats, weights: Floats) -> NDArray[np.float64]:
    """Return the expected calibration error of each row of weights, from 0 (calibrated) to 1.

    Naeini et al., 2015, https://doi.org/10.1609/aaai.v29i1.9602, with bins of equal mass (Nixon et al., 2019,
    https://arxiv.org/abs/1904.01685): posts are sorted by probability and cut into `ECE_BINS` runs of equal length.
    The result is the mean distance between the mean probability of a run and its share of rumors, weighted by length.
    Posts of equal probability have no order: each has the mean of their distances.
    """
    order = np.argsort(probabilities)
    _, starts = np.unique(probabilities[order], return_index=True)
    masses, gaps = (
        np.add.reduceat(values[:, order], starts, axis=1).cumsum(axis=1)
        for values in (weights, weights * (probabilities - labels))
    )  # up to and including each distinct probability
    errors = np.empty(len(weights))
    for number, (mass, gap) in enumerate(zip(masses, gaps, strict=True)):
        runs = int(min(ECE_BINS, mass[-1]))
        length, rest = divmod(int(mass[-1]), runs)
        edges = np.arange(runs + 1) * length + np.minimum(np.arange(runs + 1), rest)  # the first runs are one longer
        at_edges = np.interp(edges, np.append(0, mass), np.append(0, gap))
        errors[number] = abs(np.diff(at_edges)).sum() / mass[-1]
    return errors


def confusion(labels: Labels, predicted: Labels) -> Confusion:
    """Return counts of posts, `[actual][predicted]`: `((TN, FP), (FN, TP))`, where rumor is positive."""
    counts = np.bincount(2 * labels + predicted, minlength=len(CELLS)).tolist()
    return (counts[0], counts[1]), (counts[2], counts[3])
