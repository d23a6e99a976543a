"""How sure is a metric? Bootstrap intervals that respect near-duplicates."""

import warnings

import numpy as np
import sklearn
from numpy.typing import NDArray

from hf_rumor.evaluation.metrics import compute_metrics, confusion


# The cells of the confusion matrix, row by row.
COUNTS = ("right_non_rumors", "false_alarms", "missed_rumors", "right_rumors")


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
    are left out of its percentiles. A share that is 0 or 1 is so in every resample: its interval is `exact_bounds`.
    That of the expected calibration error lies too high, since each resample has chance differences of its own.

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
    members = np.split(np.argsort(group, kind="stable"), np.cumsum(np.bincount(group))[:-1])
    samples: dict[str, list[float]] = {}
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):  # a third of the time
        for _ in range(num_resamples):
            drawn = random.integers(len(members), size=len(members))
            posts = np.concatenate([members[number] for number in drawn])
            values = compute_metrics(labels[posts], predicted[posts], probabilities[posts])
            counts = np.ravel(confusion(labels[posts], predicted[posts])).tolist()
            for name, value in (values | dict(zip(COUNTS, counts, strict=True))).items():
                samples.setdefault(name, []).append(value)
    tail = 100 * (1 - level) / 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all NaN: no resample had both labels
        bounds = {name: np.nanpercentile(values, [tail, 100 - tail]) for name, values in samples.items()}
    intervals = {name: (float(low), float(high)) for name, (low, high) in bounds.items()}
    for name, of_share in _shares(labels, predicted).items():
        right = labels[of_share] == predicted[of_share]
        if len(right) and right.all() == right.any():
            intervals[name] = exact_bounds(bool(right.all()), len(np.unique(group[of_share])), level)
    return intervals


def _shares(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """Return, for each metric that is a share of posts told right, which posts it is a share of."""
    return {
        "accuracy": np.ones(len(labels), dtype=np.bool_),
        "rumor_precision": predicted == 1,
        "rumor_recall": labels == 1,
        "non_rumor_precision": predicted == 0,
        "non_rumor_recall": labels == 0,
    }


def exact_bounds(all_right: bool, num_groups: int, level: float) -> tuple[float, float]:
    """Return the interval of a share that was 1, or 0, in so many independent trials (Clopper & Pearson, 1934)."""
    bound = ((1 - level) / 2) ** (1 / num_groups)
    return (bound, 1.0) if all_right else (0.0, 1 - bound)


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
    block = max(1, 5_000_000 // num_groups)  # resamples at a time, so that memory does not grow with the posts
    for size in np.diff([*range(0, num_resamples, block), num_resamples]):
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


def _counts_of_groups(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], group: NDArray[np.int64], num_groups: int
) -> NDArray[np.int64]:
    """Return the cells of each group's confusion matrix, as in `COUNTS`. *Shape:* `(num_groups, 4)`."""
    return np.bincount(4 * group + 2 * labels + predicted, minlength=4 * num_groups).reshape(num_groups, 4)


def _score_differences(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Return the differences of two tables of `COUNTS`. *Shape:* `(num_tables, 4)` each -> `(num_tables,)` each."""
    accuracies, macro_f1s = [], []
    for table in (ours, theirs):
        right_no, false_alarm, missed, right_yes = table.T
        wrong = false_alarm + missed
        accuracies.append((right_no + right_yes) / table.sum(axis=1))
        f1s = [2 * right / np.maximum(2 * right + wrong, 1) for right in (right_no, right_yes)]
        macro_f1s.append((f1s[0] + f1s[1]) / 2)
    return {"accuracy": accuracies[0] - accuracies[1], "macro_f1": macro_f1s[0] - macro_f1s[1]}


def accuracy_interval(
    right: NDArray[np.bool_],
    groups: NDArray[np.int64],
    *,
    num_resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the percentile interval of the share of posts that were told right, under resampling of whole groups.

    Where all were, or none, it is `exact_bounds`: every resample would have the same share.

    Args:
        right: Whether each post was told right. *Shape:* `(num_posts,)`, not empty.
        groups: Number of the near-duplicate group of each post. *Shape:* `(num_posts,)`.
        num_resamples: At least 1.
        level: Share of the resamples inside the interval, in (0, 1).
        seed: Equal seeds give equal intervals.
    """
    _, group = np.unique(groups, return_inverse=True)
    sizes, rights = np.bincount(group), np.bincount(group, right)
    if right.all() == right.any():
        return exact_bounds(bool(right.all()), len(sizes), level)
    random = np.random.default_rng(seed)
    draws = (random.integers(len(sizes), size=len(sizes)) for _ in range(num_resamples))
    shares = [rights[drawn].sum() / sizes[drawn].sum() for drawn in draws]
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(shares, [tail, 100 - tail])
    return float(low), float(high)
