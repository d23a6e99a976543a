"""The finished runs of a benchmark -> one row per variant or baseline and split, and one row per run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path
from statistics import mean, stdev, variance
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_rumor.errors import ModelError
from hf_rumor.evaluation.baseline import BASELINES, Comparison
from hf_rumor.evaluation.intervals import paired_differences, sign_test
from hf_rumor.evaluation.measure import Measured
from hf_rumor.evaluation.metrics import METRICS, Scored
from hf_rumor.labels import LABEL_NAMES, decide
from hf_rumor.report.benchmark import Row
from hf_rumor.report.record import REPORT_FILE, Report, read_report, without_nan
from hf_rumor.runs.cells import Cell


@dataclass(frozen=True)
class Result:
    """A finished run, and its test posts."""

    cell: Cell
    report: Report
    scored: Scored


def read_result(cell: Cell, folder: Path) -> Result:
    """Return the result of the run in a folder.

    Raises:
        ModelError: A file is missing or corrupt.
    """
    path = folder / "predictions.jsonl"
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
        labels = np.array([LABEL_NAMES.index(row["label"]) for row in rows], dtype=np.int64)
        probabilities = np.array([row["rumor_probability"] for row in rows], dtype=np.float64)
        scored = Scored([row["id"] for row in rows], labels, probabilities, loss=np.nan)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ModelError(f"{path}: not the predictions of a run ({error!r}). Rerun the training.") from error
    return Result(cell, read_report(folder / REPORT_FILE), scored)


def summarize(results: Sequence[Result], groups: Mapping[str, int]) -> list[Row]:
    """Return the rows: for each split, first the baselines, then the variants, in the order of the cells.

    Args:
        results: All runs.
        groups: The near-duplicate group of each post, by id; not needed for a single variant.
    """
    by_split: dict[str, dict[str, list[Result]]] = {}
    for result in results:
        by_split.setdefault(result.cell.split, {}).setdefault(result.cell.variant, []).append(result)
    rows = []
    for split, by_variant in by_split.items():
        first = next(iter(by_variant.values()))
        # A baseline depends on the training and test posts only, which are those of all variants and training seeds.
        once = list({result.cell.part: result for result in first}.values())
        for name, model in BASELINES.items():
            scores = [getattr(result.report.baseline, name) for result in once]
            if all(scores):  # without distillation there is no teacher
                rows.append(_row(model, split, once, scores))
        for variant, runs in by_variant.items():
            row = _variant_row(variant, split, runs)
            rows.append(row if runs is first else replace(row, over_first=compare_runs(runs, first, groups)))
    return rows


def _row(model: str, split: str, runs: Sequence[Result], scores: Sequence[Comparison] | Sequence[Measured]) -> Row:
    leaking = [(run.report.split.num_leaking_test_posts or 0) / run.report.split.test for run in runs]
    return Row(
        model=model,
        split=split,
        num_runs=len(runs),
        accuracy=mean(score.accuracy for score in scores),
        accuracy_spread=_spread([score.accuracy for score in scores]),
        macro_f1=mean(score.macro_f1 for score in scores),
        macro_f1_spread=_spread([score.macro_f1 for score in scores]),
        leakage=mean(leaking),
    )


def _variant_row(variant: str, split: str, runs: Sequence[Result]) -> Row:
    reports = [run.report for run in runs]
    intervals = [report.test.intervals["accuracy"] for report in reports]
    uninterrupted = [report.train.runtime_seconds for report in reports if report.train.resumed_at_step is None]
    svms = [report.baseline.tfidf_svm for report in reports]
    over_splits, over_seeds = spreads([(run.cell.part, run.report.test.accuracy) for run in runs])
    return replace(
        _row(variant, split, runs, [report.test for report in reports]),
        spread_over_splits=over_splits,
        spread_over_seeds=over_seeds,
        accuracy_interval=(mean(low for low, _ in intervals), mean(high for _, high in intervals)),
        difference=mean(svm.difference.accuracy.difference for svm in svms if svm is not None),
        seconds=mean(uninterrupted) if uninterrupted else None,
    )


def _spread(values: Sequence[float]) -> float | None:
    return stdev(values) if len(values) > 1 else None


def spreads(values: Sequence[tuple[tuple[int, int], float]]) -> tuple[float | None, float | None]:
    """Return the standard deviation of the means of the test parts, and the pooled one over seeds within a part.

    Both are None unless there are several test parts, each with several training seeds.
    """
    by_part: dict[tuple[int, int], list[float]] = {}
    for part, value in values:
        by_part.setdefault(part, []).append(value)
    if len(by_part) < 2 or min(map(len, by_part.values())) < 2:
        return None, None
    return stdev(map(mean, by_part.values())), sqrt(mean(map(variance, by_part.values())))


def compare_runs(results: Sequence[Result], first: Sequence[Result], groups: Mapping[str, int]) -> Comparison | None:
    """Return how a variant compares with the first one, in runs with the same split, seeds and fold.

    Only posts that both tested are compared; None if there are none.
    """
    pairs = [_pair(*both, groups, run) for run, both in enumerate(zip(results, first, strict=True))]
    labels, predicted, other, group, run = (np.concatenate(column) for column in zip(*pairs, strict=True))
    if not len(labels):
        return None
    return Comparison(
        accuracy=mean(result.report.test.accuracy for result in first),
        macro_f1=mean(result.report.test.macro_f1 for result in first),
        difference=paired_differences(labels, predicted, other, group, runs=run),
        sign_test=sign_test(labels, predicted, other, group),
    )


def _pair(ours: Result, theirs: Result, groups: Mapping[str, int], run: int) -> tuple[NDArray[np.int64], ...]:
    """Return labels, decisions of both, groups and number of the run, for each post that both tested."""
    place = {post_id: position for position, post_id in enumerate(theirs.scored.ids)}
    is_shared = np.array([post_id in place for post_id in ours.scored.ids], dtype=np.bool_)
    shared = ours.scored.select(is_shared)
    there = np.array([place[post_id] for post_id in shared.ids], dtype=np.int64)
    return (
        shared.labels,
        decide(shared.probabilities, ours.report.test.threshold),
        decide(theirs.scored.probabilities[there], theirs.report.test.threshold),
        np.array([groups[post_id] for post_id in shared.ids], dtype=np.int64),
        np.full(len(there), run),
    )


def csv_rows(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return one row per run: what was varied, and the measured numbers."""
    return [
        {
            "recipe": Path(cell.recipe).stem,
            **dict(cell.varied),
            "split": cell.split,
            "split_seed": cell.split_seed,
            "seed": cell.seed,
            **({"folds": cell.folds, "fold": cell.fold} if cell.folds else {}),
            "test_posts": report.split.test,
            "leaking_test_posts": report.split.num_leaking_test_posts,
            **without_nan({name: getattr(report.test, name) for name in METRICS}),
            **without_nan({"test_loss": report.test.loss, "threshold": report.test.threshold}),
            **{f"svm_{name}": getattr(report.baseline.tfidf_svm, name, None) for name in ("accuracy", "macro_f1")},
            "steps": report.train.total_steps,
            "seconds": report.train.runtime_seconds if report.train.resumed_at_step is None else None,
            "folder": cell.name,
        }
        for cell, report in ((result.cell, result.report) for result in results)
    ]
