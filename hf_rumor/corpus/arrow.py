"""A corpus: posts from one or several sources in a `datasets.Dataset`, and its parts in a `DatasetDict`."""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
from hf_rumor.corpus.post import Post
from hf_rumor.corpus.rows import Columns, labelled_posts
from hf_rumor.corpus.sources import name_of, resolve_corpus
from hf_rumor.corpus.splits import TEST_PART, PostsToSplit, Split, split_posts
from hf_rumor.errors import CorpusError
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.util.files import content_digest


logger = logging.getLogger(__name__)

IN_MEMORY = Path("in-memory")  # path of a corpus that is not read from files


@dataclass(frozen=True)
class Source:
    """One file, folder or list of posts that a corpus is made of.

    Attributes:
        name: In the column `source` of its posts.
        path: The zip, folder or file; `IN_MEMORY` for posts that were passed as such.
        sha256: Digest of its content.
        num_posts: Posts kept.
        num_rumors: Rumors among them.
    """

    name: str
    path: Path
    sha256: str
    num_posts: int
    num_rumors: int


@dataclass(frozen=True)
class Corpus:
    """A clean corpus.

    Attributes:
        sources: Where the posts come from.
        posts: One row per post, features as in `FEATURES`; memory-mapped, so that columns not used are not read.
        findings: Counts of what was odd or skipped.
    """

    sources: tuple[Source, ...]
    posts: Dataset
    findings: Findings

    @property
    def path(self) -> Path:
        """The path of the source; those of several sources, joined by ` + `."""
        return Path(" + ".join(str(source.path) for source in self.sources))

    @property
    def data_path(self) -> str | None:
        """The `--data_path` that finds this corpus again; None if it is in memory, or of several sources."""
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
    """Return a clean corpus, and log what is odd in it.

    Args:
        source: A path, or `auto` or `hub:user/dataset` (see `resolve_corpus`); a `datasets.Dataset`; texts; or posts.
        labels: Of texts, one each: 0 or 1 (rumor), bool, or words such as `rumor` and `非谣言`.
        columns: Where text, label and id are in a table; recognised by their names if not given.

    Raises:
        CorpusError: The corpus is missing, broken, or has no post.
    """
    columns = columns or Columns()
    if isinstance(source, str | Path):
        if labels is not None:
            raise CorpusError(f"{source}: labels were passed for a path. Pass a list of texts with its labels.")
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
        values = map(_values_of, source)
    else:
        if labels is None or len(labels) != len(source):
            num_labels = "no" if labels is None else f"{len(labels):,}"
            raise CorpusError(f"labels: {num_labels} labels for {len(source):,} texts. Pass one label per text.")
        values = ({"text": text, "label": label} for text, label in zip(source, labels, strict=True))
    for number, row in enumerate(values, start=1):
        yield Row(number, f"post {number}", row)


def _values_of(post: Post) -> dict[str, Any]:
    """Return a post as the row of a file would be; what is unknown has no column."""
    values = to_row(post) | {"label": None if post.is_rumor is None else LABEL_NAMES[post.is_rumor]}
    values["reposts"] = [{**vars(repost), "id": repost.repost_id} for repost in post.reposts] or None
    return {name: value for name, value in values.items() if name == "label" or value is not None}


def _read_memory(rows: Iterator[Row], columns: Columns) -> tuple[Dataset, Findings, str]:
    """Return the posts, what is odd, and a digest that is equal for equal posts."""
    findings, hasher = Findings(), hashlib.sha256()
    posts = []
    for post in labelled_posts(rows, str(IN_MEMORY), columns, findings):
        posts.append(to_row(post))
        hasher.update(json.dumps(posts[-1], ensure_ascii=False).encode("utf-8") + b"\n")
    if not posts:
        raise CorpusError(f"{IN_MEMORY}: no posts. Pass some.")
    return Dataset.from_list(posts, features=CACHED), findings, hasher.hexdigest()


def _clean(path: Path, sha256: str, rows: Dataset, findings: Findings) -> Corpus:
    ids = rows["id"][:]
    kept, new_ids, skipped = clean_posts(ids, rows["text"][:], rows["label"][:])
    if not kept:
        raise CorpusError(f"{path}: no posts left ({'; '.join(describe(skipped))}). Check --data_path.")
    name = name_of(path) if name_of(path) != str(path) else path.stem
    if new_ids != ids:
        rows = rows.remove_columns("id").add_column("id", new_ids)
    fingerprint = hashlib.sha256(repr((rows._fingerprint, name)).encode()).hexdigest()[:16]
    rows = rows.add_column("source", [name] * len(rows), new_fingerprint=fingerprint)
    posts = rows.select_columns(list(FEATURES)).select(kept)
    return Corpus((Source(name, path, sha256, len(posts), sum(posts["label"][:])),), posts, findings + skipped)


