"""Does a probability mean what it says?"""

import numpy as np
from numpy.typing import NDArray


def expected_calibration_error(labels: NDArray[np.int64], probabilities: NDArray[np.float64], bins: int = 15) -> float:
    """Return the expected calibration error of the probability of rumor, from 0 (calibrated) to 1.

    Naeini et al., 2015, https://doi.org/10.1609/aaai.v29i1.9602, with bins of equal mass (Nixon et al., 2019,
    https://arxiv.org/abs/1904.01685): posts are sorted by probability and cut into `bins` runs of equal length; the
    result is the mean distance between a run's mean probability and its share of rumors, weighted by its length.

    Args:
        labels: 0 or 1. *Shape:* `(num_posts,)`.
        probabilities: Probability of rumor, in [0, 1]. *Shape:* `(num_posts,)`.
        bins: Number of runs, at least 1.
    """
    # Posts of one probability share their mean gap: there is no order among them.
    _, tie, sizes = np.unique(probabilities, return_inverse=True, return_counts=True)
    gaps = np.repeat(np.bincount(tie, probabilities - labels) / sizes, sizes)
    runs = np.array_split(gaps, min(bins, len(gaps)))
    return float(sum(abs(run.sum()) for run in runs) / len(gaps))
