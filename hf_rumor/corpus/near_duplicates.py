"""Find posts that say nearly the same, so that no copy of a test post sits in training.

Two texts are near-duplicates where the Jaccard similarity of their sets of 5-character shingles is at least 0.5.
Candidates come from MinHash-LSH (Broder, 1997, https://doi.org/10.1109/SEQUEN.1997.666900); each whose sketches are
alike enough is then checked exactly. The sketches are those of datasketch. Its index would take 25 kilobytes a post;
sorting the sketches by each band in turn takes one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from zlib import crc32

import numpy as np
from datasketch import MinHash
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


THRESHOLD = 0.5
SHINGLE_LENGTH = 5  # characters

# 42 bands of 3 rows: a pair at Jaccard 0.5 becomes a candidate with probability 1 - (1 - 0.5**3)**42 = 0.996.
_BANDS, _ROWS = 42, 3
# The share of equal values estimates the similarity, at 0.5 with a standard error of 0.045: below this once in 3,000.
_DOUBTFUL = 0.35
# Odd numbers that make one key of the values of a band; texts whose keys are equal by chance fail the checks after it.
_MULTIPLIERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)
_AT_A_TIME = 10_000  # pairs: ten megabytes of sketches

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class NearDuplicates:
    """Which posts of a corpus say nearly the same.

    Attributes:
        text_ids: Number of the distinct text of each post. *Shape:* `(num_posts,)`.
        pairs: Distinct texts that are near-duplicates. *Shape:* `(num_pairs, 2)`.
        groups: Number of the group of each post: posts linked by a chain of pairs. *Shape:* `(num_posts,)`.
    """

    text_ids: Indices
    pairs: Indices
    groups: Indices

    def leaking(self, held_out: Indices, training: Indices) -> Indices:
        """Return those of the `held_out` posts that have a near-duplicate among the `training` posts."""
        seen = np.zeros(self.text_ids.max(initial=-1) + 1, dtype=bool)
        seen[self.text_ids[training]] = True
        near = seen.copy()
        for one, other in (self.pairs.T, self.pairs.T[::-1]):
            near[one[seen[other]]] = True
        return held_out[near[self.text_ids[held_out]]]


def normalise(text: str) -> str:
    """Return `text` without blanks and in lower case: what two copies of a post have in common."""
    return "".join(text.split()).casefold()


@lru_cache(maxsize=10_000)  # a post is compared with each of its candidates
def shingles(text: str) -> frozenset[bytes]:
    """Return the 5-character pieces of a normalised text, in UTF-8; a shorter text is its own only piece."""
    last = max(1, len(text) - SHINGLE_LENGTH + 1)
    return frozenset(text[start : start + SHINGLE_LENGTH].encode() for start in range(last))


def jaccard(one: str, other: str) -> float:
    """Return the Jaccard similarity of two normalised texts, from 0 (nothing in common) to 1."""
    left, right = shingles(one), shingles(other)
    common = len(left & right)
    return common / (len(left) + len(right) - common)


def find_near_duplicates(texts: Sequence[str]) -> NearDuplicates:
    """Find the near-duplicates among `texts`. The result says the same whatever their order."""
    numbers: dict[str, int] = {}
    text_ids = np.array([numbers.setdefault(normalise(text), len(numbers)) for text in texts], dtype=np.int64)
    pairs = _find_pairs(list(numbers))
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(numbers), len(numbers)))
    groups = connected_components(links, directed=False)[1] if numbers else np.zeros(0)
    return NearDuplicates(text_ids, pairs, np.asarray(groups, dtype=np.int64)[text_ids])


def _find_pairs(texts: list[str]) -> Indices:
    """Return the pairs `(i, j)`, `i < j`, of distinct normalised texts that are near-duplicates."""
    sketches = np.empty((len(texts), _BANDS * _ROWS), dtype=np.uint32)  # half a kilobyte a text
    generator = MinHash.generator(map(shingles, texts), num_perm=_BANDS * _ROWS, seed=1, hashfunc=crc32)
    for row, sketch in zip(sketches, generator, strict=True):
        row[:] = sketch.hashvalues
    pairs = [
        (i, j)
        for band in range(_BANDS)
        for chunk in _pairs_in_buckets(sketches[:, band * _ROWS : (band + 1) * _ROWS])
        for i, j in _candidates(sketches, np.sort(chunk), band).tolist()
        if jaccard(texts[i], texts[j]) >= THRESHOLD
    ]
    shingles.cache_clear()
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)


def _pairs_in_buckets(band: NDArray[np.uint32]) -> Iterator[Indices]:
    """Yield pairs of texts whose values in a band are equal or, rarely, collide; many at a time. *Shape:* `(n, 2)`."""
    keys = band.astype(np.uint64) @ _MULTIPLIERS
    order = np.argsort(keys)
    ends = np.searchsorted(keys[order], keys[order], side="right")  # of the bucket that a place is in
    places = np.arange(len(order))
    for distance in count(1):
        places = places[places + distance < ends[places]]
        if not len(places):
            return
        for start in range(0, len(places), _AT_A_TIME):
            chunk = places[start : start + _AT_A_TIME]
            yield np.stack([order[chunk], order[chunk + distance]], axis=1)


def _candidates(sketches: NDArray[np.uint32], pairs: Indices, band: int) -> Indices:
    """Return those pairs that are like enough by their sketches, and that no earlier band has found."""
    equal: NDArray[np.bool_] = sketches[pairs[:, 0]] == sketches[pairs[:, 1]]
    alike = np.count_nonzero(equal, axis=1) >= _DOUBTFUL * _BANDS * _ROWS
    first_band = equal[alike].reshape(-1, _BANDS, _ROWS).all(axis=2).argmax(axis=1)
    found: Indices = pairs[alike][first_band == band]
    return found
