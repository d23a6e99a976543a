"""The curves of a report -> SVG pictures, each with its text alternative.

Texts stay texts: the browser draws them in its own fonts, so that a name in Chinese shows wherever it can be shown.
"""

import io
import re
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter


STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "hf_rumor",  # equal reports give equal files
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
}
FONTS = "font-family: system-ui, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
BLUE, ORANGE, GREY = "#1f5fa8", "#c4561a", "#888888"  # told apart in print and by the colour-blind


@dataclass(frozen=True)
class Picture:
    """A picture, and what it says in words.

    Attributes:
        title: What it shows.
        svg: The `<svg>` element.
        words: The text alternative.
    """

    title: str
    svg: str
    words: str


def draw_all(report: dict[str, Any]) -> list[Picture]:
    """Return the pictures of a report, given as `report.json` holds it; those that are not defined are left out."""
    curves = report["curves"]
    pictures = [
        _draw_learning(report["train"]["curve"], report["train"]["history"]),
        _draw_learning_rate(report["train"]["curve"]),
        _draw_confusion(report["test"]["confusion"]),
        _draw_histogram(curves["histogram"], report["test"]["threshold"]),
        _draw_reliability(curves["reliability"], report["calibration"]),
        _draw_roc(curves["roc"], report["test"]["roc_auc"]),
        _draw_precision_recall(curves["precision_recall"], report["decision"]["test"], report["test"]["pr_auc"]),
        _draw_coverage(report["decision"]["coverage"]),
    ]
    return [picture for picture in pictures if picture is not None]


def _new_axes(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(4.6, 3.4), layout="constrained")  # inches; the page scales it
    axes = figure.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return figure, axes


def _finish(figure: Figure, title: str, words: str) -> Picture:
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :].replace("\n", " ")
    svg = re.sub(r'font-family: [^;"]*', FONTS, svg)
    svg = re.sub(r'(<svg [^>]*?)width="[^"]*"', r"\1", svg, count=1)  # as wide as the page lets it be
    svg = re.sub(r'(<svg [^>]*?)height="[^"]*"', r"\1", svg, count=1)
    return Picture(title, svg, words)


def _draw_learning(curve: list[dict[str, Any]], history: list[dict[str, float]]) -> Picture | None:
    curve = [point for point in curve if point["loss"] is not None]  # it may not be a number for a while
    if not curve:
        return None
    with mpl.rc_context(STYLE):
        figure, axes = _new_axes("step", "training loss")
        axes.plot([point["step"] for point in curve], [point["loss"] for point in curve], color=BLUE)
        axes.set_ylim(bottom=0)
        words = f"The training loss goes from {curve[0]['loss']:.3f} to {curve[-1]['loss']:.3f}."
        scores = [entry["validation_macro_f1"] for entry in history]
        if scores:
            right = axes.twinx()
            right.plot([entry["step"] for entry in history], scores, "o--", color=ORANGE)
            right.set_ylabel("validation macro-F1 (dashed)")
            right.set_ylim(0, 1)
            right.grid(visible=False)
            words += f" Validation macro-F1: {', '.join(f'{score:.3f}' for score in scores)}."
        return _finish(figure, "Learning curve", words)


def _draw_learning_rate(curve: list[dict[str, float]]) -> Picture | None:
    if not curve:
        return None
    with mpl.rc_context(STYLE):
        figure, axes = _new_axes("step", "learning rate")
        rates = [point["learning_rate"] for point in curve]
        axes.plot([point["step"] for point in curve], rates, color=BLUE)
        axes.set_ylim(bottom=0)
        words = f"The learning rate peaks at {max(rates):.2g} and ends at {rates[-1]:.2g}."
        return _finish(figure, "Learning rate", words)


def _draw_confusion(confusion: list[list[int]]) -> Picture:
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        figure, axes = _new_axes("called", "is")
        most = max(max(row) for row in confusion) or 1
        axes.imshow(confusion, cmap="Blues", vmin=0, vmax=1.6 * most)
        names = ["non-rumor", "rumor"]
        axes.set_xticks([0, 1], names)
        axes.set_yticks([0, 1], names, rotation=90, va="center")
        for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
            axes.text(column, row, f"{confusion[row][column]:,}", ha="center", va="center", fontsize=16)
        words = (
            f"Non-rumors: {confusion[0][0]:,} called non-rumor, {confusion[0][1]:,} called rumor. "
            f"Rumors: {confusion[1][0]:,} called non-rumor, {confusion[1][1]:,} called rumor."
        )
        return _finish(figure, "Confusion", words)


