"""Find pieces of text that give the label away: what a model would learn instead of what a rumor is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.special import xlogy
from scipy.stats import chi2
from sklearn.feature_extraction.text import CountVectorizer

from hf_rumor.corpus.near_duplicates import Indices
from hf_rumor.labels import LABEL_NAMES


MAX_TOKENS = 4  # of a piece
MIN_GROUPS = 5  # that a piece occurs in
NUM_PIECES = 20  # told of each label
MAX_POSTS = 20_000  # looked at; the first ones of a random order
ALPHA = 0.05  # chance of one or more pieces by accident, over all that were looked at
SAME = 0.5  # Jaccard similarity of the posts of two pieces, from which on they say the same

_TOKEN = re.compile(r"[a-z0-9]+|\S")


@dataclass(frozen=True)
class Giveaway:
    """A piece of text that occurs far more often under one label than under the other.

    Attributes:
        piece: One to four tokens in a row, in lower case; a token is a character, or a Latin word or number.
        label: Name of the label it speaks for.
        num_rumors: Rumors with the piece; near-duplicates count once.
        num_non_rumors: Non-rumors with the piece; near-duplicates count once.
        accuracy: Of the best guess from this alone: the more frequent label where the piece is, and where it is not.
        majority: Of always guessing the more frequent label; near-duplicates count once here too.
    """

    piece: str
    label: str
    num_rumors: int
    num_non_rumors: int
    accuracy: float
    majority: float


def find_giveaways(texts: Sequence[str], labels: NDArray[np.int64], groups: Indices) -> list[Giveaway]:
    """Return the pieces that tell most about the label, for each label the strongest first.

    Ranked by the log-likelihood ratio of Dunning, 1993, https://aclanthology.org/J93-1003, on the counts of a piece by
    label. Told are those that chance would bring about in less than one of 20 corpora (Bonferroni over all pieces). Of
    pieces that occur in much the same posts, only the strongest is told.

    Args:
        texts: Of the posts.
        labels: 0 or 1. *Shape:* `(num_posts,)`.
        groups: Number of the near-duplicate group of each post. *Shape:* `(num_posts,)`.
    """
    chosen = np.sort(np.random.default_rng(0).permutation(len(texts))[:MAX_POSTS])
    rows, row_labels = _rows_of_groups(labels[chosen], groups[chosen])
    totals = np.bincount(row_labels, minlength=len(LABEL_NAMES))  # (2,)
    if totals.min() == 0:
        return []
    vectorizer = CountVectorizer(analyzer=pieces_of, binary=True)
    try:
        occurs = vectorizer.fit_transform([texts[position] for position in chosen])  # (num_posts, num_pieces)
    except ValueError:  # blanks only
        return []
    merge = coo_array((np.ones(len(rows)), (rows, np.arange(len(rows)))), shape=(len(row_labels), len(rows)))
    occurs = (merge.tocsr() @ occurs).astype(bool).tocsc()  # (num_groups, num_pieces)
    counts = np.stack([occurs[row_labels == label].sum(axis=0) for label in range(len(LABEL_NAMES))])
    ratios = np.where(counts.sum(axis=0) >= MIN_GROUPS, _log_likelihood_ratio(counts, totals), 0.0)
    num_pieces = int(np.count_nonzero(ratios))
    least = chi2.isf(ALPHA / max(1, num_pieces), df=1)
    ratios[ratios < least] = 0.0
    shares = counts / totals[:, None]
    pieces = vectorizer.get_feature_names_out()
    found = [(label, column) for label in (1, 0) for column in _strongest(label, pieces, occurs, shares, ratios)]
    return [_giveaway(label, str(pieces[column]), counts[:, column], totals) for label, column in found]


def pieces_of(text: str) -> list[str]:
    """Return the pieces of a text, one to four tokens long, with repetitions.

    >>> pieces_of("看 OK！")
    ['看', '看ok', '看ok！', 'ok', 'ok！', '！']
    """
    tokens = _TOKEN.findall(text.lower())
    return [
        "".join(tokens[start:end])
        for start in range(len(tokens))
        for end in range(start + 1, min(start + MAX_TOKENS, len(tokens)) + 1)
    ]


def _rows_of_groups(labels: NDArray[np.int64], groups: Indices) -> tuple[Indices, NDArray[np.int64]]:
    """Return the row of each post, one for each group and label, and the label of each row."""
    pairs, rows = np.unique(np.stack([groups, labels]), axis=1, return_inverse=True)
    return rows.reshape(-1), pairs[1]


def _log_likelihood_ratio(counts: NDArray[np.int64], totals: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return G² of the 2 x 2 table of each piece: with and without it, by label. *Shape:* `(num_pieces,)`."""
    table = np.stack([counts, totals[:, None] - counts]).astype(float)  # (2, 2, num_pieces)
    expected = table.sum(axis=0) * table.sum(axis=1, keepdims=True) / totals.sum()
    return np.asarray(2.0 * (xlogy(table, table) - xlogy(table, expected)).sum(axis=(0, 1)))


def _strongest(label: int, pieces: Any, occurs: Any, shares: NDArray[np.float64], ratios: Any) -> list[int]:
    """Return the columns of the pieces that speak for `label`, the strongest first."""
    speaking = np.where(shares[label] > shares[1 - label], ratios, 0.0)
    found: list[int] = []
    for column in np.lexsort((pieces, -speaking)):
        if not speaking[column] or len(found) == NUM_PIECES:
            break
        if not any(_are_same(column, other, occurs) for other in found):
            found.append(int(column))
    return found


def _are_same(one: int, other: int, occurs: Any) -> bool:
    left, right = (set(occurs.indices[occurs.indptr[c] : occurs.indptr[c + 1]].tolist()) for c in (one, other))
    return len(left & right) >= SAME * len(left | right)


def _giveaway(label: int, piece: str, counts: NDArray[np.int64], totals: NDArray[np.int64]) -> Giveaway:
    right = counts.max() + (totals - counts).max()
    accuracy, majority = float(right / totals.sum()), float(totals.max() / totals.sum())
    return Giveaway(piece, LABEL_NAMES[label], int(counts[1]), int(counts[0]), accuracy, majority)
