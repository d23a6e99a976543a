"""The simplest thing that could work, and whether a model is better than it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from hf_rumor.corpus.splits import MIN_POSTS_PER_LABEL
from hf_rumor.errors import CorpusError


# Baseline -> its name for people.
BASELINES = {"tfidf_svm": "character TF-IDF + linear SVM", "majority": "always the more frequent label"}

OUTSIDE = "outside"  # name of the split of a report on a corpus from elsewhere
BASELINES_FITTED = {  # is it such a report -> what baselines were fitted on
    False: "Baselines were fitted on training and validation posts and scored on the same test posts",
    True: "Baselines were fitted on these very posts, by 5-fold cross-validation: where a model of yours would start",
}


@dataclass(frozen=True)
class BaselinePredictions:
    """What the baselines call the test posts: 0 or 1. *Shape:* `(num_posts,)`."""

    tfidf_svm: NDArray[np.int64]
    majority: NDArray[np.int64]


def make_tfidf_svm() -> Pipeline:
    """Return the baseline: characters, 1 to 4 in a row, sublinear TF-IDF, and a linear SVM with C = 1."""
    return make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True), LinearSVC(random_state=0)
    )


def predict_baselines(texts: Sequence[str], labels: Sequence[int], test_texts: Sequence[str]) -> BaselinePredictions:
    """Fit on all posts that a run may see, training and validation; predict the test posts.

    Args:
        texts: Of the training and validation posts.
        labels: 0 or 1, both occur.
        test_texts: Only predicted.
    """
    svm = make_tfidf_svm().fit(texts, labels)
    majority = int(2 * sum(labels) >= len(labels))
    return BaselinePredictions(
        tfidf_svm=np.asarray(svm.predict(test_texts), dtype=np.int64),
        majority=np.full(len(test_texts), majority, dtype=np.int64),
    )


def cross_predict_baselines(
    texts: Sequence[str], labels: NDArray[np.int64], groups: NDArray[np.int64]
) -> BaselinePredictions:
    """Predict every post of a corpus by 5-fold cross-validation; near-duplicates stay together.

    Args:
        texts: Of the posts.
        labels: 0 or 1. *Shape:* `(num_posts,)`.
        groups: Number of the near-duplicate group of each post. *Shape:* `(num_posts,)`.

    Raises:
        CorpusError: There are too few posts of a label.
    """
    fewest = min(len(np.unique(groups[labels == label])) for label in (0, 1))
    if fewest < MIN_POSTS_PER_LABEL:
        raise CorpusError(
            f"expected at least {MIN_POSTS_PER_LABEL} posts of each label, copies counted once, found {fewest}; "
            "give more posts"
        )
    text = np.array(texts, dtype=object)
    svm, majority = np.empty_like(labels), np.empty_like(labels)
    for seen, unseen in StratifiedGroupKFold(5, shuffle=True, random_state=0).split(text, labels, groups):
        found = predict_baselines(text[seen].tolist(), labels[seen].tolist(), text[unseen].tolist())
        svm[unseen], majority[unseen] = found.tfidf_svm, found.majority
    return BaselinePredictions(svm, majority)