def _log(corpus: Corpus) -> None:
    labels = corpus.posts["label"][:]
    logger.info("corpus: %s, %s posts, %s rumors", corpus.path, f"{len(labels):,}", f"{sum(labels):,}")
    for line in describe(corpus.findings):
        logger.info("corpus: %s", line)
    meanings = [key.split(": ", 1)[1] for key in corpus.findings if key.startswith("labels_as_numbers: ")]
    if meanings:
        meaning = next((meaning for meaning in meanings if meaning.endswith("= rumor")), meanings[0])
        label = int(meaning.endswith("= rumor"))
        example = corpus.posts[labels.index(label)]["text"] if label in labels else ""
        logger.info('labels: %s, e.g. "%.60s"', meaning, " ".join(example.split()))


def posts_of(columns: Mapping[str, Sequence[Any]]) -> list[Post]:
    """Return the posts of a batch of rows; columns that are absent keep the defaults of `Post`.

    Args:
        columns: As `Dataset[start:end]` gives them, at least `text`.
    """
    names = {"id": "post_id", "text": "text", "posted_at": "posted_at", "source": "source"}
    kept = {names[name]: values for name, values in columns.items() if name in names}
    return [Post(**dict(zip(kept, row, strict=True))) for row in zip(*kept.values(), strict=True)]


@dataclass(frozen=True)
class SplitCorpus:
    """A corpus and its parts.

    Attributes:
        corpus: All posts.
        groups: Number of the near-duplicate group of each post.
        split: Positions of the posts of each part.
        leaking: Positions of the test posts with a near-duplicate in training or validation.
        dataset: The parts.
        num_seen: Test posts that were dropped since the model to start from has seen them.
        num_leaking_validation: Validation posts with a near-duplicate in training.
    """

    corpus: Corpus
    groups: Indices
    split: Split
    leaking: Indices
    dataset: DatasetDict
    num_seen: int = 0
    num_leaking_validation: int = 0


def split_corpus(
    corpus: Corpus, name: str = "grouped", *, seed: int = 0, folds: int = TEST_PART, fold: int = 0
) -> SplitCorpus:
    """Cut a corpus into training, validation and test; log their sizes and the leakage.

    Args:
        corpus: Is not changed.
        name: A key of `hf_rumor.corpus.splits.SPLITS`.
        seed: Equal seeds give equal splits.
        folds: Number of test parts that `grouped` and `random` cut a corpus into.
        fold: Which of them is the test, from 0.

    Raises:
        CorpusError: See `split_posts`.
    """
    near_duplicates = find_near_duplicates(corpus.posts["text"][:])
    split = split_dataset(corpus.posts, name, seed, near_duplicates.groups, folds, fold)
    leaking = near_duplicates.leaking(split.test, split.development())
    num_leaking_validation = len(near_duplicates.leaking(split.validation, split.train))
    logger.info(
        "split: %s, seed %d%s: %d training, %d validation, %d test posts, %d test posts with a near-duplicate in "
        "the other parts, %d validation posts with one in training",
        *(split.name, split.seed, f", fold {split.fold}" if split.fold else ""),
        *(len(split.train), len(split.validation), len(split.test)),
        *(len(leaking), num_leaking_validation),
    )
    return SplitCorpus(
        corpus,
        near_duplicates.groups,
        split,
        leaking,
        to_dataset_dict(corpus.posts, split),
        num_leaking_validation=num_leaking_validation,
    )


def split_dataset(
    posts: Dataset, name: str, seed: int, groups: Indices, folds: int = TEST_PART, fold: int = 0
) -> Split:
    """Cut the posts of a corpus; see `hf_rumor.corpus.splits.split_posts`."""
    columns = PostsToSplit(
        ids=posts["id"][:],
        texts=posts["text"][:],
        labels=np.array(posts["label"][:], dtype=np.int64),
        posted_at=posts["posted_at"][:],
        groups=groups,
        parts=posts["split"][:],
    )
    return split_posts(name, columns, seed=seed, folds=folds, fold=fold)


def to_dataset_dict(posts: Dataset, split: Split) -> DatasetDict:
    """Return the columns `id`, `text` and `label` of each part of `split`; the reposts are not read."""
    texts = posts.select_columns(["id", "text", "label"])
    return DatasetDict({name: texts.select(positions) for name, positions in split.parts().items()})
