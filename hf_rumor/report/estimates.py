"""A picture of estimates: a dot and an interval per row."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.ticker import PercentFormatter

from hf_rumor.evaluation.intervals import Interval
from hf_rumor.report.plots import BLUE, GREY, _drawing


@dataclass(frozen=True)
class Estimate:
    """A row of the picture."""

    label: str
    value: float
    interval: Interval | None


def draw_estimates(axis: str, rows: Sequence[Estimate], *, are_differences: bool = False) -> str:
    """Return an SVG picture of accuracies or of their differences in percentage points, with the first row on top."""
    with _drawing("", axis, "") as picture:
        axes = picture.axes
        picture.figure.set_figheight(0.9 + 0.3 * len(rows))  # inches
        for position, row in enumerate(rows):
            color = GREY if row.interval is None else BLUE
            axes.plot(row.interval or [row.value] * 2, [position, position], color=color)
            axes.plot([row.value], [position], "o", color=color)
        if are_differences:
            axes.axvline(0, color=GREY, linestyle=":")
        axes.set_yticks(range(len(rows)), [row.label for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_formatter("{x:+g} pp" if are_differences else PercentFormatter(1))
    return picture.svg
