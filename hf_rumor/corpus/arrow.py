"""A corpus: posts from one or several sources in a `datasets.Dataset`, and its parts in a `DatasetDict`."""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from datasets import ClassLabel, Dataset, DatasetDict

from hf_rumor.corpus.cache import CACHED, FEATURES, read_cached, to_row
from hf_rumor.corpus.cleaning import clean_posts
from hf_rumor.corpus.findings import Findings, describe
from hf_rumor.corpus.formats.input import Row
from hf_rumor.corpus.formats.parquet import with_class_names
from hf_rumor.corpus.near_duplicates import Indices, find_near_duplicates
from hf_rumor.corpus.normalization import normalize
from hf_rumor.corpus.post import Post
from hf_rumor.corpus.rows import Columns, labeled_posts
from hf_rumor.corpus.sources import name_of, resolve_corpus
from hf_rumor.corpus.splits import TEST_PART, PostsToSplit, Split, split_posts
from hf_rumor.errors import CorpusError
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.util.files import content_digest


logger = logging.getLogger(__name__)

IN_MEMORY = Path("in-memory")  # path of a corpus that is not read from files


@dataclass(frozen=True)
class Source:
    """One file, folder or list of posts that a corpus consists of."""

    name: str  # in the column `source` of its posts
    path: Path  # `IN_MEMORY` for posts, texts or a dataset
    sha256: str  # of its content


@dataclass(frozen=True)
class Corpus:
    """A clean corpus.

    Attributes:
        sources: Where the posts come from.
        posts: One row per post, with the columns `id`, `text`, `label` (0 or 1), `posted_at` (seconds since 1970-01-01
            UTC), `source` and more; memory-mapped, so unused columns are not read.
        findings: Counts of oddities and skipped posts.
        texts_sha256: Digest of the normalized texts, in any order.
    """

    sources: tuple[Source, ...]
    posts: Dataset
    findings: Findings
    texts_sha256: str

    @property
    def path(self) -> Path:
        """The path of the source; those of several sources, joined by ` + `."""
        return Path(" + ".join(str(source.path) for source in self.sources))

    @property
    def data_path(self) -> str | None:
        """The `--data_path` of the corpus; None if it is in memory or has several sources."""
        return None if len(self.sources) > 1 or self.path == IN_MEMORY else name_of(self.path)

    @property
    def sha256(self) -> str:
        """The digest of the source; of several sources, the digest of their digests, in any order."""
        digests = sorted(source.sha256 for source in self.sources)
        return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()


def load_corpus(
    source: str | Path | Dataset | Sequence[str] | Sequence[Post],
    *,
    labels: Sequence[Any] | None = None,
    columns: Columns | None = None,
) -> Corpus:
    """Return a clean corpus, and log its oddities.

    Args:
        source: A path, `auto` or `hub:user/dataset`, as for `--data_path`; a `datasets.Dataset` with a column for each
            value of a post; texts; or posts.
        labels: One per text: 0 or 1 (rumor), bool, or words such as `rumor` and `非谣言`.
        columns: Columns of text, label and id; recognized by their names if not given.

    Raises:
        CorpusError: The corpus does not exist, is broken, or has no post; or the labels do not match the texts.
    """
    columns = columns or Columns()
    if isinstance(source, str | Path):
        if labels is not None:
            raise CorpusError(f"{source}: labels cannot be passed with a path. Pass a list of texts instead.")
        path = resolve_corpus(source) if isinstance(source, str) else source
        sha256 = content_digest(path)
        rows, findings = read_cached(path, columns, sha256)
    else:
        path = IN_MEMORY
        rows, findings, sha256 = _read_memory(_rows_in_memory(source, labels), columns)
    corpus = _clean(path, sha256, rows, findings)
    _log(corpus)
    return corpus


def _rows_in_memory(source: Dataset | Sequence[str] | Sequence[Post], labels: Sequence[Any] | None) -> Iterator[Row]:
    values: Iterable[dict[str, Any]]
    if isinstance(source, Dataset):
        source = source.with_format(None)
        names = {name: kind.names for name, kind in source.features.items() if isinstance(kind, ClassLabel)}
        values = (with_class_names(row, names) for row in source)
    elif all(isinstance(post, Post) for post in source):
        values = map(_to_values, source)
    else:
        if labels is None or len(labels) != len(source):
            num_labels = "no" if labels is None else f"{len(labels):,}"
            raise CorpusError(f"labels: {num_labels} labels for {len(source):,} texts. Pass one label per text.")
        values = ({"text": text, "label": label} for text, label in zip(source, labels, strict=True))
    for number, row in enumerate(values, start=1):
        yield Row(number, f"post {number}", row)


