"""Split a corpus into training, validation and test posts.

The test set is a fifth of the posts (an eighth for `every_8th`), or the requested fold; the validation set is a
tenth of the rest.

`grouped` assigns each group of near-duplicates by a hash of its oldest text and of the seed, so that new posts do not
change the assignment of the others. The hash is a number in [0, 1): fold k of K has the groups from k/K to (k+1)/K,
and a second hash below 0.1 selects validation posts. In small corpora, a label may get too large or too small a share
in this way. If its share below a boundary j/K differs from j/K by more than 0.5/K, the boundary of this label moves to
the nearest group that brings the share within these limits.

The other splits sort the posts by id first, so that they do not depend on the order of files.

Of several sources, `grouped` and `random` take equal shares of each. In the grouped split, the parts of a source do
not depend on the other sources.
"""

import hashlib
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from hf_rumor.corpus.near_duplicates import Indices
from hf_rumor.corpus.normalization import normalize
from hf_rumor.errors import CorpusError
from hf_rumor.labels import LABEL_NAMES


logger = logging.getLogger(__name__)

SPLITS = {
    "grouped": "near-duplicates stay together, labels in equal shares; stable when posts are added",
    "random": "labels in equal shares; near-duplicates of test posts may be in training",
    "chronological": "the newest posts are the test set, the newest of the rest the validation set",
    "every_8th": "every 8th post in random order is the test set, as in hand-written predecessors",
    "column": "the parts that the column `split` of the corpus names",
}
LEAVE_OUT = "leave_out:"  # and the name of the source that is the test set; the others are split as in `grouped`
PARTS = ("train", "validation", "test")
TEST_PART = 5  # every 5th post
VALIDATION_PART = 10  # every 10th post outside the test set
TOLERANCE = 0.5  # of the share of a part; with 0.25, boundaries would still move in corpora of a thousand posts
MIN_POSTS_PER_LABEL = 20  # also the largest number of folds
WITH_FOLDS = ("grouped", "random")
WITHOUT_SEED = ("chronological",)


