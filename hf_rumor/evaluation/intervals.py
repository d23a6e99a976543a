"""Bootstrap intervals of metrics, and tests of differences, over groups of near-duplicates."""

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hf_rumor.evaluation.metrics import CELLS, Floats, Labels, areas, scores_of_cells, weighted_metrics


Interval = tuple[float, float]  # lower and upper bound; NaN if not defined
Groups = NDArray[np.int64]  # (num_posts,), number of the near-duplicate group of each post

TAIL = (1 - 0.95) / 2  # share of resamples below, and share above, an interval
FEW = 5  # groups; with fewer errors an interval by resampling is too narrow


@dataclass(frozen=True)
class Difference:
    """How much better the model is than another one in a metric, from -1 to 1, with its 95% interval."""

    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Differences:
    """The paired differences on the same posts."""

    accuracy: Difference
    macro_f1: Difference


def bootstrap_intervals(
    labels: Labels, predicted: Labels, probabilities: Floats, groups: Groups, *, num_resamples: int
) -> dict[str, Interval]:
    """Return the percentile interval of each of `METRICS` and of `CELLS` under resampling of whole groups.

    Near-duplicates are classified correctly or wrongly together, so resampling single posts would make the interval
    too narrow. Hence groups are drawn, with replacement (cluster bootstrap; Field & Welsh, 2007,
    https://doi.org/10.1111/j.1467-9868.2007.00593.x). Resamples with only one label have no areas and are ignored in
    their percentiles. For a ratio with few errors, or few successes, the interval is widened to the exact one
    (`_with_exact`). If all resamples agree, the interval is not defined (NaN). The interval of the expected
    calibration error is biased upwards, since each resample adds noise of its own.
    """
    random = np.random.default_rng(0)
    _, group = np.unique(groups, return_inverse=True)
    num_groups = int(group.max()) + 1
    blocks: list[dict[str, NDArray[np.float64]]] = []
    for size in _blocks(num_resamples, len(labels)):
        draws = (random.integers(num_groups, size=num_groups) for _ in range(size))
        times = np.array([np.bincount(numbers, minlength=num_groups) for numbers in draws])
        weights = times[:, group].astype(np.float64)  # whole numbers stay exact, and their products are fast
        blocks.append(weighted_metrics(labels, predicted, probabilities, weights))
    samples = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all NaN: no resample had both labels
        intervals = {name: _percentiles(values) for name, values in samples.items()}
    for name, is_counted in _ratios(labels, predicted).items():
        if is_counted.any():
            right = labels[is_counted] == predicted[is_counted]
            intervals[name] = _with_exact(intervals[name], right, group[is_counted])
    for name in CELLS:
        if intervals[name] == (0.0, 0.0):  # no post is in this cell: the exact bound of a share of 0
            intervals[name] = (0.0, len(labels) * (1 - TAIL ** (1 / num_groups)))
    return {name: (low, high) if low < high else (np.nan, np.nan) for name, (low, high) in intervals.items()}


def _percentiles(values: Floats) -> Interval:
    low, high = np.nanpercentile(values, [100 * TAIL, 100 - 100 * TAIL]).tolist()
    return low, high


def _ratios(labels: Labels, predicted: Labels) -> dict[str, NDArray[np.bool_]]:
    """Return, for each metric that is a share of correctly classified posts, the posts in its denominator."""
    return {
        "accuracy": np.ones(len(labels), dtype=np.bool_),
        "rumor_precision": predicted == 1,
        "rumor_recall": labels == 1,
        "non_rumor_precision": predicted == 0,
        "non_rumor_recall": labels == 0,
    }


def _with_exact(interval: Interval, right: NDArray[np.bool_], group: Groups) -> Interval:
    """Return the interval of a share, widened to the exact one if few are right or wrong.

    A group is one trial. For the lower bound it is a success if all of its posts are right, for the upper if any is.
    """
    _, group = np.unique(group, return_inverse=True)
    sizes, rights = np.bincount(group), np.bincount(group, right)
    trials, all_right, any_right = len(sizes), int((rights == sizes).sum()), int((rights > 0).sum())
    if min(trials - all_right, any_right) >= FEW:
        return interval
    low, high = _exact_share(all_right, trials)[0], _exact_share(any_right, trials)[1]
    return min(low, interval[0]), max(high, interval[1])


def _exact_share(successes: int, trials: int) -> Interval:
    """Return the exact interval of a share (Clopper & Pearson, 1934)."""
    from scipy.stats import beta  # here: takes a second to import, and `describe` does not need it

    low = float(beta.ppf(TAIL, successes, trials - successes + 1)) if successes else 0.0
    high = float(beta.ppf(1 - TAIL, successes + 1, trials - successes)) if successes < trials else 1.0
    return low, high


