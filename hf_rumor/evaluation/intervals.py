"""How sure is a metric? Bootstrap intervals that respect near-duplicates."""

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binomtest

from hf_rumor.evaluation.resamples import COUNTS, metrics_of_resamples, scores_of_counts


FEW = 5  # groups; with fewer mistakes an interval by resampling is too narrow


def bootstrap_intervals(
    labels: NDArray[np.int64],
    predicted: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    groups: NDArray[np.int64],
    *,
    num_resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Return the percentile interval of each metric and of each of `COUNTS` under resampling of whole groups.

    Posts that say nearly the same are right or wrong together: to draw them one by one would make the interval too
    narrow. Hence groups are drawn, with replacement (cluster bootstrap; Field & Welsh, 2007,
    https://doi.org/10.1111/j.1467-9868.2007.00593.x). A resample in which only one label occurs has no areas; they
    are left out of its percentiles. Of a share with few mistakes, or little else, resamples know too little: there the
    interval holds the exact one too (`_with_exact`). Where all resamples agree, nothing is known: it is NaN. That of
    the expected calibration error lies too high, since each resample has chance differences of its own.

    Args:
        labels: 0 or 1. *Shape:* `(num_posts,)`, not empty.
        predicted: 0 or 1. *Shape:* `(num_posts,)`.
        probabilities: Probability of rumor, in [0, 1]. *Shape:* `(num_posts,)`.
        groups: Number of the near-duplicate group of each post. *Shape:* `(num_posts,)`.
        num_resamples: At least 1.
        level: Share of the resamples inside the interval, in (0, 1).
        seed: Equal seeds give equal intervals.
    """
    random = np.random.default_rng(seed)
    _, group = np.unique(groups, return_inverse=True)
    num_groups = int(group.max()) + 1
    blocks: list[dict[str, NDArray[np.float64]]] = []
    for size in _blocks(num_resamples, len(labels)):
        drawn = (random.integers(num_groups, size=num_groups) for _ in range(size))
        times = np.array([np.bincount(numbers, minlength=num_groups) for numbers in drawn])
        blocks.append(metrics_of_resamples(labels, predicted, probabilities, times[:, group]))
    samples = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    tail = 100 * (1 - level) / 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all NaN: no resample had both labels
        bounds = {name: np.nanpercentile(values, [tail, 100 - tail]) for name, values in samples.items()}
    intervals = {name: (float(low), float(high)) for name, (low, high) in bounds.items()}
    for name, of_share in _shares(labels, predicted).items():
        if of_share.any():
            right = labels[of_share] == predicted[of_share]
            intervals[name] = _with_exact(intervals[name], right, group[of_share], level)
    for name in COUNTS:
        if intervals[name] == (0.0, 0.0):  # of no post; the bound of a share of none
            intervals[name] = (0.0, len(labels) * (1 - ((1 - level) / 2) ** (1 / num_groups)))
    return {name: (low, high) if low < high else (np.nan, np.nan) for name, (low, high) in intervals.items()}


def _shares(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """Return, for each metric that is a share of posts told right, which posts it is a share of."""
    return {
        "accuracy": np.ones(len(labels), dtype=np.bool_),
        "rumor_precision": predicted == 1,
        "rumor_recall": labels == 1,
        "non_rumor_precision": predicted == 0,
        "non_rumor_recall": labels == 0,
    }


def _with_exact(
    interval: tuple[float, float], right: NDArray[np.bool_], group: NDArray[np.int64], level: float
) -> tuple[float, float]:
    """Return an interval of the share that is right, widened to the exact one (Clopper & Pearson, 1934) if few are.

    A group is one trial: below, right if all of its posts are; above, right if any is.
    """
    _, group = np.unique(group, return_inverse=True)
    sizes, rights = np.bincount(group), np.bincount(group, right)
    trials, surely, perhaps, tail = len(sizes), int((rights == sizes).sum()), int((rights > 0).sum()), (1 - level) / 2
    if min(trials - surely, perhaps) >= FEW:
        return interval
    low = float(beta.ppf(tail, surely, trials - surely + 1)) if surely else 0.0
    high = float(beta.ppf(1 - tail, perhaps + 1, trials - perhaps)) if perhaps < trials else 1.0
    return min(low, interval[0]), max(high, interval[1])


def paired_differences(
    labels: NDArray[np.int64],
    predicted: NDArray[np.int64],
    other: NDArray[np.int64],
    groups: NDArray[np.int64],
    *,
    num_resamples: int = 10_000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, dict[str, float]]:
    """Return by how much `predicted` is better than `other` on the same posts, with percentile intervals.

    Both are scored on each resample of whole groups (as in `bootstrap_intervals`), so that a post which both get
    wrong does not widen the interval of the difference.

    Args:
        labels: 0 or 1. *Shape:* `(num_posts,)`, not empty.
        predicted: 0 or 1. *Shape:* `(num_posts,)`.
        other: 0 or 1. *Shape:* `(num_posts,)`.
        groups: Number of the near-duplicate group of each post. *Shape:* `(num_posts,)`.
        num_resamples: At least 1.
        level: Share of the resamples inside the interval, in (0, 1).
        seed: Equal seeds give equal intervals.

    Returns:
        `accuracy` and `macro_f1`, each with `difference`, `low` and `high`, from -1 to 1.
    """
    random = np.random.default_rng(seed)
    _, group = np.unique(groups, return_inverse=True)
    num_groups = int(group.max()) + 1
    tables = [_counts_of_groups(labels, called, group, num_groups) for called in (predicted, other)]
    bounds: dict[str, list[NDArray[np.float64]]] = {"accuracy": [], "macro_f1": []}
    for size in _blocks(num_resamples, num_groups):
        times_drawn = random.multinomial(num_groups, np.full(num_groups, 1 / num_groups), size=size)
        for name, values in _score_differences(*(times_drawn @ table for table in tables)).items():
            bounds[name].append(values)
    whole = _score_differences(*(table.sum(axis=0)[None] for table in tables))
    tail = 100 * (1 - level) / 2
    return {
        name: dict(
            zip(
                ("difference", "low", "high"),
                [float(whole[name][0]), *np.percentile(np.concatenate(bounds[name]), [tail, 100 - tail]).tolist()],
                strict=True,
            )
        )
        for name in bounds
    }


def _blocks(num_resamples: int, length: int) -> list[int]:
    """Return how many resamples to hold at a time, so that memory does not grow with their length."""
    block = max(1, 1_000_000 // length)
    return [min(block, num_resamples - start) for start in range(0, num_resamples, block)]


def _counts_of_groups(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], group: NDArray[np.int64], num_groups: int
) -> NDArray[np.int64]:
    """Return the cells of each group's confusion matrix, as in `COUNTS`. *Shape:* `(num_groups, 4)`."""
    return np.bincount(4 * group + 2 * labels + predicted, minlength=4 * num_groups).reshape(num_groups, 4)


def _score_differences(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Return the differences of two tables of `COUNTS`. *Shape:* `(num_tables, 4)` each -> `(num_tables,)` each."""
    one, other = (scores_of_counts(table.astype(np.float64)) for table in (ours, theirs))
    return {name: one[name] - other[name] for name in ("accuracy", "macro_f1")}


def accuracy_interval(
    right: NDArray[np.bool_],
    groups: NDArray[np.int64],
    *,
    num_resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the percentile interval of the share of posts that were told right, under resampling of whole groups.

    Of few mistakes, or little else, resamples know too little: see `_with_exact`.

    Args:
        right: Whether each post was told right. *Shape:* `(num_posts,)`, not empty.
        groups: Number of the near-duplicate group of each post. *Shape:* `(num_posts,)`.
        num_resamples: At least 1.
        level: Share of the resamples inside the interval, in (0, 1).
        seed: Equal seeds give equal intervals.
    """
    _, group = np.unique(groups, return_inverse=True)
    sizes, rights = np.bincount(group), np.bincount(group, right)
    random = np.random.default_rng(seed)
    draws = (random.integers(len(sizes), size=len(sizes)) for _ in range(num_resamples))
    shares = [rights[drawn].sum() / sizes[drawn].sum() for drawn in draws]
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(shares, [tail, 100 - tail])
    return _with_exact((float(low), float(high)), right, group, level)


def sign_test(
    labels: NDArray[np.int64],
    predicted: NDArray[np.int64],
    other: NDArray[np.int64],
    groups: NDArray[np.int64],
) -> float:
    """Return how likely so uneven a count of groups is on which one or the other is better, if neither is (two-sided).

    The exact test of McNemar, 1947, https://doi.org/10.1007/BF02295996, over groups; arguments as in
    `paired_differences`.
    """
    _, group = np.unique(groups, return_inverse=True)
    signs = np.sign(np.bincount(group, (predicted == labels).astype(np.float64) - (other == labels)))
    better, differing = int((signs > 0).sum()), int((signs != 0).sum())
    return float(binomtest(better, differing).pvalue) if differing else 1.0
