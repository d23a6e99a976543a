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
    are left out of its percentiles.

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
    return {name: (float(low), float(high)) for name, (low, high) in bounds.items()}
