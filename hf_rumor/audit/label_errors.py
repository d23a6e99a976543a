"""Find posts whose label is likely wrong, by the predictions of models that were not trained on them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from hf_rumor.corpus.near_duplicates import Indices


NUM_FOLDS = 5


@dataclass(frozen=True)
class LabelErrors:
    """Posts ranked by how doubtful their label is."""

    order: Indices  # (num_posts,): positions, the most doubtful first
    probability_of_label: NDArray[np.float64]  # (num_posts,): by a model not trained on the post or a near-duplicate
    num_likely: int  # likely errors, which come first in `order`


def find_label_errors(texts: Sequence[str], labels: NDArray[np.int64], groups: Indices) -> LabelErrors | None:
    """Rank posts by how doubtful their label is; None if a label has fewer near-duplicate groups than folds.

    Confident learning (Northcutt et al., 2021, https://arxiv.org/abs/1911.00068), as implemented by cleanlab. The
    number of likely errors depends on the calibration of the probabilities; the order depends on it less.
    """
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    if min(len(np.unique(groups[labels == label])) for label in (0, 1)) < NUM_FOLDS:
        return None
    model = make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True),
        LogisticRegression(C=10.0, max_iter=1000),
    )
    folds = StratifiedGroupKFold(NUM_FOLDS, shuffle=True, random_state=0)
    probabilities = cross_val_predict(model, texts, labels, groups=groups, cv=folds, method="predict_proba")
    quality = get_label_quality_scores(labels, probabilities, method="self_confidence")
    is_likely = find_label_issues(labels, probabilities, filter_by="both", n_jobs=1)
    order = np.lexsort((np.arange(len(labels)), quality, ~is_likely))
    return LabelErrors(order, probabilities[np.arange(len(labels)), labels], int(is_likely.sum()))
