"""Find posts that say nearly the same, so that no copy of a test post sits in training.

Two texts are near-duplicates where the Jaccard similarity of their sets of 5-character shingles is at least 0.5.
Candidates come from MinHash-LSH (Broder, 1997, https://doi.org/10.1109/SEQUEN.1997.666900); each is then checked
exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import numpy as np
from datasketch import MinHash, MinHashLSH
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


THRESHOLD = 0.5
SHINGLE_LENGTH = 5  # characters

# 42 bands of 3 rows: a pair at Jaccard 0.5 becomes a candidate with probability 1 - (1 - 0.5**3)**42 = 0.996.
_BANDS, _ROWS = 42, 3

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


@lru_cache(maxsize=100_000)  # a post is compared with each of its candidates
def shingles(text: str) -> frozenset[bytes]:
    """Return the 5-character pieces of a normalised text, in UTF-8; a shorter text is its own only piece."""
    last = max(1, len(text) - SHINGLE_LENGTH + 1)
    return frozenset(text[start : start + SHINGLE_LENGTH].encode() for start in range(last))


def jaccard(one: str, other: str) -> float:
    """Return the Jaccard similarity of two normalised texts, from 0 (nothing in common) to 1."""
    left, right = shingles(one), shingles(other)
    return len(left & right) / len(left | right)


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
    index = MinHashLSH(num_perm=_BANDS * _ROWS, params=(_BANDS, _ROWS))
    pairs = []
    sketches = MinHash.generator(map(shingles, texts), num_perm=_BANDS * _ROWS, seed=1, hashfunc=crc32)
    for j, sketch in enumerate(sketches):
        pairs += [(i, j) for i in index.query(sketch) if jaccard(texts[i], texts[j]) >= THRESHOLD]
        index.insert(j, sketch, check_duplication=False)
    shingles.cache_clear()  # of a large corpus it holds a gigabyte
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
