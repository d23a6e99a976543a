"""The training, validation and test posts of a corpus."""

import logging
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from datasets import Dataset, DatasetDict

from hf_rumor.corpus.arrow import Corpus
from hf_rumor.corpus.near_duplicates import Indices
from hf_rumor.corpus.splits import TEST_PART, PostsToSplit, Split, split_posts


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SplitCorpus:
    """A corpus and its parts.

    Attributes:
        corpus: All posts.
        groups: Number of the near-duplicate group of each post. *Shape:* `(num_posts,)`.
        split: Positions of the posts of each part: `split.train`, `split.validation` and `split.test`.
        leaking: Positions of the test posts with a near-duplicate in training or validation.
        num_seen: Number of test posts that were dropped since the model to start from has seen them.
    """

    corpus: Corpus
    groups: Indices
    split: Split
    leaking: Indices
    num_seen: int = 0

    @cached_property
    def dataset(self) -> DatasetDict:
        """The columns `id`, `text` and `label` of each part; the reposts are not read."""
        posts = self.corpus.posts.select_columns(["id", "text", "label"])
        return DatasetDict({name: posts.select(positions) for name, positions in self.split.parts().items()})

    @cached_property
    def epoch(self) -> Indices:
        """The training posts of an epoch: positions in the training set, repeated by the weights of the sources.

        A post of a source with weight 2.3 is there twice or, with probability 0.3, three times; the selection is the
        same in each epoch. With weights of 1, each post is there once.
        """
        weights = {source.name: source.weight for source in self.corpus.sources}
        sources = self.corpus.posts.select_columns("source").select(self.split.train)["source"][:]
        times = np.array([weights[source] for source in sources])
        draws = np.random.default_rng(self.split.seed).random(len(times))
        return np.repeat(np.arange(len(times)), np.floor(times + draws).astype(np.int64))


def split_corpus(
    corpus: Corpus, name: str = "grouped", *, seed: int = 0, folds: int = TEST_PART, fold: int = 0
) -> SplitCorpus:
    """Split a corpus into training, validation and test posts, and log the leakage.

    Args:
        corpus: A clean corpus.
        name: `grouped` (near-duplicates stay together), `random`, `chronological` (the newest posts are the test
            part), `every_8th`, `column` (the parts that the corpus names), or `leave_out:` and the name of one of
            several sources (it is the test part).
        seed: No effect on `chronological` and `column`.
        folds: Number of disjoint test parts of `grouped` and `random`, which together contain each post once.
        fold: Fold to use as the test set, from 0.

    Raises:
        CorpusError: The corpus cannot be split in this way; see `split_posts`.
    """
    near_duplicates = corpus.near_duplicates
    split = split_dataset(corpus.posts, name, seed, near_duplicates.groups, folds, fold)
    leaking = near_duplicates.leaking(split.test, split.development())
    if name != "column" and any(corpus.posts["split"][:]):
        logger.info("split: the corpus has a column named split, which is not used; --split column uses it")
    logger.info(
        "split: %s, seed %d%s: %d training, %d validation, %d test posts, %d test posts with a near-duplicate in "
        "the other sets, %d validation posts with one in training",
        *(split.name, split.seed, f", fold {split.fold}" if split.fold else ""),
        *(len(split.train), len(split.validation), len(split.test)),
        *(len(leaking), len(near_duplicates.leaking(split.validation, split.train))),
    )
    return SplitCorpus(corpus, near_duplicates.groups, split, leaking)


def split_dataset(
    posts: Dataset, name: str, seed: int, groups: Indices, folds: int = TEST_PART, fold: int = 0
) -> Split:
    """Split the posts of a corpus; see `split_posts`."""
    sources = posts["source"][:]
    columns = PostsToSplit(
        ids=posts["id"][:],
        texts=posts["text"][:],
        labels=np.array(posts["label"][:], dtype=np.int64),
        posted_at=posts["posted_at"][:],
        groups=groups,
        parts=posts["split"][:],
        sources=sources if len(set(sources)) > 1 else (),
    )
    return split_posts(name, columns, seed=seed, folds=folds, fold=fold)
