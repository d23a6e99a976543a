"""Does a day of posts differ from a reference more than periods of the reference differ from each other?

Posts of neighbouring days share topics, so a day differs from the reference by more than independent posts would.
Each statistic of a day is therefore compared with the same statistic of windows: pieces of the reference with the
same number of posts, each contiguous in time, and each compared with the rest of the reference.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from hf_rumor.desk.text_drift import Indices, Style, Surprise, TwoSampleTest, auc_error, bigrams, vectorize
from hf_rumor.evaluation.metrics import Floats


STATISTICS = ("auc", "style", "surprise", "confidence", "length", "unknown", "wording")
ONE_SIDED = ("auc", "style", "wording")  # a low value is no sign of a difference
NUM_OF_WORDING = 3  # the first statistics, which are about the wording
MIN_WINDOWS = 8  # that do not overlap; with fewer, the spread of the statistics is hardly known
OVERLAP = 0.5  # share of a window that is in the next one; its square reduces the effective number (Welch, 1967)
MARGIN = 1.2  # a window shares topics with its neighbours in the reference, a new day has none there; see the log
MAX_POSTS = 4_000  # of a reference: the two-sample test inverts a matrix of this size
DAYS_PER_WEEK = 7
_SMALLEST = 1e-9  # spread of a statistic


@dataclass(frozen=True)
class Batch:
    """What is compared, of posts in the order of time, without near-duplicates."""

    texts: tuple[str, ...]  # normalized
    confidences: Floats  # (num_posts,): probability of the predicted class
    num_tokens: Indices  # (num_posts,)
    num_unknown: Indices  # (num_posts,): tokens that the vocabulary of the model does not contain
    groups: Indices  # (num_posts,): near-duplicate groups, numbered as in the reference

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, posts: Indices) -> "Batch":
        """Return some of the posts."""
        return Batch(
            tuple(self.texts[post] for post in posts),
            self.confidences[posts],
            self.num_tokens[posts],
            self.num_unknown[posts],
            self.groups[posts],
        )

    @cached_property
    def log_lengths(self) -> Floats:
        """Natural logarithm of the number of characters. *Shape:* `(num_posts,)`."""
        lengths = np.array([len(text) for text in self.texts], dtype=float)
        logs: Floats = np.log(np.maximum(1.0, lengths))
        return logs


class Measured(NamedTuple):
    """The statistics of some posts, without the last one. *Shape:* each `(len(STATISTICS) - 1,)`.

    AUC; log of the distance in style; mean surprise in bits per character; mean confidence; mean log length; square
    root of the share of unknown tokens, whose spread does not depend on the share.
    """

    values: Floats
    errors: Floats  # standard errors, if the posts were independent


class Windows(NamedTuple):
    """The distribution of the statistics over the windows of one size. *Shape:* each `(len(STATISTICS),)`."""

    means: Floats
    spreads: Floats  # standard deviations, of one more window
    num_windows: float  # effective number, below their number since they overlap
    largest: Floats  # deviation of a window from all others but its neighbours


def in_units(statistic: str, value: float) -> float:
    """Return a statistic in its unit: a distance, a length in characters, unknown tokens as a share of all."""
    if statistic in ("length", "style"):
        return float(np.exp(value))
    return float(value) * abs(float(value)) if statistic == "unknown" else float(value)


def concatenate(batches: Sequence[Batch]) -> Batch:
    """Return all posts as one batch."""
    texts = tuple(text for batch in batches for text in batch.texts)
    names = ("confidences", "num_tokens", "num_unknown", "groups")
    return Batch(texts, *(np.concatenate([getattr(batch, name) for batch in batches]) for name in names))


def distinct(batch: Batch) -> Batch:
    """Return the first post of each near-duplicate group."""
    return batch.take(np.sort(np.unique(batch.groups, return_index=True)[1]))


def alarm_limits(weekly_rate: float, windows: Windows) -> Floats:
    """Return the largest deviation of each statistic without an alarm, in standard deviations.

    It is the prediction limit of a normal distribution whose mean and spread are estimated from the windows: a
    quantile of Student's t distribution. The rate is divided by the statistics (Bonferroni) and their two directions.
    If a window of the reference deviates by more from the others, this deviation is the limit: the tails are heavier
    than those of a normal distribution.

    *Shape:* `(len(STATISTICS),)`.

    Args:
        weekly_rate: Probability of at least one alarm in seven days from the source of the reference.
        windows: Of the reference.
    """
    daily_rate = 1 - (1 - weekly_rate) ** (1 / DAYS_PER_WEEK)
    quantile = float(student.isf(daily_rate / (2 * len(STATISTICS)), windows.num_windows - 1))
    limits: Floats = MARGIN * np.maximum(quantile, windows.largest)
    return limits


def deviations(values: Floats, windows: Windows) -> Floats:
    """Return the difference of each statistic to the mean of the windows, in standard deviations.

    *Shape:* `(len(STATISTICS),)`.
    """
    return (values - windows.means) / windows.spreads


def strengths(deviation: Floats) -> Floats:
    """Return how far each statistic deviates, in the directions that count. *Shape:* as `deviation`."""
    counted: Floats = np.where(np.isin(STATISTICS, ONE_SIDED), np.maximum(deviation, 0.0), abs(deviation))
    return counted


def summarize_windows(values: Floats, errors: Floats, num_windows: float) -> Windows:
    """Return the distribution of the statistics over windows, each of which overlaps with its neighbours.

    A spread is at least that of independent posts.

    Args:
        values: *Shape:* `(num_windows, len(STATISTICS) - 1)`.
        errors: Standard errors. *Shape:* as `values`.
        num_windows: Effective number.
    """

    def spread(kept: NDArray[np.bool_], count: float) -> Floats:
        independent = np.sqrt((errors[kept] ** 2).mean(axis=0))
        spreads: Floats = np.maximum(values[kept].std(axis=0, ddof=1), independent) * np.sqrt(1 + 1 / count)
        return np.maximum(spreads, _SMALLEST)

    number = np.arange(len(values))
    means, spreads = values.mean(axis=0), spread(np.ones(len(values), dtype=bool), num_windows)
    combined = np.array([wording(value, means, spreads) for value in values])
    wording_spread = max(_SMALLEST, float(combined.std(ddof=1)) * np.sqrt(1 + 1 / num_windows))
    largest = np.zeros(len(STATISTICS))
    for one in number:
        others = abs(number - one) > 1
        ends = (values[others].mean(axis=0), spread(others, num_windows - 1))
        deviation = np.append((values[one] - ends[0]) / ends[1], wording(values[one], *ends) / wording_spread)
        largest = np.maximum(largest, strengths(deviation))
    return Windows(np.append(means, 0.0), np.append(spreads, wording_spread), num_windows, largest)


def wording(values: Floats, means: Floats, spreads: Floats) -> float:
    """Return the mean deviation of AUC, style and surprise, each in its standard deviations.

    Args:
        values: *Shape:* `(len(STATISTICS) - 1,)`, as the others.
        means: Over windows.
        spreads: Over windows.
    """
    return float(((values - means) / spreads)[:NUM_OF_WORDING].mean())


def complete(measured: Measured, windows: Windows) -> Floats:
    """Return all statistics of some posts. *Shape:* `(len(STATISTICS),)`."""
    combined = wording(measured.values, windows.means[:-1], windows.spreads[:-1])
    return np.append(measured.values, combined)


class Reference:
    """The posts with which days are compared: the latest `MAX_POSTS`, one of each near-duplicate group."""

    def __init__(self, batch: Batch) -> None:
        self.num_given = len(batch)
        kept = distinct(batch)
        self.batch = kept.take(np.arange(max(0, len(kept) - MAX_POSTS), len(kept)))
        self._bigrams = bigrams(self.batch.texts)
        self._test = TwoSampleTest(vectorize(self.batch.texts))
        self._surprise = Surprise(self._bigrams)
        self._style = Style(self.batch.texts)
        self._windows: dict[int, Windows] = {}

    def num_windows(self, size: int) -> int:
        """Return how many windows of this size do not overlap."""
        return len(self.batch) // size

    def windows(self, size: int) -> Windows:
        """Return the distribution of the statistics over windows of `size` posts; half of each is in the next one."""
        if size not in self._windows:
            pieces = self._pieces(size)
            scores = zip(self._test.within(pieces), self._style.within(pieces), strict=True)
            measured = [
                _summarize(
                    float(auc), float(style), self.batch.take(piece), self._bits_of(piece), len(self.batch) - size
                )
                for piece, (auc, style) in zip(pieces, scores, strict=True)
            ]
            values, errors = (np.stack([one[part] for one in measured]) for part in (0, 1))
            self._windows[size] = summarize_windows(values, errors, len(pieces) / (1 + 2 * OVERLAP**2))
        return self._windows[size]

    def measure(self, day: Batch) -> Measured:
        """Return the statistics of a day; near-duplicates of its posts in the reference are excluded."""
        excluded = np.flatnonzero(np.isin(self.batch.groups, day.groups))
        auc = self._test.against(vectorize(day.texts), excluded)
        bits = self._surprise.score(bigrams(day.texts), excluded)
        style = self._style.against(day.texts, self._style.rates(self._pieces(len(day))))
        return _summarize(auc, style, day, bits, len(self.batch) - len(excluded))

    def _pieces(self, size: int) -> list[Indices]:
        starts = range(0, len(self.batch) - size + 1, max(1, round(size * OVERLAP)))
        return [np.arange(start, start + size) for start in starts]

    def _bits_of(self, piece: Indices) -> Floats:
        return self._surprise.score(self._bigrams.of(piece), piece)


def _summarize(auc: float, style: float, posts: Batch, bits: Floats, num_others: int) -> Measured:
    samples: Sequence[NDArray[np.float64]] = (bits[np.isfinite(bits)], posts.confidences, posts.log_lengths)
    num_tokens = max(1, int(posts.num_tokens.sum()))
    unknown = np.sqrt(posts.num_unknown.sum() / num_tokens)
    means = [float(sample.mean()) for sample in samples]
    errors = [float(sample.std() / np.sqrt(len(sample))) for sample in samples]
    return Measured(
        np.array([auc, style, *means, unknown]),
        np.array([auc_error(len(posts), num_others), 0.0, *errors, 0.5 / np.sqrt(num_tokens)]),
    )