def paired_differences(
    labels: Labels,
    predicted: Labels,
    other: Labels,
    groups: Groups,
    *,
    runs: Groups | None = None,
    num_resamples: int = 10_000,
) -> Differences:
    """Return by how much `predicted` is better than `other` on the same posts, with percentile intervals.

    Both are scored on the same resamples of whole groups (as in `bootstrap_intervals`): a post that both get wrong
    does not widen the interval of the difference. The interval of the accuracy is widened to that of `sign_test`, so
    that it excludes 0 only if the test gives p < 0.05.

    With `runs`, the number of the run of each post, the differences are means over the runs. A group may occur in
    several runs; it is drawn for all of them at once. Runs are not resampled: the intervals do not contain the
    variation between seeds.
    """
    run = np.zeros_like(labels) if runs is None else np.unique(runs, return_inverse=True)[1]
    numbers, group = np.unique(groups, return_inverse=True)
    shape = (2, int(run.max()) + 1, len(numbers), len(CELLS))
    cell = len(CELLS) * (len(numbers) * run + group) + 2 * labels
    counts = [np.bincount(cell + decisions, minlength=math.prod(shape[1:])) for decisions in (predicted, other)]
    of_groups = np.stack(counts).reshape(shape).astype(np.float64)  # `CELLS` of each model, run and group
    samples: dict[str, list[Floats]] = {"accuracy": [], "macro_f1": []}
    for times in _resamples(len(numbers), num_resamples):
        scores = scores_of_cells((times @ of_groups).reshape(-1, len(CELLS)))
        for name, blocks in samples.items():
            ours, theirs = scores[name].reshape(*shape[:2], -1).mean(axis=1)
            blocks.append(ours - theirs)
    accuracy, macro_f1 = (_difference(np.concatenate(blocks)) for blocks in samples.values())
    low, high = _sign_test_interval(_gains(labels, predicted, other, groups), len(labels))
    accuracy = replace(accuracy, low=min(low, accuracy.low), high=max(high, accuracy.high))
    return Differences(accuracy, macro_f1)


def paired_roc_auc(
    labels: Labels, probabilities: Floats, other: Floats, groups: Groups, *, num_resamples: int = 2_000
) -> Difference:
    """Return by how much the ROC-AUC of `probabilities` is higher than that of `other`; NaN if there is one label."""
    numbers, group = np.unique(groups, return_inverse=True)
    blocks = []
    for times in _resamples(len(numbers), num_resamples, length=len(labels)):
        (ours, _), (theirs, _) = (areas(labels, scores, times[:, group]) for scores in (probabilities, other))
        blocks.append(ours - theirs)
    return _difference(np.concatenate(blocks))


def _resamples(num_groups: int, num_resamples: int, length: int = 1) -> Iterator[NDArray[np.float64]]:
    """Yield how often each resample contains each group, in blocks; the first block is the sample itself."""
    random = np.random.default_rng(0)
    yield np.ones((1, num_groups))
    for size in _blocks(num_resamples, max(num_groups, length)):
        yield random.multinomial(num_groups, np.full(num_groups, 1 / num_groups), size=size).astype(np.float64)


def _difference(values: Floats) -> Difference:
    """Return the first value, with the interval of the others."""
    if np.isnan(values[0]):
        return Difference(np.nan, np.nan, np.nan)
    return Difference(float(values[0]), *_percentiles(values[1:]))


def _gains(labels: Labels, predicted: Labels, other: Labels, groups: Groups) -> Floats:
    """Return, for each group, how many more of its posts `predicted` classifies correctly than `other`."""
    _, group = np.unique(groups, return_inverse=True)
    gains = (predicted == labels).astype(np.float64) - (other == labels)
    return np.bincount(group, gains).astype(np.float64)


def _sign_test_interval(gains: Floats, num_posts: int) -> Interval:
    """Return the differences in accuracy that the sign test does not reject.

    They follow from the exact interval of the share of groups, among those that differ, on which the model is better.
    If none differ, they follow from the upper bound of the share of groups that do.
    """
    better, differing = int((gains > 0).sum()), int((gains != 0).sum())
    if not differing:
        bound = _exact_share(0, len(gains))[1]
        return -bound, bound
    low, high = ((2 * share - 1) * float(abs(gains).sum()) / num_posts for share in _exact_share(better, differing))
    return low, high


def _blocks(num_resamples: int, length: int) -> list[int]:
    """Return the number of resamples in each block: a block has about a million numbers, however long a resample."""
    block = max(1, 1_000_000 // length)
    return [min(block, num_resamples - start) for start in range(0, num_resamples, block)]


def accuracy_interval(right: NDArray[np.bool_], groups: Groups) -> Interval:
    """Return the interval of the share of posts that are `right`, as in `bootstrap_intervals`."""
    _, group = np.unique(groups, return_inverse=True)
    sizes, rights = np.bincount(group), np.bincount(group, right)
    random = np.random.default_rng(0)
    draws = (random.integers(len(sizes), size=len(sizes)) for _ in range(2000))
    shares = np.array([rights[drawn].sum() / sizes[drawn].sum() for drawn in draws])
    return _with_exact(_percentiles(shares), right, group)


def sign_test(labels: Labels, predicted: Labels, other: Labels, groups: Groups) -> float:
    """Return the two-sided p-value of the number of groups on which `predicted` is better than `other`.

    This is the exact test of McNemar, 1947, https://doi.org/10.1007/BF02295996, over groups.
    """
    from scipy.stats import binomtest

    gains = _gains(labels, predicted, other, groups)
    better, differing = int((gains > 0).sum()), int((gains != 0).sum())
    return float(binomtest(better, differing).pvalue) if differing else 1.0
