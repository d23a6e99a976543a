"""What the model of the reposts is compared with: linear models over the same tokens, and the number of reposts."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from hf_rumor.reposts.tokens import Ints, Reposts


Scores = NDArray[np.float64]


def count_tokens(reposts: Reposts, vocabulary: int) -> csr_matrix:
    """Return the count of each token over the reposts of a post. *Shape:* `(num_posts, vocabulary)`."""
    ones = np.ones(len(reposts.ids), dtype=np.float32)
    return csr_matrix((ones, (reposts.token_owners(), reposts.ids)), shape=(len(reposts), vocabulary))


def count_features(texts: Sequence[Sequence[int] | Ints], vocabulary: int) -> csr_matrix:
    """Return the count of each token, or other feature, of each text. *Shape:* `(num_posts, vocabulary)`."""
    owners = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    ids = np.concatenate([np.asarray(text, dtype=np.int64) for text in texts])
    return csr_matrix((np.ones(len(ids), dtype=np.float32), (owners, ids)), shape=(len(texts), vocabulary))


def svm_scores(counts: csr_matrix, labels: Ints, test_counts: csr_matrix) -> Scores:
    """Fit a linear SVM over TF-IDF, and return the distances of the test posts from its plane."""
    svm = make_pipeline(TfidfTransformer(sublinear_tf=True), LinearSVC(random_state=0)).fit(counts, labels)
    return np.asarray(svm.decision_function(test_counts), dtype=np.float64)


def number_scores(counts: Ints, labels: Ints, test_counts: Ints) -> Scores:
    """Fit a logistic regression of the logarithm of the number of reposts, and return the log-odds of test posts."""
    fitted = LogisticRegression().fit(np.log1p(counts)[:, None], labels)
    return np.asarray(fitted.decision_function(np.log1p(test_counts)[:, None]), dtype=np.float64)
