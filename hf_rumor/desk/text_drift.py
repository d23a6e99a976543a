"""Do the texts of a day differ from those of a reference? Three answers, all computed fast for many windows.

The classifier two-sample test (Lopez-Paz & Oquab, 2017, arXiv:1610.06545) fits a classifier that separates the day
from the reference. Its ROC-AUC on posts that it was not fitted on is near 0.5 if both come from the same source. The
classifier is a ridge regression on hashed character n-grams. Its leave-one-out predictions have a closed form, so that
one matrix is factorized for all windows of the reference.

The surprise of a post is its mean number of bits per character under a smoothed bigram model of the reference
(Dirichlet smoothing: Zhai & Lafferty, 2004, https://doi.org/10.1145/984321.984322). It needs fewer posts to detect a
new source, since it is not fitted on the day.

The distance in style compares the rates of the most frequent characters, which depend less on topics than on who
writes, as Burrows's Delta does for words (2002, https://doi.org/10.1093/llc/17.3.267).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import rankdata
from sklearn.feature_extraction.text import HashingVectorizer

from hf_rumor.evaluation.metrics import Floats


NUM_FEATURES = 2**10
NGRAMS = (1, 3)  # characters
RIDGE = 1.0  # penalty of squared weights
PRIOR_COUNT = 50.0  # weight of single characters in the bigram model, in bigrams
NUM_CHARACTERS = 20_000  # in use; each has one occurrence more than was counted
NUM_FREQUENT = 200  # characters whose rates are the style
_START = 0  # character before the first one
_BASE = 0x110000  # number of code points

Indices = NDArray[np.int64]
Factor = tuple[Floats, bool]  # of `cho_factor`


def vectorize(texts: Sequence[str]) -> Floats:
    """Return which n-grams each text contains, as vectors of length 1. *Shape:* `(num_texts, NUM_FEATURES)`.

    Many n-grams share a feature, with random signs, so that inner products are kept on average (Weinberger et al.,
    2009, arXiv:0902.2206).
    """
    hashing = HashingVectorizer(
        analyzer="char", ngram_range=NGRAMS, n_features=NUM_FEATURES, binary=True, alternate_sign=True, lowercase=False
    )
    vectors: Floats = hashing.transform(texts).toarray()
    return vectors


def auc_error(num_positive: int, num_negative: int) -> float:
    """Return the standard error of a ROC-AUC of independent posts from one source (Mann & Whitney, 1947)."""
    return float(np.sqrt((num_positive + num_negative + 1) / (12 * num_positive * num_negative)))


class TwoSampleTest:
    """The classifier two-sample test against a reference.

    Args:
        features: Of the reference, from `vectorize`. *Shape:* `(num_posts, NUM_FEATURES)`.
    """

    def __init__(self, features: Floats) -> None:
        self._features = features
        self._gram: Floats = features.T @ features + RIDGE * np.eye(features.shape[1])
        self._factor = cho_factor(self._gram)
        self._leverages = _leverages(features, self._factor)

    def within(self, windows: Sequence[Indices]) -> Floats:
        """Return the AUC of each window of the reference against the rest. *Shape:* `(num_windows,)`."""
        is_inside = np.zeros((len(self._features), len(windows)), dtype=bool)
        for column, window in enumerate(windows):
            is_inside[window, column] = True
        predicted = _leave_one_out(self._features, self._factor, self._leverages, is_inside)
        return np.array([_auc(*columns) for columns in zip(is_inside.T, predicted.T, strict=True)])

    def against(self, features: Floats, excluded: Indices) -> float:
        """Return the AUC of new posts against the reference without its posts in `excluded`."""
        without = self._features[excluded]
        factor = cho_factor(self._gram + features.T @ features - without.T @ without)
        whole = np.concatenate([features, np.delete(self._features, excluded, axis=0)])
        is_new = np.arange(len(whole)) < len(features)
        predicted = _leave_one_out(whole, factor, _leverages(whole, factor), is_new[:, None])
        return _auc(is_new, predicted[:, 0])


def _leverages(features: Floats, factor: Factor) -> Floats:
    """Return the weight of each post in its own prediction. *Shape:* `(num_posts,)`."""
    leverages: Floats = np.einsum("pf,fp->p", features, cho_solve(factor, features.T))
    return leverages


def _leave_one_out(features: Floats, factor: Factor, leverages: Floats, is_positive: NDArray[np.bool_]) -> Floats:
    """Return the prediction for each post by the ridge regression on all others. *Shape:* as `is_positive`."""
    targets = is_positive - is_positive.mean(axis=0)
    own = leverages[:, None]
    predicted: Floats = (features @ cho_solve(factor, features.T @ targets) - own * targets) / (1 - own)
    return predicted


def _auc(is_positive: NDArray[np.bool_], scores: Floats) -> float:
    ranks = rankdata(scores)
    num_positive = int(is_positive.sum())
    rank_sum = ranks[is_positive].sum() - num_positive * (num_positive + 1) / 2
    return float(rank_sum / (num_positive * (len(scores) - num_positive)))


@dataclass(frozen=True)
class Bigrams:
    """The bigrams of texts, one after the other; each text starts with a character of its own."""

    pairs: NDArray[np.int64]  # (num_bigrams,)
    starts: Indices  # (num_texts + 1,): the bigrams of text i are those from starts[i] to starts[i + 1]

    def of(self, texts: Indices) -> "Bigrams":
        """Return the bigrams of some of the texts."""
        parts = [self.pairs[self.starts[text] : self.starts[text + 1]] for text in texts]
        return _joined(parts)


def _joined(parts: Sequence[NDArray[np.int64]]) -> Bigrams:
    starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    return Bigrams(np.concatenate([np.empty(0, dtype=np.int64), *parts]), starts)


def bigrams(texts: Sequence[str]) -> Bigrams:
    """Return the bigrams of texts."""
    codes = [np.array([_START, *map(ord, text)], dtype=np.int64) for text in texts]
    return _joined([code[:-1] * _BASE + code[1:] for code in codes])


class Surprise:
    """The bigram model of a reference."""

    def __init__(self, reference: Bigrams) -> None:
        self._reference = reference
        self._pairs, self._pair_counts = np.unique(reference.pairs, return_counts=True)
        self._first, self._first_counts = np.unique(reference.pairs // _BASE, return_counts=True)
        self._second, self._second_counts = np.unique(reference.pairs % _BASE, return_counts=True)

    def score(self, posts: Bigrams, excluded: Indices) -> Floats:
        """Return the surprise of each post, given the reference without its posts in `excluded`.

        *Shape:* `(num_posts,)`, in bits per character; NaN for an empty text.
        """
        without = self._reference.of(excluded).pairs
        pair_counts = _lookup(self._pairs, self._pair_counts, without, posts.pairs)
        first = _lookup(self._first, self._first_counts, without // _BASE, posts.pairs // _BASE)
        second = _lookup(self._second, self._second_counts, without % _BASE, posts.pairs % _BASE)
        num_left = len(self._reference.pairs) - len(without)
        single = (second + 1.0) / (num_left + NUM_CHARACTERS)
        bits = -np.log2((pair_counts + PRIOR_COUNT * single) / (first + PRIOR_COUNT))
        sums = np.diff(np.concatenate([[0.0], np.cumsum(bits)])[posts.starts])
        lengths = np.diff(posts.starts)
        surprises: Floats = np.where(lengths > 0, sums / np.maximum(1, lengths), np.nan)
        return surprises


def _lookup(keys: Indices, counts: Indices, without: Indices, wanted: Indices) -> Floats:
    """Return how often each wanted key was counted, without the occurrences in `without`."""
    remaining = counts - np.bincount(np.searchsorted(keys, without), minlength=len(counts))
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, remaining[places], 0).astype(float)


class Style:
    """The rates of the most frequent characters of a reference, over its windows."""

    def __init__(self, texts: Sequence[str]) -> None:
        counts = Counter(character for text in texts for character in text)
        self._characters = [character for character, _ in counts.most_common(NUM_FREQUENT)]
        self._counts = self._count(texts)
        self._lengths = np.array([len(text) for text in texts])

    def _count(self, texts: Sequence[str]) -> Floats:
        counters = [Counter(text) for text in texts]
        return np.array([[float(counter[one]) for one in self._characters] for counter in counters])

    def rates(self, windows: Sequence[Indices]) -> Floats:
        """Return the rate of each character in each window. *Shape:* `(num_windows, num_frequent)`."""
        return np.stack([self._counts[window].sum(axis=0) / max(1, self._lengths[window].sum()) for window in windows])

    def within(self, windows: Sequence[Indices]) -> Floats:
        """Return the distance of each window to all others but its neighbours. *Shape:* `(num_windows,)`."""
        rates, number = self.rates(windows), np.arange(len(windows))
        lengths = [max(1, int(self._lengths[window].sum())) for window in windows]
        others = [rates[abs(number - one) > 1] for one in number]
        return np.array([_distance(*window) for window in zip(rates, others, lengths, strict=True)])

    def against(self, texts: Sequence[str], rates: Floats) -> float:
        """Return the distance of new posts to the windows with these rates."""
        length = max(1, sum(len(text) for text in texts))
        return _distance(self._count(texts).sum(axis=0) / length, rates, length)


def _distance(rate: Floats, others: Floats, length: int) -> float:
    """Return the root mean squared difference of the rates, in standard deviations, as a natural logarithm.

    A standard deviation is at least that of independent characters.
    """
    mean = others.mean(axis=0)
    spread = np.maximum(others.std(axis=0, ddof=1), np.sqrt(np.maximum(mean, 1 / length) / length))
    return float(0.5 * np.log(np.maximum(1e-9, (((rate - mean) / spread) ** 2).mean())))
