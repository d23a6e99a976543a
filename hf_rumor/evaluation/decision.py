"""From which probability on is a post called a rumor, and when is it better to say nothing?"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_rumor.errors import ArgumentError


EXPECTED = "expected a number in (0, 1), max_f1, precision>=P, recall>=R or cost=FN:FP"
UNCERTAIN = "uncertain"

Probabilities = NDArray[np.float64]  # (num_posts,), probability of rumor
Labels = NDArray[np.int64]  # (num_posts,), 0 or 1


@dataclass(frozen=True)
class Decision:
    """A rule for the threshold, as asked for with `--decision`.

    Attributes:
        rule: `fixed`, `max_f1`, `precision`, `recall` or `cost`.
        values: The numbers of the rule: the threshold; none; the share to reach; cost of a missed rumor and of a
            false alarm.
        text: As given.
    """

    rule: str
    values: tuple[float, ...]
    text: str


@dataclass(frozen=True)
class Threshold:
    """A threshold that was chosen.

    Attributes:
        value: A post is called a rumor from this probability on.
        reached: Whether validation posts allow what was asked for; if not, `value` comes closest.
    """

    value: float
    reached: bool = True


def parse_decision(text: str) -> Decision:
    """Return the rule that `--decision` names.

    Raises:
        ArgumentError: It names none.
    """
    words = "".join(text.split())
    number = r"(\d+\.?\d*|\.\d+)"
    if words == "max_f1":
        return Decision("max_f1", (), text)
    if found := re.fullmatch(rf"(precision|recall)>={number}", words):
        if 0 < float(found[2]) <= 1:
            return Decision(found[1], (float(found[2]),), text)
    elif found := re.fullmatch(rf"cost={number}:{number}", words):
        if float(found[1]) > 0 and float(found[2]) > 0:
            return Decision("cost", (float(found[1]), float(found[2])), text)
    elif (found := re.fullmatch(number, words)) and 0 < float(words) < 1:
        return Decision("fixed", (float(words),), text)
    raise ArgumentError(f"--decision {text}: {EXPECTED}; for example precision>=0.9 or cost=5:1")


def choose_threshold(decision: Decision, labels: Labels, probabilities: Probabilities) -> Threshold:
    """Return the threshold that a rule gives on validation posts.

    Thresholds lie in the middle between neighbouring probabilities. `precision` takes the one with the best recall
    among those that reach the share, `recall` the one with the best precision, `cost` the one with the least
    `FN · missed rumors + FP · false alarms`; of several that are equally good the one nearest to 0.5 is taken.
    """
    if decision.rule == "fixed":
        return Threshold(decision.values[0])
    thresholds = _candidates(probabilities)
    called = _num_from(thresholds, probabilities)  # posts that are called a rumor, at each threshold
    right = _num_from(thresholds, probabilities[labels == 1])
    precision = right / np.maximum(called, 1)
    recall = right / max(int(labels.sum()), 1)
    f1 = 2 * right / np.maximum(called + labels.sum(), 1)
    missed, false_alarms = labels.sum() - right, called - right
    if decision.rule == "max_f1":
        return Threshold(_nearest_best(thresholds, f1))
    if decision.rule == "cost":
        return Threshold(_nearest_best(thresholds, -(decision.values[0] * missed + decision.values[1] * false_alarms)))
    aim, other = (precision, recall) if decision.rule == "precision" else (recall, precision)
    enough = aim >= decision.values[0]
    if not enough.any():
        return Threshold(_nearest_best(thresholds, aim), reached=False)
    return Threshold(_nearest_best(thresholds[enough], other[enough]))


def _num_from(thresholds: Probabilities, probabilities: Probabilities) -> NDArray[np.int64]:
    """Return how many of the probabilities are at least each threshold. *Shape:* `(num_thresholds,)`."""
    return len(probabilities) - np.searchsorted(np.sort(probabilities), thresholds)


def _candidates(probabilities: Probabilities) -> Probabilities:
    distinct = np.unique(probabilities)
    edges: Probabilities = np.concatenate([[0.0], distinct, [1.0]])
    middles: Probabilities = np.unique((edges[1:] + edges[:-1]) / 2)
    return middles[(middles > 0) & (middles < 1)]


def _nearest_best(thresholds: Probabilities, goodness: NDArray[np.float64]) -> float:
    best = thresholds[goodness >= goodness.max() - 1e-12]
    return float(best[np.argmin(abs(best - 0.5))])


def confidence(probabilities: Probabilities, threshold: float) -> Probabilities:
    """Return the probability of what each post is called: of rumor, or of non-rumor. *Shape:* `(num_posts,)`."""
    return np.where(probabilities >= threshold, probabilities, 1 - probabilities)


def name_decisions(
    probabilities: Probabilities, threshold: float, names: Sequence[str], abstain_below: float | None = None
) -> list[str]:
    """Return what each post is called: `names[0]`, `names[1]`, or `uncertain` where confidence is too small."""
    sure = confidence(probabilities, threshold) >= (abstain_below or 0.0)
    called = (probabilities >= threshold).tolist()
    return [names[rumor] if certain else UNCERTAIN for rumor, certain in zip(called, sure.tolist(), strict=True)]


def operating_point(labels: Labels, probabilities: Probabilities, threshold: float) -> dict[str, float]:
    """Return precision, recall and share of posts flagged at a threshold."""
    called = probabilities >= threshold
    right = int((called & (labels == 1)).sum())
    return {
        "precision": right / max(int(called.sum()), 1),
        "recall": right / max(int(labels.sum()), 1),
        "share_flagged": float(called.mean()),
    }


def average_ties(keys: NDArray[np.float64], values: NDArray[Any]) -> NDArray[np.float64]:
    """Return the mean of the values of equal keys at the place of each: there is no order among them.

    Args:
        keys: Sorted, in either direction. *Shape:* `(num_posts,)`.
        values: *Shape:* `(num_posts,)`.
    """
    _, tie, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    means: NDArray[np.float64] = (np.bincount(tie, values) / sizes)[tie]
    return means


def coverage_curve(labels: Labels, probabilities: Probabilities, threshold: float) -> dict[str, Any]:
    """Return accuracy among the most confident posts against the share of posts that they are.

    El-Yaniv & Wiener, 2010, https://www.jmlr.org/papers/v11/el-yaniv10a.html; `area` is the mean accuracy over all
    shares (1: every mistake is less confident than anything right).
    """
    sure = confidence(probabilities, threshold)
    order = np.argsort(-sure, kind="stable")
    right = average_ties(sure[order], ((probabilities >= threshold) == (labels == 1))[order])
    coverage = np.arange(1, len(labels) + 1) / len(labels)
    accuracy = np.cumsum(right) / np.arange(1, len(labels) + 1)
    shown = np.unique(np.linspace(0, len(labels) - 1, min(len(labels), 101)).astype(int))
    return {
        "coverage": coverage[shown].tolist(),
        "accuracy": accuracy[shown].tolist(),
        "confidence": np.sort(sure)[::-1][shown].tolist(),
        "area": float(accuracy.mean()),
    }