@dataclass(frozen=True)
class Split:
    """Positions of the posts of each part, ordered by id (`chronological`: by time)."""

    name: str
    seed: int
    train: Indices
    validation: Indices
    test: Indices
    fold: str | None = None  # such as "2 of 5", counted from 0, if the split has folds

    def parts(self) -> dict[str, Indices]:
        """Return the three parts by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def development(self) -> Indices:
        """Return training and validation posts: all that may be used for fitting and selection."""
        return np.concatenate([self.train, self.validation])


@dataclass(frozen=True)
class PostsToSplit:
    """The columns of posts that splits depend on."""

    ids: Sequence[str]  # unique
    texts: Sequence[str]
    labels: Indices  # 0 or 1
    posted_at: Sequence[int | None]  # seconds since 1970-01-01 UTC
    groups: Indices  # number of the near-duplicate group
    parts: Sequence[str | None]  # train, validation or test
    sources: Sequence[str] = ()  # names; empty: all posts are from one source

    @cached_property
    def digests(self) -> list[str]:
        """SHA-256 of each normalized text."""
        texts = (normalize(text).encode("utf-8", "replace") for text in self.texts)
        return [hashlib.sha256(text).hexdigest() for text in texts]

    @cached_property
    def strata(self) -> Indices:
        """A number for each label of each source, of which every part has the same share. *Shape:* `(num_posts,)`."""
        if not self.sources:
            return self.labels
        return 2 * np.unique(np.array(self.sources), return_inverse=True)[1] + self.labels


def split_posts(name: str, posts: PostsToSplit, *, seed: int, folds: int = TEST_PART, fold: int = 0) -> Split:
    """Split posts into training, validation and test.

    Args:
        name: A key of `SPLITS`, or `LEAVE_OUT` and the name of a source.
        posts: All posts.
        seed: No effect on `chronological` and `column`.
        folds: Number of disjoint test parts of `grouped` and `random`, which together contain each post once.
        fold: Fold to use as the test set, from 0.

    Raises:
        CorpusError: The split or the fold does not exist; a label has too few posts, in the corpus or in a part; or
            the corpus has no times or parts.
    """
    if not is_split(name):
        raise CorpusError(f"--split {name}: unknown. Use one of {', '.join(SPLITS)}, {LEAVE_OUT}SOURCE.")
    check_folds(name, folds, fold)
    if name != "column":
        _check_labels(posts.labels, MIN_POSTS_PER_LABEL, "the corpus")
    order = np.array(sorted(range(len(posts.ids)), key=lambda position: posts.ids[position]), dtype=np.int64)
    if name == "chronological":
        order = _by_time(order, posts.posted_at)
        development, test = _cut_end(order, TEST_PART)
        train, validation = _cut_end(development, VALIDATION_PART)
    elif name == "every_8th":
        shuffled = np.random.default_rng(seed).permutation(len(order))
        test = order[np.sort(shuffled[::8])]
        development = order[np.setdiff1d(shuffled, shuffled[::8])]
        train, validation = _cut_stratified(posts.strata, development, VALIDATION_PART, seed)
    elif name == "random":
        development, test = _cut_stratified(posts.strata, order, folds, seed, fold)
        _check_labels(posts.labels[development], VALIDATION_PART, "the posts outside the test set")
        train, validation = _cut_stratified(posts.strata, development, VALIDATION_PART, seed)
    elif name == "grouped":
        boundaries = [number / folds for number in range(1, folds)]
        is_test = _intervals(posts, order, "test", seed, boundaries) == fold
        development, test = order[~is_test], order[is_test]
        train, validation = _cut_grouped(posts, development, seed)
    elif name == "column":
        train, validation, test = _by_column(posts, order, seed)
    else:
        development, test = _cut_source(posts, order, name.removeprefix(LEAVE_OUT))
        train, validation = _cut_grouped(posts, development, seed)
    split = Split(name, seed, train, validation, test, f"{fold} of {folds}" if name in WITH_FOLDS else None)
    for part, positions in split.parts().items():
        _check_labels(posts.labels[positions], 1, f"the {part} set of the {name} split")
    return split


def is_split(name: str) -> bool:
    """Return whether a split has this name."""
    return name in SPLITS or (name.startswith(LEAVE_OUT) and name != LEAVE_OUT)


def check_folds(name: str, folds: int, fold: int) -> None:
    """Raise `CorpusError` if the split cannot have this number of folds, or if the fold does not exist."""
    if not 2 <= folds <= MIN_POSTS_PER_LABEL:
        raise CorpusError(f"--folds {folds}: out of range. Use 2 to {MIN_POSTS_PER_LABEL}.")
    if not 0 <= fold < folds:
        raise CorpusError(f"--fold {fold}: no such fold. Use 0 to {folds - 1}.")
    if name not in WITH_FOLDS and (folds, fold) != (TEST_PART, 0):
        raise CorpusError(f"--folds: --split {name} has no folds. Use --split {' or '.join(WITH_FOLDS)}.")


def _check_labels(labels: NDArray[np.int64], minimum: int, where: str) -> None:
    counts = np.bincount(labels, minlength=len(LABEL_NAMES))
    if counts.min() < minimum:
        shown = ", ".join(f"{count:,} {name}" for name, count in zip(LABEL_NAMES, counts, strict=True))
        raise CorpusError(
            f"{where}: {shown}, but at least {minimum} of each label are needed. Add posts of the rarer label, or use "
            "another --split or --split_seed."
        )


def _cut_source(posts: PostsToSplit, order: Indices, source: str) -> tuple[Indices, Indices]:
    """Return the posts of the other sources, and those of one."""
    names = sorted(set(posts.sources))
    if source not in names:
        known = ", ".join(names) or "one source only"
        raise CorpusError(f"--split {LEAVE_OUT}{source}: the corpus has {known}. Name one of several sources.")
    is_test = np.array([posts.sources[position] == source for position in order])
    return order[~is_test], order[is_test]


def _cut_stratified(strata: Indices, order: Indices, part: int, seed: int, fold: int = 0) -> tuple[Indices, Indices]:
    """Return the posts of `order` outside and inside the `fold` of `part` equal ones."""
    from sklearn.model_selection import StratifiedKFold  # here: `predict` and `describe` do not split

    folds = StratifiedKFold(part, shuffle=True, random_state=seed).split(order, strata[order])
    large, small = next(islice(folds, fold, None))
    return order[large], order[small]


def _cut_end(order: Indices, part: int) -> tuple[Indices, Indices]:
    start = len(order) - len(order) // part
    return order[:start], order[start:]


def _by_time(order: Indices, posted_at: Sequence[int | None]) -> Indices:
    times = [posted_at[position] for position in order]
    missing = sum(time is None for time in times)
    if missing:
        raise CorpusError(
            f"--split chronological: {missing:,} of {len(times):,} posts have no time. Add it in a column posted_at "
            "(2013-06-29 12:40:09, or seconds since 1970), or use another --split."
        )
    return order[np.argsort(np.array(times, dtype=np.int64), kind="stable")]


def _by_column(posts: PostsToSplit, order: Indices, seed: int) -> tuple[Indices, ...]:
    part_of = np.array([posts.parts[position] or "" for position in order], dtype=object)
    missing = int((part_of == "").sum())
    if missing:
        raise CorpusError(
            f"--split column: {missing:,} of {len(order):,} posts are in none of {', '.join(PARTS)}. Name the set of "
            "each post in a column named split, or use another --split."
        )
    train, validation, test = (order[part_of == part] for part in PARTS)
    if not len(validation):
        train, validation = _cut_grouped(posts, train, seed)
        logger.info("split: no validation set; a tenth of the training set is used, chosen as in --split grouped")
    return train, validation, test


def _cut_grouped(posts: PostsToSplit, development: Indices, seed: int) -> tuple[Indices, Indices]:
    """Return training and validation posts; groups of near-duplicates stay together."""
    is_validation = _intervals(posts, development, "validation", seed, [1 / VALIDATION_PART]) == 0
    return development[~is_validation], development[is_validation]


def _intervals(
    posts: PostsToSplit, positions: Indices, purpose: str, seed: int, boundaries: Sequence[float]
) -> Indices:
    """Return the number of the interval between equidistant boundaries to which the group of each post belongs."""
    group_of = np.unique(posts.groups[positions], return_inverse=True)[1]
    sizes = np.bincount(group_of)
    stratum_of = _strata_of_groups(posts.strata[positions], group_of)
    digests = _digests(posts, positions, group_of, len(sizes))
    hashes = np.array([_hash(f"{purpose} {seed} {digest}") for digest in digests])
    interval = np.zeros(len(sizes), dtype=np.int64)
    for stratum in np.unique(stratum_of):
        members = np.flatnonzero(stratum_of == stratum)
        members = members[np.argsort(hashes[members], kind="stable")]
        shares = np.concatenate([[0], np.cumsum(sizes[members])]) / max(1, sizes[members].sum())
        start = 0
        for boundary in boundaries:
            usual = int(np.searchsorted(hashes[members], boundary))
            start = max(start, _start_near(usual, np.abs(shares - boundary), TOLERANCE * boundaries[0]))
            interval[members[start:]] += 1
    return interval[group_of]


def _strata_of_groups(strata: Indices, group_of: Indices) -> Indices:
    """Return the most frequent stratum of each group, of equally frequent ones the last."""
    counts = np.zeros((group_of.max(initial=-1) + 1, strata.max(initial=0) + 1), dtype=np.int64)
    np.add.at(counts, (group_of, strata), 1)
    last: Indices = counts.shape[1] - 1 - counts[:, ::-1].argmax(axis=1)
    return last


def _start_near(usual: int, misses: NDArray[np.float64], tolerance: float) -> int:
    """Return the place nearest to `usual` with a tolerable miss, or else the place with the smallest miss."""
    tolerable = np.flatnonzero(misses <= tolerance + 1e-12)
    if not len(tolerable):
        return int(misses.argmin())
    return int(tolerable[np.abs(tolerable - usual).argmin()])


def _digests(posts: PostsToSplit, positions: Indices, group_of: Indices, num_groups: int) -> list[str]:
    """Return the digest of the normalized text of the oldest post of each group; of equally old ones, the smallest."""
    oldest = [(math.inf, "g")] * num_groups  # greater than every digest
    for position, group in zip(positions.tolist(), group_of.tolist(), strict=True):
        time = posts.posted_at[position]
        oldest[group] = min(oldest[group], (math.inf if time is None else time, posts.digests[position]))
    return [digest for _, digest in oldest]


def _hash(text: str) -> float:
    """Return a number in [0, 1)."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:6]) / 2**48
