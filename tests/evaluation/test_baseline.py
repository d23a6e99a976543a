import numpy as np
import pytest

from hf_rumor.evaluation.baseline import (
    TOO_FEW_POSTS,
    compare_baselines,
    cross_predict_baselines,
    predict_baselines,
)
from hf_rumor.evaluation.metrics import Scored


TEXTS = ["今天下雨了", "今天下雪了", "听说要停水", "听说要停电"] * 3
LABELS = [0, 0, 1, 1] * 3


def test_the_svm_learns_what_distinguishes_the_labels():
    svm, _ = predict_baselines(TEXTS, LABELS, ["今天下雨", "听说停水", "听说停电"])
    assert svm.tolist() == [0, 1, 1]


def test_the_majority_is_that_of_the_posts_it_is_fitted_on():
    assert predict_baselines(TEXTS[:-1], LABELS[:-1], ["听说停水"] * 4)[1].tolist() == [0] * 4
    assert predict_baselines(TEXTS[1:], LABELS[1:], ["今天下雨"])[1].tolist() == [1]


def test_a_prediction_does_not_depend_on_the_other_test_posts():
    test = ["今天下雨", "听说停水", "完全另外的话"]
    alone = [predict_baselines(TEXTS, LABELS, [text])[0].item() for text in test]
    assert predict_baselines(TEXTS, LABELS, test)[0].tolist() == alone


@pytest.mark.parametrize("num_rumors", [0, 19])
def test_too_few_posts_of_a_label_give_no_baseline(num_rumors):
    labels = np.array([0] * 60 + [1] * num_rumors)
    assert cross_predict_baselines(["一条微博"] * len(labels), labels, np.arange(len(labels))) is None
    comparison = compare_baselines(None, Scored([], labels, labels / 2, 0.0), 0.5, labels)
    assert (comparison.tfidf_svm, comparison.majority, comparison.skipped) == (None, None, TOO_FEW_POSTS)


def test_near_duplicates_count_once_for_cross_validation():
    labels = np.array([0, 1] * 40)
    assert cross_predict_baselines(["一条微博"] * 80, labels, np.arange(80) // 4) is not None
    assert cross_predict_baselines(["一条微博"] * 80, labels, np.arange(80) // 6) is None


def test_the_model_and_the_baselines_are_compared_at_the_same_threshold():
    scored = Scored(["a", "b", "c", "d"], np.array([0, 1, 1, 0]), np.array([0.1, 0.9, 0.4, 0.6]), 0.0)
    predictions = np.array([0, 1, 0, 1]), np.array([1, 1, 1, 1])
    comparison = compare_baselines(predictions, scored, 0.5, np.arange(4))
    assert comparison.tfidf_svm.difference.accuracy.difference == 0.0
    assert comparison.tfidf_svm.sign_test == 1.0
    assert (comparison.majority.accuracy, comparison.majority.macro_f1) == (0.5, pytest.approx(1 / 3))
    assert compare_baselines(predictions, scored, 0.65, np.arange(4)).tfidf_svm.difference.accuracy.difference == 0.25
