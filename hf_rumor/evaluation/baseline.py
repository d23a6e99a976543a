"""The simplest thing that could work, and whether a model is better than it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC


# Baseline -> its name for people.
BASELINES = {"tfidf_svm": "character TF-IDF + linear SVM", "majority": "always the more frequent label"}


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
