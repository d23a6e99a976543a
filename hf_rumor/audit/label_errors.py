"""Find posts whose label is doubtful: models that did not see them say the other one."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from hf_rumor.corpus.near_duplicates import Indices


NUM_FOLDS = 5


@dataclass(frozen=True)
class LabelErrors:
    """How far the label of each post is to be doubted.

    Attributes:
        order: Positions of the posts, the most doubtful first. *Shape:* `(num_posts,)`.
        probability_of_label: Of the label that a post has, said by a model that saw neither it nor a near-duplicate of
            it, from 0 to 1. *Shape:* `(num_posts,)`.
        num_likely: Posts at the head of `order` that confident learning takes for errors.
    """

    order: Indices
    probability_of_label: NDArray[np.float64]
    num_likely: int


def can_find_label_errors() -> bool:
    """Return whether cleanlab, of the extra `audit`, is installed."""
    return importlib.util.find_spec("cleanlab") is not None


def find_label_errors(texts: Sequence[str], labels: NDArray[np.int64], groups: Indices) -> LabelErrors | None:
    """Rank posts by doubt in their labels; None where a label has fewer groups than there are folds.

    Confident learning: Northcutt et al., 2021, https://arxiv.org/abs/1911.00068, as implemented by cleanlab. How many
    posts are taken for errors depends on how well the probabilities are calibrated; their order does less.

    Args:
        texts: Of the posts.
        labels: 0 or 1. *Shape:* `(num_posts,)`.
        groups: Number of the near-duplicate group of each post. *Shape:* `(num_posts,)`.
    """
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    if min(len(np.unique(groups[labels == label])) for label in (0, 1)) < NUM_FOLDS:
        return None
    probabilities = _out_of_fold(texts, labels, groups)  # (num_posts, 2)
    quality = get_label_quality_scores(labels, probabilities, method="self_confidence")
    is_likely = find_label_issues(labels, probabilities, filter_by="both", n_jobs=1)
    order = np.lexsort((np.arange(len(labels)), quality, ~is_likely))
    return LabelErrors(order, probabilities[np.arange(len(labels)), labels], int(is_likely.sum()))


def _out_of_fold(texts: Sequence[str], labels: NDArray[np.int64], groups: Indices) -> NDArray[np.float64]:
    """Return the probability of each label for each post from a model without its group. *Shape:* `(num_posts, 2)`."""
    probabilities = np.empty((len(labels), 2))
    text = np.array(texts, dtype=object)
    folds = StratifiedGroupKFold(NUM_FOLDS, shuffle=True, random_state=0)
    for seen, unseen in folds.split(text, labels, groups):
        model = make_pipeline(
            TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True),
            LogisticRegression(C=10.0, max_iter=1000),
        )
        probabilities[unseen] = model.fit(text[seen], labels[seen]).predict_proba(text[unseen])
    return probabilities
