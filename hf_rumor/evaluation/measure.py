"""Probabilities of one part of a split -> its entry in the report, and its predictions."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_rumor.evaluation.baseline import BaselinePredictions
from hf_rumor.evaluation.calibration import calibration_error_by_chance
from hf_rumor.evaluation.decision import Threshold, confidence, coverage_curve, name_decisions, operating_point
from hf_rumor.evaluation.intervals import bootstrap_intervals, paired_differences, sign_test
from hf_rumor.evaluation.metrics import compute_metrics, confusion
from hf_rumor.labels import LABEL_NAMES, decide


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


def predictions(scored: Scored, threshold: float, abstain_below: float | None = None) -> list[Prediction]:
    """Return one prediction for each post, in order; `uncertain` where confidence is below `abstain_below`."""
    called = name_decisions(scored.probabilities, threshold, LABEL_NAMES, abstain_below)
    return [
        Prediction(post_id, LABEL_NAMES[label], decision, probability)
        for post_id, label, decision, probability in zip(
            scored.ids, scored.labels.tolist(), called, scored.probabilities.tolist(), strict=True
        )
    ]


def measure_decision(
    rule: str, threshold: Threshold, abstain_below: float | None, scored: dict[str, Scored]
) -> dict[str, Any]:
    """Return the `decision` part of the report: the threshold, how it was chosen, and what it gives on each part.

    Args:
        rule: As given with `--decision`.
        threshold: What was chosen.
        abstain_below: Confidence below which a post is uncertain, or None.
        scored: `validation` and `test`.
    """
    test = scored["test"]
    facts = {
        "rule": rule,
        "threshold": threshold.value,
        "reached_on_validation": threshold.reached,
        **{
            part: operating_point(posts.labels, posts.probabilities, threshold.value) for part, posts in scored.items()
        },
        "coverage": coverage_curve(test.labels, test.probabilities, threshold.value),
        "abstain_below": abstain_below,
    }
    if abstain_below is not None:
        sure = confidence(test.probabilities, threshold.value) >= abstain_below
        right = decide(test.probabilities, threshold.value) == test.labels
        facts["certain"] = {
            "num_posts": int(sure.sum()),
            "accuracy": float(right[sure].mean()) if sure.any() else float("nan"),
        }
    return facts


def calibration_facts(posts: Scored) -> dict[str, float]:
    """Return ECE, and what it would be if all were well, Brier score, log loss and area under ROC."""
    values = measure(posts, 0.5)  # these do not depend on the threshold
    return {
        "ece": values["ece"],
        "ece_by_chance": calibration_error_by_chance(posts.probabilities),
        **{name: values[name] for name in ("brier", "log_loss", "roc_auc")},
    }


def measure_calibration(before: dict[str, Scored], after: dict[str, Scored]) -> dict[str, Any]:
    """Return `calibration_facts` of each part, before and after calibration."""
    return {
        when: {part: calibration_facts(posts) for part, posts in scored.items()}
        for when, scored in (("before", before), ("after", after))
    }


def measure_baselines(
    baselines: BaselinePredictions, scored: Scored, threshold: float, groups: NDArray[np.int64]
) -> dict[str, Any]:
    """Return the `baseline` part of the report: each baseline, and by how much the model is better than it."""
    labels, predicted = scored.labels, decide(scored.probabilities, threshold)
    facts: dict[str, Any] = {}
    for name, called in asdict(baselines).items():
        values = compute_metrics(labels, called, called.astype(np.float64))
        difference = paired_differences(labels, predicted, called, groups)
        facts[name] = {
            **{metric: values[metric] for metric in ("accuracy", "macro_f1", "rumor_f1")},
            "confusion": confusion(labels, called),
            "difference": difference,
            "verdict": verdict(**difference["accuracy"], chance=sign_test(labels, predicted, called, groups)),
        }
    return facts


def verdict(difference: float, low: float, high: float, chance: float) -> str:
    """Return a difference in accuracy, with its 95 % interval, in words; each from -1 to 1.

    Where few posts differ, an interval by resampling leaves out 0 too soon; so `sign_test` must agree.
    """
    interval = f"95 % interval {100 * low:.1f} to {100 * high:.1f}"
    if low <= 0 <= high or chance >= 0.05:
        few = "" if low <= 0 <= high else f"; too few posts differ (sign test: p = {chance:.2f})"
        return f"not distinguishable: {100 * difference:+.1f} points, {interval}{few}"
    word = "better" if difference > 0 else "worse"
    bounds = interval if difference > 0 else f"95 % interval {-100 * high:.1f} to {-100 * low:.1f}"
    return f"{word} by {abs(100 * difference):.1f} points, {bounds}"
