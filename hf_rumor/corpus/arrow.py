"""Keep a corpus as a `datasets.Dataset` in Arrow, built once for each content, and cut it into a `DatasetDict`."""

import errno
import hashlib
import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import pyarrow
from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value

from hf_rumor.corpus.cleaning import posts_to_keep
from hf_rumor.corpus.findings import Findings, describe
from hf_rumor.corpus.near_duplicates import Indices
from hf_rumor.corpus.post import Post
from hf_rumor.corpus.readers import Columns, read_posts
from hf_rumor.corpus.splits import TEST_PART, Split, split_posts
from hf_rumor.errors import CorpusError
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.util.files import cache_folder, content_digest


logger = logging.getLogger(__name__)

# Part of the cache key: raise it whenever a reader gives other posts or findings for the same files.
PARSER_VERSION = 5

# A cache that cannot be written says nothing about what is in it.
NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOLCK)

FEATURES = Features(
    {
        "id": Value("string"),
        "text": Value("string"),
        "label": ClassLabel(names=list(LABEL_NAMES)),
        "posted_at": Value("int64"),  # seconds since 1970-01-01 UTC, or null
        "author_id": Value("string"),
        "author_verified": Value("bool"),
        "has_url": Value("bool"),
        "num_reposts": Value("int32"),
        "reposts": List(
            {
                "repost_id": Value("string"),
                "text": Value("string"),
                "reposted_at": Value("int64"),
                "author_id": Value("string"),
                "parent_id": Value("string"),
            }
        ),
    }
)


@dataclass(frozen=True)
class Corpus:
    """A clean corpus: posts in Arrow, where they came from, and what was odd.

    Attributes:
        path: The zip, folder or file.
        sha256: Digest of its content.
        posts: One row a post, features as in `FEATURES`; memory-mapped, so that columns not used are not read.
        findings: Counts of what was odd or left out.
    """

    path: Path
    sha256: str
    posts: Dataset
    findings: Findings


@dataclass
class RumorCorpusConfig(datasets.BuilderConfig):  # type: ignore[misc]  # datasets ships no types
    """Where the raw corpus lies and how to read it."""

    raw: Path = Path()
    columns: Columns = Columns()  # noqa: RUF009 - frozen


class RumorCorpus(datasets.GeneratorBasedBuilder):  # type: ignore[misc]
    """Reads a raw corpus into Arrow; the findings become the description of the dataset, as JSON.

    `datasets` swaps the `Path` of this module for one that opens web addresses: no `Path` is made in here.
    """

    BUILDER_CONFIG_CLASS = RumorCorpusConfig
    DEFAULT_WRITER_BATCH_SIZE = 500  # a post of the published corpus carries up to a thousand reposts

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(features=FEATURES)

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        return [datasets.SplitGenerator(name="train")]  # "all" is a reserved name

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        findings = Findings()
        for position, post in enumerate(read_posts(self.config.raw, self.config.columns, findings)):
            yield position, _to_row(post)
        self.info.description = json.dumps(+findings)  # saved together with the rows, and atomically


def _to_row(post: Post) -> dict[str, Any]:
    row = vars(post) | {
        "id": post.post_id,
        "label": int(bool(post.is_rumor)),
        "reposts": [vars(repost) for repost in post.reposts],  # asdict copies deeply: half the time of the whole build
    }
    return {name: row[name] for name in FEATURES}


def posts_of(columns: Mapping[str, Sequence[Any]]) -> list[Post]:
    """Return the posts that a batch of rows stands for; columns that are absent keep the defaults of `Post`.

    Args:
        columns: As `Dataset[start:end]` gives them, at least `text`.
    """
    names = {"id": "post_id", "text": "text", "posted_at": "posted_at", "source": "source"}
    kept = {names[name]: values for name, values in columns.items() if name in names}
    return [Post(**dict(zip(kept, row, strict=True))) for row in zip(*kept.values(), strict=True)]


def load_corpus(path: Path, columns: Columns | None = None) -> Corpus:
    """Return the clean corpus at `path`; its raw files are read only where their content is not in the cache yet.

    Raises:
        CorpusError: The corpus is not there, broken, or holds no post.
    """
    columns = columns or Columns()
    sha256 = content_digest(path)
    key = hashlib.sha256(repr((sha256, path.is_file() and path.suffix.lower(), columns)).encode()).hexdigest()[:24]
    config_id = f"{key}-v{PARSER_VERSION}"
    try:
        rows, findings = _from_cache(path, columns, config_id)
    except (pyarrow.ArrowException, OSError, ValueError, LookupError, TypeError) as error:
        if isinstance(error, OSError) and error.errno in NOT_WRITABLE:
            raise
        logger.warning("cache: what it holds of %s is damaged (%s); it is built again", path, error)
        for damaged in (cache_folder() / "arrow").glob(f"*/{config_id}"):
            shutil.rmtree(damaged, ignore_errors=True)
        rows, findings = _from_cache(path, columns, config_id)
    kept, left_out = posts_to_keep(rows["id"][:], rows["text"][:], rows["label"][:])
    if not kept:
        told = "; ".join(describe(left_out))
        raise CorpusError(f"{path}: expected posts, found none to keep ({told}); check --data_path")
    return Corpus(path, sha256, rows.select(kept), findings + left_out)


def _from_cache(path: Path, columns: Columns, config_id: str) -> tuple[Dataset, Findings]:
    """Return all posts of a corpus and what was odd, built first where they are not in the cache yet.

    Raises:
        CorpusError: The corpus is broken.
        ValueError, OSError, pyarrow.ArrowException: What is in the cache is.
    """
    builder = RumorCorpus(
        config_name="posts",
        config_id=config_id,
        cache_dir=str(cache_folder() / "arrow"),
        raw=path.absolute(),  # a link in the cache of the Hub has the suffix, what it leads to has not
        columns=columns,
    )
    try:
        builder.download_and_prepare()
    except datasets.exceptions.DatasetGenerationError as error:
        if isinstance(error.__cause__, CorpusError):
            raise error.__cause__ from None
        raise
    num_posts = builder.info.splits["train"].num_examples
    if not num_posts:
        raise CorpusError(f"{path}: expected posts, found none; check --data_path")
    rows = builder.as_dataset(split="train")
    if len(rows) != num_posts:
        raise ValueError(f"expected {num_posts:,} posts, found {len(rows):,}")
    return rows, Findings(json.loads(builder.info.description))


@dataclass(frozen=True)
class SplitCorpus:
    """A corpus, and how it was cut.

    Attributes:
        corpus: All posts.
        groups: Number of the group of near-duplicates of each post.
        split: Positions of the posts of each part.
        num_leaking: Test posts with a near-duplicate in the rest.
        dataset: The parts.
    """

    corpus: Corpus
    groups: Indices
    split: Split
    num_leaking: int
    dataset: DatasetDict


def split_dataset(
    posts: Dataset, name: str, seed: int, groups: Indices, folds: int = TEST_PART, fold: int = 0
) -> Split:
    """Cut the posts of a corpus; see `hf_rumor.corpus.splits.split_posts`."""
    return split_posts(
        name,
        seed=seed,
        ids=posts["id"][:],
        labels=posts["label"][:],
        posted_at=posts["posted_at"][:],
        groups=groups,
        folds=folds,
        fold=fold,
    )


def to_dataset_dict(posts: Dataset, split: Split) -> DatasetDict:
    """Return the columns `id`, `text` and `label` of each part of `split`; the reposts are not read."""
    texts = posts.select_columns(["id", "text", "label"])
    return DatasetDict({name: texts.select(positions) for name, positions in split.parts().items()})
