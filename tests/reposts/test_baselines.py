import numpy as np

from hf_rumor.reposts.baselines import count_features, count_tokens, number_scores, svm_scores
from hf_rumor.reposts.tokens import Reposts


# Three posts: the first with the reposts [0, 0] and [2], the second with [1], the third with none.
REPOSTS = Reposts(*(np.array(values) for values in ([0, 2, 3, 3], [1, 2, 5], [False] * 3, [0, 2, 3, 4], [0, 0, 2, 1])))
LABELS = np.array([0, 1] * 6)


def test_tokens_are_counted_over_the_reposts_of_a_post():
    expected = [[2, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert count_tokens(REPOSTS, 3).toarray().tolist() == expected
    assert count_features([[0, 0, 2], [1], []], 3).toarray().tolist() == expected


def test_the_svm_separates_labels_that_differ_in_a_token():
    counts = count_features([[label, 2] for label in LABELS.tolist()], 3)
    assert ((svm_scores(counts, LABELS, counts) > 0) == LABELS).all()


def test_the_number_of_reposts_alone_ranks_posts_by_it():
    counts = np.where(LABELS == 1, 3, 40)
    scores = number_scores(counts, LABELS, np.array([2, 10, 50]))
    assert scores.tolist() == sorted(scores.tolist(), reverse=True)
