"""How much further labels would help: a learning curve of the SVM baseline, extrapolated as a power law."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_rumor.corpus.splits import MIN_POSTS_PER_LABEL
from hf_rumor.errors import ArgumentError
from hf_rumor.evaluation.baseline import make_tfidf_svm
from hf_rumor.evaluation.intervals import Groups
from hf_rumor.evaluation.metrics import Floats, Labels


MIN_POSTS = 100
HALVINGS = 3  # the smallest part has an eighth of the posts
NUM_FOLDS, NUM_ORDERS = 5, 4


@dataclass(frozen=True)
class LearningCurve:
    """Errors of the baseline by number of labeled posts.

    Attributes:
        sizes: Numbers of labeled posts, ascending.
        errors: Share of posts of other stories classified incorrectly, for each size.
        extra: Number of further labels.
        gain: By how much `extra` further labels reduce the error: median over the repetitions.
        low: Its 2.5% quantile over the repetitions.
        high: Its 97.5% quantile.
    """

    sizes: tuple[int, ...]
    errors: tuple[float, ...]
    extra: int
    gain: float
    low: float
    high: float


def learning_curve(texts: Sequence[str], labels: Labels, groups: Groups, extra: int = 100) -> LearningCurve:
    """Measure the SVM on growing parts of a corpus, and extrapolate its error.

    Each repetition holds out a fifth of the groups, measures four sizes, and fits `error = a * size^-b` to them
    (Hestness et al. 2017).

    Args:
        texts: Labeled posts.
        labels: Their labels. *Shape:* `(num_posts,)`.
        groups: Their near-duplicate groups. *Shape:* `(num_posts,)`.
        extra: Number of further labels.

    Raises:
        ArgumentError: There are too few posts, or too few groups of a label.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    num_groups = min(len(np.unique(groups[labels == label])) for label in (0, 1))
    if len(texts) < MIN_POSTS or num_groups < MIN_POSTS_PER_LABEL:
        raise ArgumentError(
            f"learning curve: at least {MIN_POSTS} labeled posts and {MIN_POSTS_PER_LABEL} stories of each label are "
            f"needed (posts: {len(texts)}, stories: {num_groups}). Label more posts."
        )
    array = np.array(texts, dtype=object)
    shares = 2.0 ** -np.arange(HALVINGS, -1, -1)
    errors = []
    for seed in range(NUM_ORDERS):
        order = np.random.default_rng(seed).permutation(len(texts))
        folds = StratifiedGroupKFold(NUM_FOLDS, shuffle=True, random_state=seed)
        for fit, held_out in folds.split(array, labels, groups):
            ordered = order[np.isin(order, fit)]
            errors.append([_error(array, labels, ordered[: round(len(fit) * share)], held_out) for share in shares])
    sizes = np.round(len(texts) * (1 - 1 / NUM_FOLDS) * shares).astype(int)
    gains = [_gain(sizes, np.array(one), len(texts), extra) for one in errors]
    low, gain, high = np.quantile(gains, (0.025, 0.5, 0.975)).tolist()
    return LearningCurve(tuple(sizes.tolist()), tuple(np.mean(errors, axis=0).tolist()), extra, gain, low, high)


def _error(texts: NDArray[Any], labels: Labels, fit: Labels, test: Labels) -> float:
    """Return the share of errors, with one error in two further posts, so that it is never 0."""
    try:
        svm = make_tfidf_svm().fit(texts[fit], labels[fit])
        num_wrong = int(np.sum(svm.predict(texts[test]) != labels[test]))
    except ValueError:  # one label only, or no piece of text in two posts
        num_wrong = int(np.sum(labels[test] != round(labels[fit].mean())))
    return (num_wrong + 1) / (len(test) + 2)


def _gain(sizes: Labels, errors: Floats, size: int, extra: int) -> float:
    slope, offset = np.polyfit(np.log(sizes), np.log(errors), 1)
    now, later = np.exp(offset + slope * np.log([size, size + extra]))
    return float(now - later)
