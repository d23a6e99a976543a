"""Find posts that say nearly the same, so that no copy of a test post sits in training.

Two texts are near-duplicates where the Jaccard similarity of their sets of 5-character shingles is at least 0.5.
Candidates come from MinHash-LSH (Broder, 1997, https://doi.org/10.1109/SEQUEN.1997.666900); each whose sketches are
alike enough is then checked exactly, if it can teach anything: of a thousand copies few pairs can. The sketches are
those of datasketch. Its index would take 25 kilobytes a post; sorting the sketches by each band in turn takes one.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any
from zlib import crc32

import numpy as np
from datasketch import MinHash
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from hf_rumor.corpus.normalization import normalise


THRESHOLD = 0.5
SHINGLE_LENGTH = 5  # characters

# 42 bands of 3 rows: a pair at Jaccard 0.5 becomes a candidate with probability 1 - (1 - 0.5**3)**42 = 0.996.
BANDS, ROWS = 42, 3
# The share of equal values estimates the similarity, at 0.5 with a standard error of 0.045: below this once in 3,000.
_DOUBTFUL = 0.35
# Odd numbers that make one key of the values of a band; texts whose keys are equal by chance fail the checks after it.
_MULTIPLIERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)
_COLUMNS = 2**31 - 1  # of a sparse matrix with indices of 32 bits
_AT_A_TIME = 10_000  # pairs: ten megabytes of sketches
_SHINGLES_AT_A_TIME = 5_000_000  # of such pairs: fifty megabytes

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Fingerprints:
    """What texts are compared by.

    Attributes:
        texts: Distinct and normalised.
        shingles: Which a text has, by their hashes. *Shape:* `(num_texts, 2**31 - 1)`, sparse.
        sketches: Of the shingles, by MinHash. *Shape:* `(num_texts, num_hashes)`.
    """

    texts: Sequence[str]
    shingles: csr_array
    sketches: NDArray[np.uint32]


@dataclass(frozen=True)
class NearDuplicates:
    """Which posts of a corpus say nearly the same.

    Attributes:
        text_ids: Number of the distinct text of each post. *Shape:* `(num_posts,)`.
        groups: Number of the group of each post: posts linked by a chain of near-duplicates. *Shape:* `(num_posts,)`.
        fingerprints: Of the distinct texts.
    """

    text_ids: Indices
    groups: Indices
    fingerprints: Fingerprints

    def leaking(self, held_out: Indices, training: Indices) -> Indices:
        """Return those of the `held_out` posts that have a near-duplicate among the `training` posts."""
        sides = np.full(len(self.fingerprints.texts), -1)
        sides[self.text_ids[held_out]] = 0
        sides[self.text_ids[training]] = 1
        is_near = sides == 1
        group_of_text = np.empty(len(sides), dtype=np.int64)
        group_of_text[self.text_ids] = self.groups
        on_both_sides = np.intersect1d(group_of_text[sides == 0], group_of_text[sides == 1])
        sides[~np.isin(group_of_text, on_both_sides)] = -1
        for pairs in _near_pairs(self.fingerprints, sides):
            found = pairs[sides[pairs] == 0]
            is_near[found], sides[found] = True, -1
        leaking: Indices = held_out[is_near[self.text_ids[held_out]]]
        return leaking


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
    fingerprints = _fingerprint(list(numbers))
    linked = np.arange(len(numbers))  # each text: the first of its group, as far as is known
    for pairs in _near_pairs(fingerprints, linked):
        _link(linked, pairs)
    groups = np.unique(linked, return_inverse=True)[1]
    return NearDuplicates(text_ids, groups[text_ids], fingerprints)


def sketch(texts: Sequence[str]) -> NDArray[np.uint32]:
    """Return the MinHash values of normalised texts, by which near-duplicates can be found without the texts.

    *Shape:* `(num_texts, BANDS * ROWS)`.
    """
    return _fingerprint(texts).sketches


def _link(linked: Indices, pairs: Indices) -> None:
    """Make one group of the groups of each pair, in place: its texts get the number of its first one."""
    firsts, ends = np.unique(linked[pairs], return_inverse=True)
    one, other = ends.reshape(-1, 2).T
    links = coo_array((np.ones(len(pairs)), (one, other)), shape=(len(firsts), len(firsts)))
    merged = connected_components(links, directed=False)[1]
    to_first = np.arange(len(linked))
    to_first[firsts] = firsts[np.unique(merged, return_index=True)[1][merged]]
    linked[:] = to_first[linked]


def _fingerprint(texts: Sequence[str]) -> Fingerprints:
    hashed, ends = array("I"), array("q", [0])

    def hashes() -> Iterator[set[int]]:
        for text in texts:
            found = {crc32(shingle) for shingle in shingles(text)}
            hashed.extend(found)
            ends.append(len(hashed))
            yield found

    sketches = np.empty((len(texts), BANDS * ROWS), dtype=np.uint32)  # half a kilobyte a text, as the shingles
    generator = MinHash.generator(hashes(), num_perm=BANDS * ROWS, seed=1, hashfunc=int)
    for row, sketch in zip(sketches, generator, strict=True):
        row[:] = sketch.hashvalues
    columns = (np.asarray(hashed) % _COLUMNS).astype(np.int32)
    starts = np.asarray(ends, dtype=np.int32 if len(hashed) < 2**31 else np.int64)
    sets = csr_array((np.ones(len(columns), dtype=np.int8), columns, starts), shape=(len(texts), _COLUMNS))
    sets.sum_duplicates()
    return Fingerprints(texts, sets, sketches)


def _near_pairs(fingerprints: Fingerprints, classes: Indices) -> Iterator[Indices]:
    """Yield pairs of texts that are near-duplicates and of different classes. *Shape:* `(n, 2)`.

    Args:
        fingerprints: Of the texts.
        classes: Of the texts; those of class -1 are left out. The caller may put into it what the pairs before have
            taught: then few of many texts that are all alike are compared.
    """
    texts, sketches = fingerprints.texts, fingerprints.sketches
    for band in range(BANDS):
        keys = sketches[:, band * ROWS : (band + 1) * ROWS].astype(np.uint64) @ _MULTIPLIERS
        for pairs in _pairs_in_buckets(keys, classes):
            likely = _likely(fingerprints, pairs, band)
            near = [jaccard(texts[i], texts[j]) >= THRESHOLD for i, j in likely.tolist()]
            if any(near):
                yield likely[near]


def _pairs_in_buckets(keys: NDArray[np.uint64], classes: Indices) -> Iterator[Indices]:
    """Yield the pairs of texts with equal keys and different classes, many at a time. *Shape:* `(n, 2)`.

    A bucket is put in order of the classes, and each text paired with the nearest text of a later class; with farther
    ones, which may be many more, in a new order by what is known then.
    """
    texts = np.arange(len(keys))
    for most in (8**exponent for exponent in count()):
        texts = texts[classes[texts] >= 0]
        texts = texts[np.lexsort((classes[texts], keys[texts]))]
        ends = _ends_of_runs(keys[texts])
        firsts = np.minimum(_ends_of_runs(classes[texts]), ends)
        counts = np.minimum(ends - firsts, most)
        sums = np.cumsum(counts)  # of the pairs of the texts up to a place
        shifts = firsts - sums + counts  # from the number of a pair to the place of its second text
        for start in range(0, sums[-1] if len(sums) else 0, _AT_A_TIME):
            numbers = np.arange(start, min(start + _AT_A_TIME, sums[-1]))
            places = np.searchsorted(sums, numbers, side="right")
            pairs = np.stack([texts[places], texts[numbers + shifts[places]]], axis=1)
            one, other = classes[pairs].T
            yield pairs[(one != other) & (one >= 0) & (other >= 0)]
        is_open = ends - firsts > most
        if not is_open.any():
            return
        texts = texts[np.isin(keys[texts], keys[texts[is_open]])]


def _ends_of_runs(values: NDArray[Any]) -> Indices:
    """Return of each place the first one after it that holds another value, or the length."""
    ends = np.append(np.flatnonzero(values[1:] != values[:-1]) + 1, len(values))
    found: Indices = ends[np.searchsorted(ends, np.arange(len(values)), side="right")]
    return found


def _likely(fingerprints: Fingerprints, pairs: Indices, band: int) -> Indices:
    """Return those pairs that are like enough by sketches and by hashes, and that no earlier band has found."""
    sketches, sets = fingerprints.sketches, fingerprints.shingles
    equal: NDArray[np.bool_] = sketches[pairs[:, 0]] == sketches[pairs[:, 1]]
    alike = np.count_nonzero(equal, axis=1) >= _DOUBTFUL * BANDS * ROWS
    bands = equal[alike].reshape(-1, BANDS, ROWS)
    first_band = np.logical_and.reduce([bands[:, :, row] for row in range(ROWS)]).argmax(axis=1)
    found: Indices = pairs[alike][first_band == band]
    sizes = (sets.indptr[found + 1] - sets.indptr[found]).sum(axis=1)
    num_parts = 1 + sizes.sum() // _SHINGLES_AT_A_TIME
    common = np.concatenate(
        [np.diff(sets[part[:, 0]].multiply(sets[part[:, 1]]).indptr) for part in np.array_split(found, num_parts)]
    )
    # One more: the hashes of two shingles may be equal by chance.
    likely: Indices = found[(1 + THRESHOLD) * (common + 1) >= THRESHOLD * sizes]
    return likely
