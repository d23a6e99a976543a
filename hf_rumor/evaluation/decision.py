"""The decision threshold and abstention, and the scores that they give."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_rumor.errors import ArgumentError
from hf_rumor.evaluation.metrics import Floats, Labels, Scored
from hf_rumor.labels import LABEL_NAMES, decide


UNCERTAIN = "uncertain"


@dataclass(frozen=True)
class Rule:
    """A rule for choosing the threshold, from `--decision`."""

    name: str  # fixed, max_f1, precision, recall, cost or flag
    values: tuple[float, ...]  # threshold; none; value to reach; cost of a missed rumor, of a false alarm; posts


@dataclass(frozen=True)
class Threshold:
    """A threshold that was chosen; a post is predicted to be a rumor if its probability is at least `value`."""

    value: float
    reached: bool = True  # whether validation posts allow what the rule requires; if not, `value` comes closest


@dataclass(frozen=True)
class OperatingPoint:
    """Precision and recall for the rumor class at a threshold, and the share of posts flagged as rumors."""

    precision: float
    recall: float
    share_flagged: float


@dataclass(frozen=True)
class Coverage:
    """Accuracy among the most confident posts against the share of posts that they are, `coverage`."""

    coverage: tuple[float, ...]
    accuracy: tuple[float, ...]


@dataclass(frozen=True)
class Certain:
    """The test posts whose confidence is at least `abstain_below`; without such posts the accuracy is NaN."""

    num_posts: int
    accuracy: float


@dataclass(frozen=True)
class Abstention:
    """How the confidence below which a post is uncertain was chosen."""

    rule: str  # of `--abstain`
    bound: float  # share of posts that may get a wrong decision
    reached: bool  # whether the validation posts are enough; if not, the model does not abstain


@dataclass(frozen=True)
class Decision:
    """The threshold of a model, how it was chosen, and the scores at it."""

    rule: str
    threshold: float
    reached_on_validation: bool
    validation: OperatingPoint
    test: OperatingPoint
    coverage: Coverage  # on test posts
    abstain_below: float | None  # confidence below which a post is uncertain
    certain: Certain | None
    abstention: Abstention | None = None  # None without `--abstain`


def parse_decision(text: str) -> Rule:
    """Return the rule in the value of `--decision`.

    Raises:
        ArgumentError: It is not a rule.
    """
    words = "".join(text.split())
    number = r"(\d+\.?\d*|\.\d+)"
    if words == "max_f1":
        return Rule("max_f1", ())
    if match := re.fullmatch(rf"(precision|recall)>={number}", words):
        if 0 < float(match[2]) <= 1:
            return Rule(match[1], (float(match[2]),))
    elif match := re.fullmatch(rf"cost={number}:{number}", words):
        if float(match[1]) > 0 and float(match[2]) > 0:
            return Rule("cost", (float(match[1]), float(match[2])))
    elif match := re.fullmatch(r"flag=([1-9]\d*)", words):
        return Rule("flag", (float(match[1]),))
    elif (match := re.fullmatch(number, words)) and 0 < float(words) < 1:
        return Rule("fixed", (float(words),))
    raise ArgumentError(
        f"--decision {text}: not a threshold or a rule. Use a number in (0, 1), max_f1, precision>=0.9, recall>=0.9, "
        "cost=5:1 (missed rumor : false alarm) or flag=30 (at most 30 posts)."
    )


def choose_threshold(rule: Rule, labels: Labels, probabilities: Floats) -> Threshold:
    """Return the threshold that a rule gives on labeled posts, in training the validation posts.

    Thresholds lie in the middle between neighboring probabilities. `precision` chooses the one with the best recall
    among those that reach the precision, `recall` the one with the best precision, `cost` the one with the lowest
    `FN · missed rumors + FP · false alarms`, `flag` the lowest one at which at most so many
    posts are flagged. Of several equally good ones the nearest to 0.5 is chosen.
    """
    if rule.name == "fixed":
        return Threshold(rule.values[0])
    thresholds = _candidates(probabilities)
    flagged = _num_at_least(thresholds, probabilities)  # posts predicted to be rumors, at each threshold
    right = _num_at_least(thresholds, probabilities[labels == 1])
    precision = right / np.maximum(flagged, 1)
    recall = right / max(int(labels.sum()), 1)
    f1 = 2 * right / np.maximum(flagged + labels.sum(), 1)
    missed, false_alarms = labels.sum() - right, flagged - right
    if rule.name == "max_f1":
        return Threshold(_nearest_best(thresholds, f1))
    if rule.name == "cost":
        return Threshold(_nearest_best(thresholds, -(rule.values[0] * missed + rule.values[1] * false_alarms)))
    if rule.name == "flag":
        enough = flagged <= rule.values[0]
        return Threshold(_nearest_best(thresholds, np.where(enough, flagged, -flagged)), reached=bool(enough.any()))
    aim, other = (precision, recall) if rule.name == "precision" else (recall, precision)
    enough = aim >= rule.values[0]
    if not enough.any():
        return Threshold(_nearest_best(thresholds, aim), reached=False)
    return Threshold(_nearest_best(thresholds[enough], other[enough]))


def _num_at_least(thresholds: Floats, probabilities: Floats) -> NDArray[np.int64]:
    """Return how many of the probabilities are at least each threshold. *Shape:* `(num_thresholds,)`."""
    return len(probabilities) - np.searchsorted(np.sort(probabilities), thresholds)


def _candidates(probabilities: Floats) -> Floats:
    distinct = np.unique(probabilities)
    edges: Floats = np.concatenate([[0.0], distinct, [1.0]])
    middles: Floats = np.unique((edges[1:] + edges[:-1]) / 2)
    return middles[(middles > 0) & (middles < 1)]


def _nearest_best(thresholds: Floats, goodness: NDArray[np.float64]) -> float:
    best = thresholds[goodness >= goodness.max() - 1e-12]
    return float(best[np.argmin(abs(best - 0.5))])


def confidence(probabilities: Floats, threshold: float) -> Floats:
    """Return the probability of the predicted label of each post. *Shape:* `(num_posts,)`."""
    return np.where(probabilities >= threshold, probabilities, 1 - probabilities)


def name_decisions(probabilities: Floats, threshold: float, abstain_below: float | None = None) -> list[str]:
    """Return the prediction for each post: its label, or `uncertain` if the confidence is below `abstain_below`."""
    labels = decide(probabilities, threshold).tolist()
    is_sure = (confidence(probabilities, threshold) >= (abstain_below or 0.0)).tolist()
    return [LABEL_NAMES[label] if sure else UNCERTAIN for label, sure in zip(labels, is_sure, strict=True)]


def operating_point(labels: Labels, probabilities: Floats, threshold: float) -> OperatingPoint:
    """Return precision, recall and share of posts flagged at a threshold."""
    flagged = probabilities >= threshold
    right = int((flagged & (labels == 1)).sum())
    return OperatingPoint(
        precision=right / max(int(flagged.sum()), 1),
        recall=right / max(int(labels.sum()), 1),
        share_flagged=float(flagged.mean()),
    )


def average_ties(keys: Floats, values: NDArray[Any]) -> NDArray[np.float64]:
    """Return the values, each replaced by the mean over equal keys, which are sorted: ties have no order."""
    _, tie, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    means: NDArray[np.float64] = (np.bincount(tie, values) / sizes)[tie]
    return means


def coverage_curve(labels: Labels, probabilities: Floats, threshold: float) -> Coverage:
    """Return accuracy against coverage (El-Yaniv & Wiener, 2010, https://www.jmlr.org/papers/v11/el-yaniv10a.html)."""
    sure = confidence(probabilities, threshold)
    order = np.argsort(-sure, kind="stable")
    right = average_ties(sure[order], ((probabilities >= threshold) == (labels == 1))[order])
    coverage = np.arange(1, len(labels) + 1) / len(labels)
    accuracy = np.cumsum(right) / np.arange(1, len(labels) + 1)
    shown = np.unique(np.linspace(0, len(labels) - 1, min(len(labels), 101)).astype(int))
    return Coverage(tuple(coverage[shown].tolist()), tuple(accuracy[shown].tolist()))


def measure_decision(
    rule: str, threshold: Threshold, abstain_below: float | None, test: Scored, validation: OperatingPoint
) -> Decision:
    """Return the part `decision` of the report; `validation` has the scores of the threshold on validation posts."""
    certain = None
    if abstain_below is not None:
        sure = confidence(test.probabilities, threshold.value) >= abstain_below
        right = decide(test.probabilities, threshold.value) == test.labels
        certain = Certain(int(sure.sum()), float(right[sure].mean()) if sure.any() else float("nan"))
    return Decision(
        rule=rule,
        threshold=threshold.value,
        reached_on_validation=threshold.reached,
        validation=validation,
        test=operating_point(test.labels, test.probabilities, threshold.value),
        coverage=coverage_curve(test.labels, test.probabilities, threshold.value),
        abstain_below=abstain_below,
        certain=certain,
    )
