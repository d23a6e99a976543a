"""The points of the curves that a report draws, and the most confident errors; all kept in `report.json`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hf_rumor.evaluation.decision import average_ties, confidence
from hf_rumor.evaluation.intervals import Groups
from hf_rumor.evaluation.metrics import ECE_BINS, Floats, Labels, Scored
from hf_rumor.labels import decide


MAX_POINTS = 200  # of a curve; more cannot be distinguished on a screen
HISTOGRAM_BINS = 20  # of equal width
MAX_MISTAKES = 10

Points = tuple[float, ...]


@dataclass(frozen=True)
class RocCurve:
    """The receiver operating characteristic."""

    false_positive_rate: Points
    true_positive_rate: Points


@dataclass(frozen=True)
class PrecisionRecallCurve:
    """Precision against recall, for the rumor class."""

    recall: Points
    precision: Points


@dataclass(frozen=True)
class Bin:
    """A bin of a reliability diagram."""

    probability: float  # mean probability of rumor
    share_of_rumors: float
    num_posts: int


@dataclass(frozen=True)
class Histogram:
    """Counts of posts by probability of rumor."""

    edges: Points  # one more than counts
    non_rumor: tuple[int, ...]
    rumor: tuple[int, ...]


@dataclass(frozen=True)
class Curves:
    """The curves on test posts; the first two are None if only one label occurs."""

    roc: RocCurve | None
    precision_recall: PrecisionRecallCurve | None
    reliability_before: tuple[Bin, ...]  # before calibration
    reliability: tuple[Bin, ...]
    histogram: Histogram


@dataclass(frozen=True)
class Mistake:
    """A misclassified post, without its text."""

    id: str
    label: int
    rumor_probability: float


def measure_curves(labels: Labels, before: Floats, after: Floats) -> Curves:
    """Return the points of every curve, from the probabilities before and after calibration."""
    from sklearn.metrics import precision_recall_curve, roc_curve  # here: `describe` reads reports without it

    roc = precision_recall = None
    if 0 < labels.sum() < len(labels):
        false_positive_rate, true_positive_rate, _ = roc_curve(labels, after)
        precision, recall, _ = precision_recall_curve(labels, after)
        roc = RocCurve(_thin(false_positive_rate), _thin(true_positive_rate))
        precision_recall = PrecisionRecallCurve(_thin(recall), _thin(precision))
    edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
    counts = (tuple(np.histogram(after[labels == label], edges)[0].tolist()) for label in (0, 1))
    return Curves(
        roc=roc,
        precision_recall=precision_recall,
        reliability_before=reliability(labels, before),
        reliability=reliability(labels, after),
        histogram=Histogram(tuple(edges.tolist()), *counts),
    )


def reliability(labels: Labels, probabilities: Floats) -> tuple[Bin, ...]:
    """Return bins of equal mass, the lowest probability first."""
    order = np.argsort(probabilities, kind="stable")
    share = np.empty(len(labels))
    share[order] = average_ties(probabilities[order], labels[order])
    return tuple(
        Bin(float(probabilities[run].mean()), float(share[run].mean()), len(run))
        for run in np.array_split(order, min(ECE_BINS, len(order)))
    )


def _thin(values: Floats) -> Points:
    kept = np.unique(np.linspace(0, len(values) - 1, min(len(values), MAX_POINTS)).round().astype(int))
    return tuple(values[kept].tolist())


def find_mistakes(scored: Scored, threshold: float) -> NDArray[np.int64]:
    """Return the positions of all misclassified posts, the most confident first."""
    wrong = np.flatnonzero(decide(scored.probabilities, threshold) != scored.labels)
    return wrong[np.argsort(-confidence(scored.probabilities, threshold)[wrong], kind="stable")]


def confident_mistakes(scored: Scored, threshold: float, groups: Groups) -> tuple[Mistake, ...]:
    """Return the most confident mistakes, one for each group of near-duplicates."""
    positions = find_mistakes(scored, threshold)
    _, first = np.unique(groups[positions], return_index=True)
    return tuple(
        Mistake(scored.ids[position], int(scored.labels[position]), float(scored.probabilities[position]))
        for position in positions[np.sort(first)][:MAX_MISTAKES].tolist()
    )
