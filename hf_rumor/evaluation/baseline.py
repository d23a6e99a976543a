"""The baselines, and by how much a model is better."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hf_rumor.corpus.splits import MIN_POSTS_PER_LABEL
from hf_rumor.evaluation.intervals import Differences, Groups, paired_differences, sign_test
from hf_rumor.evaluation.metrics import Labels, Scored, compute_metrics
from hf_rumor.labels import decide


if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


# Baseline -> its name for people.
BASELINES = {"tfidf_svm": "character TF-IDF + linear SVM", "majority": "majority class", "teacher": "teacher"}
TOO_FEW_POSTS = f"fewer than {MIN_POSTS_PER_LABEL} posts of a label, near-duplicates counted once"

Predictions = tuple[Labels, Labels]  # of the SVM and of the majority class


@dataclass(frozen=True)
class Comparison:
    """The scores of a baseline on the test posts, and how much better the model is."""

    accuracy: float
    macro_f1: float
    difference: Differences
    sign_test: float  # two-sided p-value


@dataclass(frozen=True)
class Baselines:
    """The comparison with each baseline, or the reason why there is none."""

    tfidf_svm: Comparison | None = None
    majority: Comparison | None = None
    teacher: Comparison | None = None  # None without distillation
    skipped: str | None = None


def make_tfidf_svm() -> "Pipeline":
    """Return the baseline: character 1- to 4-grams, sublinear TF-IDF, and a linear SVM with C = 1."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # here: `describe` reads reports without it
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    return make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True), LinearSVC(random_state=0)
    )


def predict_baselines(texts: Sequence[str], labels: Sequence[int], test_texts: Sequence[str]) -> Predictions:
    """Fit the baselines on training and validation posts of both labels, and predict the test posts."""
    svm = make_tfidf_svm().fit(texts, labels)
    majority = int(2 * sum(labels) >= len(labels))
    return np.asarray(svm.predict(test_texts), dtype=np.int64), np.full(len(test_texts), majority, dtype=np.int64)


def cross_predict_baselines(texts: Sequence[str], labels: Labels, groups: Groups) -> Predictions | None:
    """Predict every post of a corpus by 5-fold cross-validation by group; return None for `TOO_FEW_POSTS`."""
    if min(len(np.unique(groups[labels == label])) for label in (0, 1)) < MIN_POSTS_PER_LABEL:
        return None
    from sklearn.model_selection import StratifiedGroupKFold

    text = np.array(texts, dtype=object)
    svm, majority = np.empty_like(labels), np.empty_like(labels)
    for fit, held_out in StratifiedGroupKFold(5, shuffle=True, random_state=0).split(text, labels, groups):
        svm[held_out], majority[held_out] = predict_baselines(
            text[fit].tolist(), labels[fit].tolist(), text[held_out].tolist()
        )
    return svm, majority


def compare_baselines(
    predictions: Predictions | None,
    scored: Scored,
    threshold: float,
    groups: Groups,
    teacher: Labels | None = None,
) -> Baselines:
    """Return how the model compares with each baseline, and with the predictions of its teacher, on the same posts."""
    if predictions is None:
        return Baselines(skipped=TOO_FEW_POSTS)
    predicted = decide(scored.probabilities, threshold)

    def compare(baseline: Labels) -> Comparison:
        metrics = compute_metrics(scored.labels, baseline, baseline.astype(np.float64))
        return Comparison(
            accuracy=metrics.accuracy,
            macro_f1=metrics.macro_f1,
            difference=paired_differences(scored.labels, predicted, baseline, groups),
            sign_test=sign_test(scored.labels, predicted, baseline, groups),
        )

    svm, majority = predictions
    return Baselines(compare(svm), compare(majority), None if teacher is None else compare(teacher))