def _draw_histogram(histogram: dict[str, list[float]], threshold: float) -> Picture:
    with mpl.rc_context(STYLE):
        figure, axes = _new_axes("probability of rumor", "posts")
        edges = histogram["edges"]
        for name, color, hatch in (("non-rumor", BLUE, ""), ("rumor", ORANGE, "//")):
            axes.stairs(histogram[name], edges, fill=True, alpha=0.5, color=color, hatch=hatch, label=name)
        axes.axvline(threshold, color=GREY, linestyle=":", label=f"threshold {threshold:.3g}")
        axes.legend(frameon=False)
        parts = []
        for name in ("non-rumor", "rumor"):
            total = sum(histogram[name])
            outer = histogram[name][0] + histogram[name][-1]
            parts.append(f"{outer:,} of {total:,} {name}s are below 0.05 or above 0.95")
        return _finish(figure, "Probabilities by label", "; ".join(parts) + ".")


def _draw_reliability(reliability: dict[str, list[dict[str, float]]], calibration: dict[str, Any]) -> Picture:
    with mpl.rc_context(STYLE):
        figure, axes = _new_axes("mean probability of rumor", "share of rumors")
        axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="calibrated")
        styles = [("after", "this model", BLUE, "o-")]
        words = f"Expected calibration error: {calibration['after']['test']['ece']:.3f}"
        if calibration["method"] != "none" and calibration["before"]:
            styles.append(("before", "before calibration", ORANGE, "s--"))
            words += f", before calibration {calibration['before']['test']['ece']:.3f}"
        for when, label, color, style in styles:
            x, y = ([run[key] for run in reliability[when]] for key in ("probability", "share_of_rumors"))
            axes.plot(x, y, style, color=color, markersize=4, label=label)
        axes.legend(frameon=False)
        return _finish(figure, "Reliability", f"{words}.")


def _draw_roc(roc: dict[str, list[float]], area: float | None) -> Picture | None:
    if not roc or area is None:
        return None
    with mpl.rc_context(STYLE):
        figure, axes = _new_axes("share of non-rumors called rumor", "share of rumors found")
        axes.plot([0, 1], [0, 1], color=GREY, linestyle=":")
        axes.plot(roc["false_positive_rate"], roc["true_positive_rate"], color=BLUE)
        _in_percent(axes)
        words = f"Area under the curve: {area:.3f}; 0.5 is chance, 1 is perfect."
        return _finish(figure, "Receiver operating characteristic (ROC)", words)


def _draw_precision_recall(
    curve: dict[str, list[float]], point: dict[str, float], area: float | None
) -> Picture | None:
    if not curve or area is None:
        return None
    with mpl.rc_context(STYLE):
        figure, axes = _new_axes("recall: share of rumors found", "precision")
        axes.step(curve["recall"], curve["precision"], where="post", color=BLUE)
        axes.plot([point["recall"]], [point["precision"]], "o", color=ORANGE, label="at the threshold")
        axes.set_ylim(0, 1.02)
        axes.legend(frameon=False, loc="lower left")
        _in_percent(axes)
        words = (
            f"Average precision: {area:.3f}. At the threshold precision is {point['precision']:.3f} and recall "
            f"{point['recall']:.3f}."
        )
        return _finish(figure, "Precision and recall", words)


def _draw_coverage(coverage: dict[str, Any]) -> Picture:
    with mpl.rc_context(STYLE):
        figure, axes = _new_axes("share of posts answered, the surest first", "accuracy among them")
        axes.plot(coverage["coverage"], coverage["accuracy"], color=BLUE)
        axes.set_ylim(min(0.5, *coverage["accuracy"]) - 0.02, 1.02)
        _in_percent(axes)
        half = next(
            accuracy
            for share, accuracy in zip(coverage["coverage"], coverage["accuracy"], strict=True)
            if share >= min(0.5, coverage["coverage"][-1])
        )
        words = f"Accuracy of the surer half: {half:.3f}; of all posts: {coverage['accuracy'][-1]:.3f}."
        return _finish(figure, "Accuracy if unsure posts are left to people", words)


def draw_benchmark(splits: list[str], models: dict[str, list[tuple[float, float]]]) -> str:
    """Return an SVG picture of accuracies.

    Args:
        splits: Columns.
        models: For each model, mean and standard deviation of its accuracy on each split.
    """
    with mpl.rc_context(STYLE):
        figure, axes = _new_axes("split", "accuracy")
        for number, (model, values) in enumerate(models.items()):
            x = [position + 0.08 * (number - (len(models) - 1) / 2) for position in range(len(splits))]
            means, spreads = zip(*values, strict=True)
            axes.errorbar(x, means, spreads, fmt="os^Dv"[number % 5], capsize=3, label=model)
        axes.set_xticks(range(len(splits)), splits)
        axes.legend(frameon=False, fontsize=8)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        return _finish(figure, "Benchmark", "").svg


def _in_percent(axes: Axes) -> None:
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
