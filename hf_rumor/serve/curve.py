"""The probability of a post over time as a drawing for the page."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hf_rumor.reposts.timeline import Moment


WIDTH, HEIGHT = 640, 200  # of the drawing, in its own units
TICKS = (60, 600, 3600, 21_600, 86_400, 604_800)  # seconds


@dataclass(frozen=True)
class Drawing:
    """Points of the step line, and where the ticks of the time axis are."""

    points: str  # of an SVG polyline
    ticks: tuple[tuple[float, int], ...]  # position, seconds


def draw(text_probability: float, moments: Sequence[Moment]) -> Drawing:
    """Return the probability as a step line over the logarithm of time; it starts with that of the text alone."""
    last = max(moments[-1].delay, 60)

    def x(delay: float) -> float:
        return round(WIDTH * math.log1p(delay / 60) / math.log1p(last / 60), 1)

    def y(probability: float) -> float:
        return round(HEIGHT * (1 - probability), 1)

    height = y(text_probability)
    points = [(0.0, height)]
    for moment in moments:
        points += [(x(moment.delay), height), (x(moment.delay), height := y(moment.probability))]
    ticks = tuple((x(seconds), seconds) for seconds in TICKS if seconds <= last)
    return Drawing(" ".join(f"{left:g},{top:g}" for left, top in points), ticks)
