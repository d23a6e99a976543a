"""Find near-duplicates, so that copies of test posts are kept out of training.

Two texts are near-duplicates if the Jaccard similarity of their sets of 5-character shingles is at least 0.5.
Candidates come from MinHash-LSH (Broder, 1997, https://doi.org/10.1109/SEQUEN.1997.666900). If their sketches are
similar, they are compared exactly, unless earlier pairs already determine the result: of a thousand copies, few pairs
are compared. The sketches are those of datasketch. Its LSH index would need 25 kB per post; sorting the sketches by
band needs 1 kB.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from hf_rumor.corpus.normalization import normalize


if TYPE_CHECKING:
    from scipy.sparse import csr_array

THRESHOLD = 0.5
SHINGLE_LENGTH = 5  # characters

# 42 bands of 3 rows: a pair with similarity 0.5 becomes a candidate with probability 1 - (1 - 0.5**3)**42 = 0.996.
BANDS, ROWS = 42, 3
# The share of equal MinHash values has a standard error of 0.045 at similarity 0.5: 1 of 3,000 pairs is below this.
_MIN_EQUAL = 0.35
# Odd numbers that combine the values of a band into one key; chance collisions are rejected by the later checks.
_MULTIPLIERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)
_COLUMNS = 2**31 - 1  # of a sparse matrix with 32-bit indices
_AT_A_TIME = 10_000  # pairs: 10 MB of sketches
_SHINGLES_AT_A_TIME = 5_000_000  # of such pairs: 50 MB

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Fingerprints:
    """Shingles and MinHash sketches of texts."""

    texts: Sequence[str]  # distinct and normalized
    shingles: "csr_array"  # (num_texts, _COLUMNS): 1 for each hashed shingle of the text
    sketches: NDArray[np.uint32]  # (num_texts, BANDS * ROWS): MinHash values


@dataclass(frozen=True)
class NearDuplicates:
    """The near-duplicates of a corpus."""

    text_ids: Indices  # (num_posts,): number of the distinct text of each post
    groups: Indices  # (num_posts,): number of the group of each post; a chain of near-duplicates is one group
    fingerprints: Fingerprints  # of the distinct texts

    def among(self, posts: Indices) -> "NearDuplicates":
        """Return the near-duplicates among some of the posts."""
        kept, text_ids = np.unique(self.text_ids[posts], return_inverse=True)
        texts, shingles, sketches = self.fingerprints.texts, self.fingerprints.shingles, self.fingerprints.sketches
        return _grouped(text_ids, Fingerprints([texts[number] for number in kept], shingles[kept], sketches[kept]))

    def sketches(self, posts: Indices) -> NDArray[np.uint32]:
        """Return the MinHash values of some of the posts. *Shape:* `(num_posts, BANDS * ROWS)`."""
        return self.fingerprints.sketches[self.text_ids[posts]]

    def leaking(self, held_out: Indices, training: Indices) -> Indices:
        """Return the `held_out` posts that have a near-duplicate among the `training` posts."""
        sides = np.full(len(self.fingerprints.texts), -1)
        sides[self.text_ids[held_out]] = 0
        sides[self.text_ids[training]] = 1
        is_near = sides == 1
        group_of_text = np.empty(len(sides), dtype=np.int64)
        group_of_text[self.text_ids] = self.groups
        on_both_sides = np.intersect1d(group_of_text[sides == 0], group_of_text[sides == 1])
        sides[~np.isin(group_of_text, on_both_sides)] = -1
        for pairs in _near_pairs(self.fingerprints, sides):
            leaked = pairs[sides[pairs] == 0]
            is_near[leaked], sides[leaked] = True, -1
        leaking: Indices = held_out[is_near[self.text_ids[held_out]]]
        return leaking


def shingles(text: str) -> frozenset[bytes]:
    """Return the 5-character shingles of a normalized text, in UTF-8; a shorter text is one shingle."""
    last = max(1, len(text) - SHINGLE_LENGTH + 1)
    return frozenset(text[start : start + SHINGLE_LENGTH].encode() for start in range(last))


def jaccard(one: str, other: str) -> float:
    """Return the Jaccard similarity of two normalized texts, from 0 to 1."""
    left, right = shingles(one), shingles(other)
    common = len(left & right)
    return common / (len(left) + len(right) - common)


def find_near_duplicates(texts: Sequence[str]) -> NearDuplicates:
    """Find the near-duplicates among `texts`. The groups do not depend on the order of the texts."""
    numbers: dict[str, int] = {}
    text_ids = np.array([numbers.setdefault(normalize(text), len(numbers)) for text in texts], dtype=np.int64)
    return _grouped(text_ids, _fingerprint(list(numbers)))


def _grouped(text_ids: Indices, fingerprints: Fingerprints) -> NearDuplicates:
    """Find the pairs of near-duplicates among the distinct texts."""
    firsts = np.arange(len(fingerprints.texts))  # the first text of the group of each text, as far as known
    for pairs in _near_pairs(fingerprints, firsts):
        _merge_groups(firsts, pairs)
    groups = np.unique(firsts, return_inverse=True)[1]
    return NearDuplicates(text_ids, groups[text_ids], fingerprints)


def sketch(texts: Sequence[str]) -> NDArray[np.uint32]:
    """Return the MinHash values of normalized texts. *Shape:* `(num_texts, BANDS * ROWS)`."""
    return _fingerprint(texts).sketches


def _merge_groups(firsts: Indices, pairs: Indices) -> None:
    """Merge the groups of each pair, in place."""
    from scipy.sparse import coo_array  # here, as below: `describe` and `predict` find no near-duplicates
    from scipy.sparse.csgraph import connected_components

    old, ends = np.unique(firsts[pairs], return_inverse=True)
    one, other = ends.reshape(-1, 2).T
    links = coo_array((np.ones(len(pairs)), (one, other)), shape=(len(old), len(old)))
    merged = connected_components(links, directed=False)[1]
    new = np.arange(len(firsts))
    new[old] = old[np.unique(merged, return_index=True)[1][merged]]
    firsts[:] = new[firsts]


def _fingerprint(texts: Sequence[str]) -> Fingerprints:
    from datasketch import MinHash
    from scipy.sparse import csr_array

    hashed, ends = array("I"), array("q", [0])

    def hashes() -> Iterator[set[int]]:
        for text in texts:
            codes = {crc32(shingle) for shingle in shingles(text)}
            hashed.extend(codes)
            ends.append(len(hashed))
            yield codes

    sketches = np.empty((len(texts), BANDS * ROWS), dtype=np.uint32)  # 0.5 kB per text, like the shingles
    generator = MinHash.generator(hashes(), num_perm=BANDS * ROWS, seed=1, hashfunc=int)
    for row, sketch in zip(sketches, generator, strict=True):
        row[:] = sketch.hashvalues
    columns = (np.asarray(hashed) % _COLUMNS).astype(np.int32)
    starts = np.asarray(ends, dtype=np.int32 if len(hashed) < 2**31 else np.int64)
    sets = csr_array((np.ones(len(columns), dtype=np.int8), columns, starts), shape=(len(texts), _COLUMNS))
    sets.sum_duplicates()
    return Fingerprints(texts, sets, sketches)


def _near_pairs(fingerprints: Fingerprints, classes: Indices) -> Iterator[Indices]:
    """Yield pairs of near-duplicates of different classes. *Shape:* `(num_pairs, 2)`.

    Args:
        fingerprints: Of the texts.
        classes: Of the texts; those of class -1 are skipped. The caller may update it after each yield, so that pairs
            that earlier ones determine are not compared.
    """
    texts, sketches = fingerprints.texts, fingerprints.sketches
    for band in range(BANDS):
        keys = sketches[:, band * ROWS : (band + 1) * ROWS].astype(np.uint64) @ _MULTIPLIERS
        for pairs in _pairs_in_buckets(keys, classes):
            likely = _likely(fingerprints, pairs, band)
            is_near = [jaccard(texts[i], texts[j]) >= THRESHOLD for i, j in likely.tolist()]
            if any(is_near):
                yield likely[is_near]


def _pairs_in_buckets(keys: NDArray[np.uint64], classes: Indices) -> Iterator[Indices]:
    """Yield the pairs of texts with equal keys and different classes, in batches. *Shape:* `(num_pairs, 2)`.

    Each bucket is sorted by class, and each text is paired with the next text of a later class. Pairs at larger
    distances, possibly many more, follow after the bucket is sorted again by the classes as updated by then.
    """
    texts = np.arange(len(keys))
    for max_distance in (8**exponent for exponent in count()):
        texts = texts[classes[texts] >= 0]
        texts = texts[np.lexsort((classes[texts], keys[texts]))]
        ends = _ends_of_runs(keys[texts])
        firsts = np.minimum(_ends_of_runs(classes[texts]), ends)
        counts = np.minimum(ends - firsts, max_distance)
        sums = np.cumsum(counts)  # number of pairs of the texts up to each place
        shifts = firsts - sums + counts  # from the number of a pair to the place of its second text
        for start in range(0, sums[-1] if len(sums) else 0, _AT_A_TIME):
            numbers = np.arange(start, min(start + _AT_A_TIME, sums[-1]))
            places = np.searchsorted(sums, numbers, side="right")
            pairs = np.stack([texts[places], texts[numbers + shifts[places]]], axis=1)
            one, other = classes[pairs].T
            yield pairs[(one != other) & (one >= 0) & (other >= 0)]
        is_open = ends - firsts > max_distance
        if not is_open.any():
            return
        texts = texts[np.isin(keys[texts], keys[texts[is_open]])]


def _ends_of_runs(values: NDArray[Any]) -> Indices:
    """Return, for each position, the end of its run of equal values."""
    ends = np.append(np.flatnonzero(values[1:] != values[:-1]) + 1, len(values))
    run_ends: Indices = ends[np.searchsorted(ends, np.arange(len(values)), side="right")]
    return run_ends


def _likely(fingerprints: Fingerprints, pairs: Indices, band: int) -> Indices:
    """Return the pairs with similar sketches and hashed shingles that are not in a bucket of an earlier band."""
    sketches, sets = fingerprints.sketches, fingerprints.shingles
    is_equal: NDArray[np.bool_] = sketches[pairs[:, 0]] == sketches[pairs[:, 1]]
    is_similar = np.count_nonzero(is_equal, axis=1) >= _MIN_EQUAL * BANDS * ROWS
    bands = is_equal[is_similar].reshape(-1, BANDS, ROWS)
    first_band = np.logical_and.reduce([bands[:, :, row] for row in range(ROWS)]).argmax(axis=1)
    pairs = pairs[is_similar][first_band == band]
    sizes = (sets.indptr[pairs + 1] - sets.indptr[pairs]).sum(axis=1)
    num_parts = 1 + sizes.sum() // _SHINGLES_AT_A_TIME
    common = np.concatenate(
        [np.diff(sets[part[:, 0]].multiply(sets[part[:, 1]]).indptr) for part in np.array_split(pairs, num_parts)]
    )
    # One more, since the hashes of two shingles may collide.
    likely: Indices = pairs[(1 + THRESHOLD) * (common + 1) >= THRESHOLD * sizes]
    return likely
