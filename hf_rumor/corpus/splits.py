"""Cut a corpus into training, validation and test posts.

Test posts are a fifth (an eighth for `every_8th`), or the fold that was asked for; validation posts are a tenth of the
rest, cut in the same manner.
Posts are put in the order of their ids first, so that a split does not depend on the order of files.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from hf_rumor.corpus.near_duplicates import Indices
from hf_rumor.errors import CorpusError
from hf_rumor.labels import LABEL_NAMES


SPLITS = {
    "grouped": "near-duplicates stay together, labels in equal shares",
    "random": "labels in equal shares; near-duplicates of test posts get into training",
    "chronological": "the newest posts are the test, the newest of the rest the validation",
    "every_8th": "every 8th post in random order is the test, as in hand-written predecessors",
}
TEST_PART = 5  # one in ... posts
VALIDATION_PART = 10  # one in ... posts that are not test
MIN_POSTS_PER_LABEL = 20  # and the largest number of folds
WITH_FOLDS = ("grouped", "random")


@dataclass(frozen=True)
class Split:
    """Positions of the posts of each part, in the order of the posts' ids (of their times for `chronological`)."""

    name: str
    seed: int
    train: Indices
    validation: Indices
    test: Indices
    fold: str | None = None  # as "2 of 5", counted from 0, where the split has folds

    def parts(self) -> dict[str, Indices]:
        """Return the three parts by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def development(self) -> Indices:
        """Return training and validation posts: all that a model or a choice may see."""
        return np.concatenate([self.train, self.validation])


def split_posts(
    name: str,
    *,
    seed: int,
    ids: Sequence[str],
    labels: Sequence[int],
    posted_at: Sequence[int | None],
    groups: Indices,
    folds: int = TEST_PART,
    fold: int = 0,
) -> Split:
    """Cut posts into training, validation and test.

    Args:
        name: A key of `SPLITS`.
        seed: Equal seeds give equal splits; without effect on `chronological`.
        ids: Id of each post, each once.
        labels: 0 or 1 of each post.
        posted_at: Seconds since 1970-01-01 UTC of each post, or None.
        groups: Number of the near-duplicate group of each post. *Shape:* `(num_posts,)`.
        folds: How many test parts `grouped` and `random` cut a corpus into; together they hold each post once.
        fold: Which of them is the test, from 0.

    Raises:
        CorpusError: The split has no such fold; there are too few posts of a label, in the corpus or in a part; or
            `chronological` lacks times.
    """
    if name not in SPLITS:
        raise CorpusError(f"--split {name}: expected one of {', '.join(SPLITS)}")
    check_folds(name, folds, fold)
    order = np.array(sorted(range(len(ids)), key=lambda position: ids[position]), dtype=np.int64)
    label = np.asarray(labels, dtype=np.int64)[order]
    _check_labels(label, MIN_POSTS_PER_LABEL, "the corpus")
    if name == "chronological":
        order = _by_time(order, posted_at)
        development, test = _cut_end(len(order), TEST_PART)
        train, validation = _cut_end(len(development), VALIDATION_PART)
    elif name == "every_8th":
        shuffled = np.random.default_rng(seed).permutation(len(order))
        test = np.sort(shuffled[::8])
        development = np.setdiff1d(shuffled, test)
        train, validation = _cut_stratified(label[development], None, VALIDATION_PART, seed)
    else:
        group = _number_by_first_use(groups[order]) if name == "grouped" else None
        development, test = _cut_stratified(label, group, folds, seed, fold)
        _check_labels(label[development], VALIDATION_PART, f"what the test part of the {name} split leaves")
        kept = None if group is None else group[development]
        train, validation = _cut_stratified(label[development], kept, VALIDATION_PART, seed)
    told = f"{fold} of {folds}" if name in WITH_FOLDS else None
    split = Split(name, seed, order[development[train]], order[development[validation]], order[test], told)
    for part, positions in split.parts().items():
        _check_labels(np.asarray(labels)[positions], 1, f"the {part} part of the {name} split")
    return split


def check_folds(name: str, folds: int, fold: int) -> None:
    """Raise `CorpusError` if the split has not so many folds, or not this one."""
    if not 2 <= folds <= MIN_POSTS_PER_LABEL:
        raise CorpusError(f"--folds {folds}: expected 2 to {MIN_POSTS_PER_LABEL} folds; correct it")
    if not 0 <= fold < folds:
        raise CorpusError(f"--fold {fold}: expected one of {folds} folds, from 0; correct it")
    if name not in WITH_FOLDS and (folds, fold) != (TEST_PART, 0):
        raise CorpusError(f"--folds: expected --split {' or '.join(WITH_FOLDS)}, got {name}, which has no folds")


def _check_labels(labels: NDArray[np.int64], minimum: int, where: str) -> None:
    counts = np.bincount(labels, minlength=len(LABEL_NAMES))
    if counts.min() < minimum:
        found = ", ".join(f"{count:,} {name}" for name, count in zip(LABEL_NAMES, counts, strict=True))
        raise CorpusError(
            f"{where}: expected at least {minimum} posts of each label, found {found}; give more posts of the rarer "
            "label, or another --split"
        )


def _number_by_first_use(groups: Indices) -> Indices:
    """Renumber groups so that equal groupings get equal numbers, whatever the numbers were."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _cut_stratified(
    label: Indices, group: Indices | None, part: int, seed: int, fold: int = 0
) -> tuple[Indices, Indices]:
    """Return the positions of the large and of the small part: that `fold` of `part` equal ones."""
    if group is not None and (num_groups := len(np.unique(group))) < part:
        raise CorpusError(
            f"the grouped split: expected at least {part} groups of near-duplicates to cut, found {num_groups}; give "
            "posts that differ more, or another --split"
        )
    folds = (StratifiedKFold if group is None else StratifiedGroupKFold)(part, shuffle=True, random_state=seed)
    large, small = next(islice(folds.split(label, label, group), fold, None))
    return large, small


def _cut_end(num_posts: int, part: int) -> tuple[Indices, Indices]:
    start = num_posts - num_posts // part
    return np.arange(start), np.arange(start, num_posts)


def _by_time(order: Indices, posted_at: Sequence[int | None]) -> Indices:
    times = [posted_at[position] for position in order]
    missing = sum(time is None for time in times)
    if missing:
        raise CorpusError(
            f"the chronological split: expected a time for each post, found none for {missing:,} of {len(times):,}; "
            "give them in a column posted_at, as 2013-06-29 12:40:09 or in seconds since 1970, or take another --split"
        )
    return order[np.argsort(np.array(times, dtype=np.int64), kind="stable")]
