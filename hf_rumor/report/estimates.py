"""A picture of estimates: a dot and an interval per row."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

from hf_rumor.evaluation.intervals import Interval
from hf_rumor.report.drawing import Picture, drawing
from hf_rumor.report.plots import BLUE, GREY


@dataclass(frozen=True)
class Estimate:
    """A row of the picture."""

    label: str
    value: float
    interval: Interval | None


def draw_estimates(name: str, axis: str, rows: Sequence[Estimate], *, zero: str | None = None) -> Picture:
    """Return a picture with the first row on top.

    Args:
        name: Of its files.
        axis: What the values are, in percent or percentage points.
        rows: The estimates.
        zero: Label of a row on top whose value is 0, to which the others are differences.
    """
    with drawing(name, "", axis, "") as picture:
        axes = picture.axes
        labels = [row.label for row in rows] if zero is None else [zero, *(row.label for row in rows)]
        longest = max(map(len, labels))
        picture.figure.set_size_inches(3 + 0.09 * longest, 0.9 + 0.3 * len(labels))
        for position, row in enumerate(rows, start=len(labels) - len(rows)):
            color = GREY if row.interval is None else BLUE
            axes.plot(row.interval or [row.value] * 2, [position, position], color=color)
            axes.plot([row.value], [position], "o", color=color)
        if zero is not None:
            axes.plot([0], [0], "o", color=GREY)
            axes.axvline(0, color=GREY, linestyle=":")
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(5))
    return picture
