"""The curves of a report as SVG pictures, each with its text alternative.

Texts stay texts in the SVG: the browser draws them in its own fonts, Chinese included.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from hf_rumor.labels import LABEL_NAMES
from hf_rumor.report.record import Report


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
BLUE, ORANGE, GREY = "#1f5fa8", "#c4561a", "#888888"  # distinct in print and for the colour-blind


@dataclass
class Picture:
    """A picture with its text alternative, `words`; drawn on `axes`, then rendered as the `<svg>` element."""

    title: str
    figure: Figure = field(compare=False)
    axes: Axes = field(compare=False)
    words: str = ""
    svg: str = ""


@contextmanager
def _drawing(title: str, x: str, y: str, *, in_percent: bool = False) -> Iterator[Picture]:
    """Yield a picture to draw on, and render it at the end."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 3.4), layout="constrained")  # inches; the page scales it
        axes = figure.add_subplot(xlabel=x, ylabel=y)
        picture = Picture(title, figure, axes)
        yield picture
        if in_percent:
            axes.xaxis.set_major_formatter(PercentFormatter(1))
            axes.yaxis.set_major_formatter(PercentFormatter(1))
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, fontsize=9)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        svg = file.getvalue()
        svg = re.sub(r'font-family: [^;"]*', FONTS, svg[svg.index("<svg") :].replace("\n", " "))
        for size in ("width", "height"):  # the page decides
            svg = re.sub(rf'(<svg [^>]*?){size}="[^"]*"', r"\1", svg, count=1)
        picture.svg = svg


def draw_all(report: Report) -> list[Picture]:
    """Return the pictures of a report; those that are not defined are skipped."""
    curves = (_draw_roc, _draw_precision_recall, _draw_coverage)
    drawings = (_draw_learning, _draw_learning_rate, _draw_confusion, _draw_histogram, _draw_reliability, *curves)
    return [picture for draw in drawings if (picture := draw(report))]


def _draw_learning(report: Report) -> Picture | None:
    curve = [point for point in report.train.curve if point.loss == point.loss]  # NaN while fp16 finds its scale
    history = report.train.history
    if not curve:
        return None
    with _drawing("Learning curve", "step", "loss") as picture:
        axes = picture.axes
        axes.plot([point.step for point in curve], [point.loss for point in curve], color=BLUE, label="training")
        picture.words = f"Training loss: from {curve[0].loss:.3f} to {curve[-1].loss:.3f}."
        if history:
            steps, scores = [epoch.step for epoch in history], [epoch.validation_macro_f1 for epoch in history]
            axes.plot(steps, [epoch.validation_loss for epoch in history], "s-", color=GREY, label="validation")
            right = axes.twinx()
            right.plot(steps, scores, "o--", color=ORANGE)
            right.set_ylabel("validation macro-F1 (dashed)")
            right.set_ylim(0, 1)
            right.grid(visible=False)
            picture.words += f" Validation macro-F1: {', '.join(f'{score:.3f}' for score in scores)}."
        axes.set_ylim(bottom=0)
    return picture


def _draw_learning_rate(report: Report) -> Picture | None:
    curve = report.train.curve
    if not curve:
        return None
    with _drawing("Learning rate", "step", "learning rate") as picture:
        rates = [point.learning_rate for point in curve]
        picture.axes.plot([point.step for point in curve], rates, color=BLUE)
        picture.axes.set_ylim(bottom=0)
        picture.words = f"The learning rate peaks at {max(rates):.2g} and ends at {rates[-1]:.2g}."
    return picture


def _draw_confusion(report: Report) -> Picture:
    confusion = report.test.confusion
    with _drawing("Confusion matrix", "predicted", "actual") as picture:
        axes = picture.axes
        axes.grid(visible=False)
        axes.imshow(confusion, cmap="Blues", vmin=0, vmax=1.6 * max(max(row) for row in confusion))
        axes.set_xticks([0, 1], LABEL_NAMES)
        axes.set_yticks([0, 1], LABEL_NAMES, rotation=90, va="center")
        for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
            axes.text(column, row, f"{confusion[row][column]:,}", ha="center", va="center", fontsize=16)
        picture.words = " ".join(
            f"Actual {actual}: {row[0]:,} predicted {LABEL_NAMES[0]}, {row[1]:,} predicted {LABEL_NAMES[1]}."
            for actual, row in zip(LABEL_NAMES, confusion, strict=True)
        )
    return picture


