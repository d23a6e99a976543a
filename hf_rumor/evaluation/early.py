"""How well and how early posts are classified from their text and the reposts that are visible at a deadline."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hf_rumor.evaluation.decision import confidence
from hf_rumor.evaluation.intervals import Differences, Groups, Interval, paired_differences
from hf_rumor.evaluation.measure import measure
from hf_rumor.evaluation.metrics import Floats, Labels, Scored, compute_metrics
from hf_rumor.labels import decide


# Seconds after the post at which the model is asked for a call; a run uses those until its deadline.
MOMENTS = (0, 120, 300, 600, 1200, 2400, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
TARGET_ERROR = 0.05  # of the calls
CONFIDENCES = np.arange(100, 200) / 200  # from which the least sufficient one is chosen
METRICS = ("accuracy", "macro_f1", "roc_auc")

Moments = NDArray[np.int64]  # (num_posts,), positions among the moments


@dataclass(frozen=True)
class Scores:
    """The scores of some posts, with 95% intervals by the name of the metric."""

    accuracy: float
    macro_f1: float
    roc_auc: float
    intervals: dict[str, Interval]


@dataclass(frozen=True)
class AtDeadline:
    """The scores of the test posts at a deadline; None for what was not fitted."""

    deadline: str  # "0", or a name of `DEADLINES`
    share_with_reposts: float  # test posts with a visible repost that has words of its own
    model: Scores
    without_denials: Scores  # the same model, not shown the reposts that say that the post is false
    svm: Scores | None  # one SVM over the TF-IDF of the post and its reposts
    reposts_only: Scores | None  # an SVM over the TF-IDF of the reposts
    number_only: Scores | None  # a logistic regression of the number of reposts
    difference: Differences | None  # model minus `svm`


@dataclass(frozen=True)
class Calls:
    """Calls: a post is called, rumor or non-rumor, at the first moment at which the model is confident enough.

    Posts about which the model is never confident enough are called at the last moment, except for `share_called`,
    `error` and `median_minutes`.
    """

    target_error: float
    confidence: float  # chosen on validation posts, as the least that reaches the target
    reached: bool  # whether one does; if not, `confidence` is the highest
    share_called: float  # of the test posts
    error: float  # share of wrong calls
    median_minutes: float  # until the call, over all test posts; NaN if fewer than half are called
    num_moments: int
    early_rate: float
    instability: float
    accuracy: float  # of the calls of all posts
    sea: float


@dataclass(frozen=True)
class Curve:
    """The scores of the test posts over time, at each moment; the last one may be infinite, and is NaN then."""

    minutes: tuple[float, ...]
    accuracy: tuple[float, ...]
    roc_auc: tuple[float, ...]


@dataclass(frozen=True)
class EarlyDetection:
    """What the reposts add to the text, and how early."""

    deadline: str  # until which the model reads reposts
    num_visible: int  # reposts of the corpus with a known date, not before the post
    num_bare: int  # of these, without words of their own
    num_chains: int  # of these, that repeat the words of others
    deadlines: tuple[AtDeadline, ...]
    calls: Calls
    curve: Curve


def score_posts(labels: Labels, probabilities: Floats, groups: Groups, threshold: float = 0.5) -> Scores:
    """Return the scores of some posts."""
    measured = measure(Scored([], labels, probabilities, np.nan), threshold, groups)
    intervals = {name: measured.intervals[name] for name in METRICS}
    return Scores(measured.accuracy, measured.macro_f1, measured.roc_auc, intervals)


@dataclass(frozen=True)
class BaselineScores:
    """The scores of the test posts at a deadline, as probabilities: rumor if at least 0.5; None if not fitted."""

    svm: Floats | None = None  # over the post and its reposts
    reposts_only: Floats | None = None
    number_only: Floats | None = None


def compare_at(
    deadline: str,
    share_with_reposts: float,
    labels: Labels,
    probabilities: Floats,
    without_denials: Floats,
    baseline: BaselineScores,
    groups: Groups,
    threshold: float,
) -> AtDeadline:
    """Return the scores at a deadline from probabilities; see `AtDeadline`."""
    svm, reposts_only, number_only = (
        None if scores is None else score_posts(labels, scores, groups) for scores in vars(baseline).values()
    )
    difference = None
    if baseline.svm is not None:
        predicted, other = decide(probabilities, threshold), decide(baseline.svm, 0.5)
        difference = paired_differences(labels, predicted, other, groups)
    return AtDeadline(
        deadline=deadline,
        share_with_reposts=share_with_reposts,
        model=score_posts(labels, probabilities, groups, threshold),
        without_denials=score_posts(labels, without_denials, groups, threshold),
        svm=svm,
        reposts_only=reposts_only,
        number_only=number_only,
        difference=difference,
    )


def first_confident(confidences: Floats, least: float) -> tuple[Moments, NDArray[np.bool_]]:
    """Return the position of the first moment with at least this confidence, and whether there is one; else the last.

    Args:
        confidences: *Shape:* `(num_moments, num_posts)`.
        least: From 0.5 to 1.
    """
    enough = confidences >= least
    is_called: NDArray[np.bool_] = np.any(enough, axis=0)
    return np.where(is_called, enough.argmax(axis=0), len(confidences) - 1), is_called


def early_rate(called: Moments, num_moments: int) -> float:
    """Return the mean share of the moments that have passed at the call: ER of Song et al., 2018, arXiv:1811.04175."""
    return float(np.mean((called + 1) / num_moments))


def instability(decisions: Labels, called: Moments) -> float:
    """Return the mean share of the moments after the call at which the decision differs from the moment before.

    Zeng & Gao, 2022, arXiv:2306.02597. It is 0 for a call at the last moment.

    Args:
        decisions: 0 or 1. *Shape:* `(num_moments, num_posts)`.
        called: Position of the moment of the call.
    """
    flips = np.vstack([np.zeros_like(decisions[:1]), abs(np.diff(decisions, axis=0))])
    is_later = np.arange(len(decisions))[:, None] > called
    return float(np.mean((flips * is_later).sum(axis=0) / np.maximum(is_later.sum(axis=0), 1)))


def choose_confidence(labels: Labels, probabilities: Floats, threshold: float) -> tuple[float, bool]:
    """Return the least of `CONFIDENCES` at which at most `TARGET_ERROR` of the calls are wrong, and if there is one.

    Args:
        labels: Of validation posts.
        probabilities: *Shape:* `(num_moments, num_posts)`.
        threshold: Of a rumor.
    """
    confidences, wrong = confidence(probabilities, threshold), decide(probabilities, threshold) != labels
    for least in CONFIDENCES.tolist():
        called, is_called = first_confident(confidences, least)
        if is_called.any() and wrong[called, np.arange(len(labels))][is_called].mean() <= TARGET_ERROR:
            return least, True
    return float(CONFIDENCES[-1]), False


def measure_calls(
    labels: Labels, probabilities: Floats, threshold: float, moments: tuple[float, ...], least: float, reached: bool
) -> Calls:
    """Return when test posts are called, and how many calls are right.

    Args:
        labels: Of test posts.
        probabilities: *Shape:* `(num_moments, num_posts)`.
        threshold: Of a rumor.
        moments: Seconds after the post.
        least: Confidence of a call.
        reached: Whether it reaches the target on validation posts.
    """
    decisions = decide(probabilities, threshold)
    called, is_called = first_confident(confidence(probabilities, threshold), least)
    is_right = decisions[called, np.arange(len(labels))] == labels
    minutes = float(np.median(np.where(is_called, np.asarray(moments)[called] / 60, np.inf)))
    rate, flips, accuracy = early_rate(called, len(moments)), instability(decisions, called), float(is_right.mean())
    return Calls(
        target_error=TARGET_ERROR,
        confidence=least,
        reached=reached,
        share_called=float(is_called.mean()),
        error=float(1 - is_right[is_called].mean()) if is_called.any() else np.nan,
        median_minutes=minutes if np.isfinite(minutes) else np.nan,
        num_moments=len(moments),
        early_rate=rate,
        instability=flips,
        accuracy=accuracy,
        sea=((1 - rate) + (1 - flips) + accuracy) / 3,
    )


def draw_curve(labels: Labels, probabilities: Floats, threshold: float, moments: tuple[float, ...]) -> Curve:
    """Return the scores at each moment. `probabilities` is as in `measure_calls`."""
    scores = [compute_metrics(labels, decide(row, threshold), row) for row in probabilities]
    return Curve(
        minutes=tuple(moment / 60 for moment in moments),
        accuracy=tuple(score.accuracy for score in scores),
        roc_auc=tuple(score.roc_auc for score in scores),
    )
