"""The metrics of one part of a split, with their intervals."""

import math
from dataclasses import asdict, dataclass, field

from hf_rumor.evaluation.intervals import Groups, Interval, bootstrap_intervals
from hf_rumor.evaluation.metrics import METRICS, Confusion, Metrics, Scored, compute_metrics, confusion
from hf_rumor.labels import decide


NUM_RESAMPLES = 1000


@dataclass(frozen=True)
class Measured(Metrics):
    """The metrics of validation or test posts, and what they were computed on."""

    num_posts: int
    threshold: float
    loss: float
    confusion: Confusion
    intervals: dict[str, Interval] = field(default_factory=dict)  # by metric or cell, 95%; empty for validation posts


def measure(scored: Scored, threshold: float, groups: Groups | None = None) -> Measured:
    """Return the metrics of a part; with `groups` of near-duplicates also their intervals."""
    predicted = decide(scored.probabilities, threshold)
    columns = scored.labels, predicted, scored.probabilities
    metrics = asdict(compute_metrics(*columns))
    intervals: dict[str, Interval] = {}
    if groups is not None:
        intervals = bootstrap_intervals(*columns, groups, num_resamples=NUM_RESAMPLES)
        intervals |= {name: (math.nan, math.nan) for name in METRICS if math.isnan(metrics[name])}
    return Measured(
        **metrics,
        num_posts=len(scored.labels),
        threshold=threshold,
        loss=scored.loss,
        confusion=confusion(scored.labels, predicted),
        intervals=intervals,
    )