def _to_values(post: Post) -> dict[str, Any]:
    """Return a post as a row of a file; unknown values have no column."""
    values = to_row(post) | {"label": None if post.is_rumor is None else LABEL_NAMES[post.is_rumor]}
    values["reposts"] = [{**vars(repost), "id": repost.repost_id} for repost in post.reposts] or None
    return {name: value for name, value in values.items() if name == "label" or value is not None}


def _read_memory(rows: Iterator[Row], columns: Columns) -> tuple[Dataset, Findings, str]:
    """Return the posts, the findings, and a digest of the posts."""
    findings, hasher = Findings(), hashlib.sha256()
    posts = []
    for post in labeled_posts(rows, str(IN_MEMORY), columns, findings):
        posts.append(to_row(post))
        hasher.update(json.dumps(posts[-1], ensure_ascii=False).encode("utf-8") + b"\n")
    if not posts:
        raise CorpusError(f"{IN_MEMORY}: no posts. Pass at least one.")
    return Dataset.from_list(posts, features=CACHED), findings, hasher.hexdigest()


def _clean(path: Path, sha256: str, rows: Dataset, findings: Findings) -> Corpus:
    ids = rows["id"][:]
    texts = [normalize(text) for text in rows["text"][:]]
    kept, new_ids, skipped = clean_posts(ids, texts, rows["label"][:])
    if not kept:
        raise CorpusError(f"{path}: no posts left ({'; '.join(describe(skipped))}). Check --data_path.")
    name = path.stem if name_of(path) == str(path) else name_of(path)
    if new_ids != ids:
        rows = rows.remove_columns("id").add_column("id", new_ids)
    fingerprint = hashlib.sha256(repr((rows._fingerprint, name)).encode()).hexdigest()[:16]
    rows = rows.add_column("source", [name] * len(rows), new_fingerprint=fingerprint)
    texts_sha256 = hashlib.sha256("\n".join(sorted(texts[position] for position in kept)).encode()).hexdigest()
    posts = rows.select_columns(list(FEATURES)).select(kept)
    return Corpus((Source(name, path, sha256),), posts, findings + skipped, texts_sha256)


def _log(corpus: Corpus) -> None:
    labels = corpus.posts["label"][:]
    logger.info("corpus: %s, %s posts, %s rumors", corpus.path, f"{len(labels):,}", f"{sum(labels):,}")
    for line in describe(corpus.findings):
        logger.info("corpus: %s", line)
    notes = ("labels_as_numbers: ", "labels_mapped: ")
    meanings = [key.split(": ", 1)[1] for key in corpus.findings if key.startswith(notes)]
    if meanings:
        meaning = next((meaning for meaning in meanings if meaning.endswith("= rumor")), meanings[0])
        label = int(meaning.endswith("= rumor"))
        example = corpus.posts[labels.index(label)]["text"] if label in labels else ""
        logger.info('labels: %s, e.g. "%.60s"', meaning, " ".join(example.split()))


def posts_of(columns: Mapping[str, Sequence[Any]]) -> list[Post]:
    """Return the posts of a slice of a dataset; missing columns get the defaults of `Post`."""
    names = {"id": "post_id", "text": "text", "posted_at": "posted_at", "source": "source"}
    kept = {names[name]: values for name, values in columns.items() if name in names}
    return [Post(**dict(zip(kept, row, strict=True))) for row in zip(*kept.values(), strict=True)]


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


def split_corpus(
    corpus: Corpus, name: str = "grouped", *, seed: int = 0, folds: int = TEST_PART, fold: int = 0
) -> SplitCorpus:
    """Split a corpus into training, validation and test posts, and log the leakage.

    Args:
        corpus: A clean corpus.
        name: `grouped` (near-duplicates stay together), `random`, `chronological` (the newest posts are the test
            part), `every_8th`, or `column` (the parts that the corpus names).
        seed: No effect on `chronological` and `column`.
        folds: Number of disjoint test parts of `grouped` and `random`, which together contain each post once.
        fold: Fold to use as the test set, from 0.

    Raises:
        CorpusError: The split or the fold does not exist; a label has too few posts, in the corpus or in a part; or
            the corpus has no times or parts.
    """
    near_duplicates = find_near_duplicates(corpus.posts["text"][:])
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
    columns = PostsToSplit(
        ids=posts["id"][:],
        texts=posts["text"][:],
        labels=np.array(posts["label"][:], dtype=np.int64),
        posted_at=posts["posted_at"][:],
        groups=groups,
        parts=posts["split"][:],
    )
    return split_posts(name, columns, seed=seed, folds=folds, fold=fold)
