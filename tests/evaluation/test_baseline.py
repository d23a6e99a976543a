import numpy as np

from hf_rumor.evaluation.baseline import predict_baselines


TEXTS = ["今天下雨了", "今天下雪了", "听说要停水", "听说要停电"] * 3
LABELS = [0, 0, 1, 1] * 3


def test_the_svm_learns_what_tells_the_labels_apart():
    found = predict_baselines(TEXTS, LABELS, ["今天下雨", "听说停水", "听说停电"])
    assert found.tfidf_svm.tolist() == [0, 1, 1]


def test_the_majority_is_that_of_the_posts_that_were_seen():
    assert predict_baselines(TEXTS[:-1], LABELS[:-1], ["听说停水"] * 4).majority.tolist() == [0] * 4
    assert predict_baselines(TEXTS[1:], LABELS[1:], ["今天下雨"]).majority.tolist() == [1]


def test_what_is_called_of_a_post_does_not_depend_on_the_other_test_posts():
    test = ["今天下雨", "听说停水", "完全另外的话"]
    alone = [predict_baselines(TEXTS, LABELS, [text]).tfidf_svm[0] for text in test]
    assert np.array_equal(predict_baselines(TEXTS, LABELS, test).tfidf_svm, alone)
