"""The rows of a benchmark as tables and figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from hf_rumor.evaluation.baseline import Comparison
from hf_rumor.evaluation.intervals import Interval
from hf_rumor.report.drawing import Picture
from hf_rumor.report.estimates import Estimate, draw_estimates
from hf_rumor.report.latex import table_latex
from hf_rumor.report.markdown import table_text
from hf_rumor.report.record import Report
from hf_rumor.report.section import Table, table
from hf_rumor.report.words import SIGNIFICANT, p_value, points


@dataclass(frozen=True, kw_only=True)
class Row:
    """One variant or baseline on one split; means over all seeds and folds.

    A spread is a standard deviation over the runs; None for one run.
    """

    model: str
    split: str
    num_runs: int
    accuracy: float
    accuracy_spread: float | None
    spread_over_splits: float | None = None  # of the means of the accuracy; None unless splits and seeds vary apart
    spread_over_seeds: float | None = None  # of the accuracy within a split; None unless splits and seeds vary apart
    accuracy_interval: tuple[float, float] | None = None  # means of the bounds, 95%; None for a baseline
    macro_f1: float
    macro_f1_spread: float | None
    difference: float | None = None  # in accuracy, to TF-IDF + SVM; None for a baseline
    over_first: Comparison | None = None  # with the first variant; None for it and for a baseline
    leakage: float  # share of test posts with a near-duplicate in training
    seconds: float | None = None  # of training; None for a baseline, or if all runs were interrupted


def to_markdown(rows: Sequence[Row], report: Report) -> str:
    """Return the tables; `report` is that of any of the runs, for corpus, hardware and versions."""
    main = table_text(_main_table(rows, report))
    if not _has_differences(rows) and not _has_two_spreads(rows):
        return main
    return f"{main}\n{table_text(_comparison_table(rows, report))}"


def to_latex(rows: Sequence[Row], report: Report) -> str:
    """Return the comparison of the variants as a `tabular`."""
    return table_latex(_comparison_table(rows, report))


def draw_figures(rows: Sequence[Row]) -> list[Picture]:
    """Return the pictures: the accuracy, and for each split the differences to the first variant."""
    accuracies = [Estimate(_label(row, rows), *_in_percent(row.accuracy, row.accuracy_interval)) for row in rows]
    figures = [draw_estimates("accuracy", "accuracy in %, mean and 95% CI", accuracies)]
    for split in dict.fromkeys(row.split for row in rows):
        compared = [
            (row.model, row.over_first.difference.accuracy) for row in rows if row.split == split and row.over_first
        ]
        if compared:
            differences = [Estimate(model, *_in_percent(d.difference, (d.low, d.high))) for model, d in compared]
            axis = "difference in accuracy in pp, with 95% CI"
            figures.append(draw_estimates(f"differences-{split}", axis, differences, zero=_first(rows)))
    return figures


def _in_percent(value: float, interval: Interval | None) -> tuple[float, Interval | None]:
    return 100 * value, None if interval is None else (100 * interval[0], 100 * interval[1])


def _label(row: Row, rows: Sequence[Row]) -> str:
    return row.model if len({other.split for other in rows}) == 1 else f"{row.split}: {row.model}"


def _has_differences(rows: Sequence[Row]) -> bool:
    return any(row.over_first for row in rows)


def _has_two_spreads(rows: Sequence[Row]) -> bool:
    return any(row.spread_over_seeds is not None for row in rows)


def _first(rows: Sequence[Row]) -> str:
    """Return the variant that the others are compared with."""
    return next(row.model for row in rows if row.accuracy_interval is not None)


def _main_table(rows: Sequence[Row], report: Report) -> Table:
    cells = [
        (
            *(row.split, row.model, str(row.num_runs)),
            _mean(row.accuracy, row.accuracy_spread),
            "" if row.accuracy_interval is None else "[{:.3f}, {:.3f}]".format(*row.accuracy_interval),
            f"{row.macro_f1:.3f}",
            "" if row.difference is None else f"{100 * row.difference:+.1f} pp",
            f"{row.leakage:.1%}",
            "" if row.seconds is None else f"{row.seconds:.0f}",
        )
        for row in rows
    ]
    note = (
        "Accuracy: mean ± standard deviation over the runs (seeds of split and training, folds). 95% CI: means of "
        "the bounds of the runs. Over SVM: mean difference in accuracy. Leakage: test posts with a near-duplicate in "
        f"training. Seconds: of runs that were not interrupted.\n{_origin(report)}\n"
    )
    return table("split|model|#runs|#accuracy|#95% CI|#macro-F1|#over SVM|#leakage|#seconds", cells, note)


def _comparison_table(rows: Sequence[Row], report: Report) -> Table:
    """Return mean ± standard deviation, and the differences to the first variant; empty columns are dropped."""
    cells = [
        (
            row.split if len({other.split for other in rows}) > 1 else "",
            *(row.model, str(row.num_runs)),
            _mean(row.accuracy, row.accuracy_spread),
            *("" if value is None else f"{value:.3f}" for value in (row.spread_over_splits, row.spread_over_seeds)),
            _mean(row.macro_f1, row.macro_f1_spread),
            *_differences(row.over_first),
        )
        for row in rows
    ]
    note = "Mean ± standard deviation (SD) over the runs."
    if _has_two_spreads(rows):
        note += (
            " SD over splits: of the mean accuracy of each split. SD over seeds: of the accuracy over the training "
            "seeds of a split, pooled over the splits."
        )
    if _has_differences(rows):
        note += (
            f" Δ: difference from {_first(rows)}, mean over pairs of runs on the same posts, with 95% CI over groups "
            "of near-duplicates. The intervals reflect the choice of test posts, not that of seeds. p: sign test of "
            f"the accuracy (McNemar's test over groups), significant below {SIGNIFICANT}; not corrected for multiple "
            "comparisons. The interval of the accuracy agrees with this test; that of macro-F1 is from the bootstrap."
        )
    titles = [
        *("split", "model", "#runs", "#accuracy", "#SD over splits", "#SD over seeds", "#macro-F1"),
        *("#Δ accuracy [95% CI]", "#Δ macro-F1 [95% CI]", "#p"),
    ]
    kept = [column for column in range(len(titles)) if any(row[column] for row in cells)]
    shown = [tuple(row[column] for column in kept) for row in cells]
    return table("|".join(titles[column] for column in kept), shown, f"{note}\n{_origin(report)}\n")


def _mean(value: float, spread: float | None) -> str:
    return f"{value:.3f}" + ("" if spread is None else f" ± {spread:.3f}")


def _differences(comparison: Comparison | None) -> tuple[str, str, str]:
    if comparison is None:
        return "", "", ""
    difference = comparison.difference
    return points(difference.accuracy), points(difference.macro_f1), p_value(comparison.sign_test)


def _origin(report: Report) -> str:
    """Return corpus, hardware and versions."""
    data, environment = report.data, report.environment
    versions = ", ".join(f"{name} {version}" for name, version in environment.versions.items())
    return (
        f"Data: {data.num_posts:,} posts, SHA-256 `{data.sha256[:12]}`. {environment.device}, "
        f"{environment.precision}, {environment.platform}; {versions}."
    )
