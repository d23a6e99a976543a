"""Find pieces of text that give the label away."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import xlogy
from scipy.stats import chi2
from sklearn.feature_extraction.text import CountVectorizer

from hf_rumor.corpus.near_duplicates import Indices
from hf_rumor.labels import LABEL_NAMES


MAX_TOKENS = 4  # per piece
MIN_GROUPS = 5  # near-duplicate groups with the piece
NUM_PIECES = 20  # reported per label
MAX_POSTS = 20_000  # random sample of larger corpora
ALPHA = 0.05  # family-wise error rate over all pieces
SAME = 0.5  # Jaccard similarity of the posts with two pieces, above which only the stronger one is reported

_TOKEN = re.compile(r"[a-z0-9]+|\S")


@dataclass(frozen=True)
class Giveaway:
    """A piece of text that occurs far more often under one label than under the other; near-duplicates count once."""

    piece: str  # one to four consecutive tokens in lower case: characters, Latin words, numbers
    label: str  # that it indicates
    num_rumors: int  # with the piece
    num_non_rumors: int  # with the piece
    accuracy: float  # of the best prediction from the piece alone
    majority: float  # accuracy of always predicting the more frequent label


def find_giveaways(texts: Sequence[str], labels: NDArray[np.int64], groups: Indices) -> list[Giveaway]:
    """Return the pieces that depend most on the label, the strongest of each label first.

    Pieces are ranked by the log-likelihood ratio of Dunning, 1993, https://aclanthology.org/J93-1003, and reported if
    it is significant at 0.05 (Bonferroni). Of pieces in mostly the same posts, only the strongest is reported.
    """
    chosen = np.sort(np.random.default_rng(0).permutation(len(texts))[:MAX_POSTS])
    # Posts of a group with the same label are counted once: each group and label is a row.
    (_, row_labels), rows = np.unique(np.stack([groups[chosen], labels[chosen]]), axis=1, return_inverse=True)
    totals = np.bincount(row_labels, minlength=len(LABEL_NAMES))  # (2,)
    if totals.min() == 0:
        return []
    vectorizer = CountVectorizer(analyzer=pieces_of, binary=True)
    try:
        occurs = vectorizer.fit_transform([texts[position] for position in chosen])  # (num_posts, num_pieces)
    except ValueError:  # all texts are blank
        return []
    merge = csr_array((np.ones(len(chosen)), (rows.reshape(-1), np.arange(len(chosen)))))
    occurs = (merge @ occurs).astype(bool).tocsc()  # (num_rows, num_pieces)
    counts = np.stack([occurs[row_labels == label].sum(axis=0) for label in range(len(LABEL_NAMES))])
    ratios = np.where(counts.sum(axis=0) >= MIN_GROUPS, _log_likelihood_ratio(counts, totals), 0.0)
    num_pieces = int(np.count_nonzero(ratios))
    critical_value = chi2.isf(ALPHA / max(1, num_pieces), df=1)
    ratios[ratios < critical_value] = 0.0
    shares = counts / totals[:, None]
    pieces = vectorizer.get_feature_names_out()
    strongest = [(label, column) for label in (1, 0) for column in _strongest(label, pieces, occurs, shares, ratios)]
    return [_giveaway(label, str(pieces[column]), counts[:, column], totals) for label, column in strongest]


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


def _log_likelihood_ratio(counts: NDArray[np.int64], totals: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return G² of the 2 x 2 table of each piece: with and without it, by label. *Shape:* `(num_pieces,)`."""
    table = np.stack([counts, totals[:, None] - counts]).astype(float)  # (2, 2, num_pieces)
    expected = table.sum(axis=0) * table.sum(axis=1, keepdims=True) / totals.sum()
    return np.asarray(2.0 * (xlogy(table, table) - xlogy(table, expected)).sum(axis=(0, 1)))


def _strongest(label: int, pieces: Any, occurs: Any, shares: NDArray[np.float64], ratios: Any) -> list[int]:
    """Return the columns of the pieces that indicate `label`, the strongest first."""
    strengths = np.where(shares[label] > shares[1 - label], ratios, 0.0)
    chosen: list[int] = []
    for column in np.lexsort((pieces, -strengths)):
        if not strengths[column] or len(chosen) == NUM_PIECES:
            break
        if not any(_are_same(column, other, occurs) for other in chosen):
            chosen.append(int(column))
    return chosen


def _are_same(one: int, other: int, occurs: Any) -> bool:
    left, right = (set(occurs.indices[occurs.indptr[c] : occurs.indptr[c + 1]].tolist()) for c in (one, other))
    return len(left & right) >= SAME * len(left | right)


def _giveaway(label: int, piece: str, counts: NDArray[np.int64], totals: NDArray[np.int64]) -> Giveaway:
    num_correct = counts.max() + (totals - counts).max()
    accuracy, majority = float(num_correct / totals.sum()), float(totals.max() / totals.sum())
    return Giveaway(piece, LABEL_NAMES[label], int(counts[1]), int(counts[0]), accuracy, majority)