def _draw_histogram(report: Report) -> Picture:
    histogram, threshold = report.curves.histogram, report.test.threshold
    with _drawing("Probabilities by label", "probability of rumor", "posts") as picture:
        parts = []
        styles = zip(LABEL_NAMES, (histogram.non_rumor, histogram.rumor), (BLUE, ORANGE), ("", "//"), strict=True)
        for name, counts, color, hatch in styles:
            picture.axes.stairs(counts, histogram.edges, fill=True, alpha=0.5, color=color, hatch=hatch, label=name)
            outer = counts[0] + counts[-1]
            parts.append(f"{outer:,} of {sum(counts):,} {name}s are below 0.05 or above 0.95")
        picture.axes.axvline(threshold, color=GREY, linestyle=":", label=f"threshold {threshold:.3g}")
        picture.words = "; ".join(parts) + "."
    return picture


def _draw_reliability(report: Report) -> Picture:
    calibration, curves = report.calibration, report.curves
    with _drawing("Reliability", "mean probability of rumor", "share of rumors") as picture:
        picture.axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="calibrated")
        styles = [("this model", curves.reliability, BLUE, "o-")]
        picture.words = f"Expected calibration error: {calibration.after.ece:.3f}"
        if calibration.lines is not None and calibration.before is not None:
            styles.append(("before calibration", curves.reliability_before, ORANGE, "s--"))
            picture.words += f", before calibration {calibration.before.ece:.3f}"
        for label, bins, color, style in styles:
            x, y = [run.probability for run in bins], [run.share_of_rumors for run in bins]
            picture.axes.plot(x, y, style, color=color, markersize=4, label=label)
        picture.words += "."
    return picture


def _draw_roc(report: Report) -> Picture | None:
    roc = report.curves.roc
    if roc is None:
        return None
    labels = ("false positive rate", "true positive rate")
    with _drawing("Receiver operating characteristic (ROC)", *labels, in_percent=True) as picture:
        picture.axes.plot([0, 1], [0, 1], color=GREY, linestyle=":")
        picture.axes.plot(roc.false_positive_rate, roc.true_positive_rate, color=BLUE)
        picture.words = f"Area under the curve: {report.test.roc_auc:.3f}; 0.5 is chance, 1 is perfect."
    return picture


def _draw_precision_recall(report: Report) -> Picture | None:
    curve, point = report.curves.precision_recall, report.decision.test
    if curve is None:
        return None
    with _drawing("Precision and recall", "recall", "precision", in_percent=True) as picture:
        picture.axes.step(curve.recall, curve.precision, where="post", color=BLUE)
        picture.axes.plot([point.recall], [point.precision], "o", color=ORANGE, label="at the threshold")
        picture.axes.set_ylim(0, 1.02)
        picture.words = (
            f"Average precision: {report.test.pr_auc:.3f}. At the threshold precision is {point.precision:.3f} and "
            f"recall {point.recall:.3f}."
        )
    return picture


def _draw_coverage(report: Report) -> Picture:
    curve = report.decision.coverage
    labels = ("coverage: share of posts, the most confident first", "accuracy among them")
    with _drawing("Accuracy against coverage", *labels, in_percent=True) as picture:
        picture.axes.plot(curve.coverage, curve.accuracy, color=BLUE)
        picture.axes.set_ylim(min(0.5, *curve.accuracy) - 0.02, 1.02)
        half = next(accuracy for share, accuracy in zip(curve.coverage, curve.accuracy, strict=True) if share >= 0.5)
        picture.words = f"Accuracy of the more confident half: {half:.3f}; of all posts: {curve.accuracy[-1]:.3f}."
    return picture
