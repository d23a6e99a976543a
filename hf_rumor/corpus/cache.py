"""Cache the posts of a corpus in Arrow, by its content."""

import errno
import hashlib
import json
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import pyarrow
from datasets import ClassLabel, Dataset, Features, List, Value

from hf_rumor.corpus.columns import Columns
from hf_rumor.corpus.findings import Findings
from hf_rumor.corpus.formats import open_input, readers_digest
from hf_rumor.corpus.post import Post
from hf_rumor.corpus.rows import read_posts
from hf_rumor.errors import CorpusError
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.util.files import cache_folder


logger = logging.getLogger(__name__)

# Errors of a cache that is not writable, but may be intact.
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
        "split": Value("string"),  # train, validation, test, or null
        "source": Value("string"),
    }
)
CACHED = Features({name: feature for name, feature in FEATURES.items() if name != "source"})  # the name may change


@dataclass
class RumorCorpusConfig(datasets.BuilderConfig):  # type: ignore[misc]  # datasets ships no types
    """The path of a corpus and how to read it."""

    raw: Path = Path()
    columns: Columns = Columns()  # noqa: RUF009 - frozen


class RumorCorpus(datasets.GeneratorBasedBuilder):  # type: ignore[misc]
    """Read a corpus into Arrow; the findings are saved as the description of the dataset, in JSON.

    `datasets` replaces `Path` in this module by a class that opens URLs, so no `Path` is created here.
    """

    BUILDER_CONFIG_CLASS = RumorCorpusConfig
    DEFAULT_WRITER_BATCH_SIZE = 500  # posts of the published corpus have up to a thousand reposts

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(features=CACHED)

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        return [datasets.SplitGenerator(name="train")]  # "all" is a reserved name

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        with open_input(self.config.raw) as source:
            for position, post in enumerate(read_posts(source, self.config.columns)):
                yield position, to_row(post)
            self.info.description = json.dumps(+source.findings)  # saved atomically with the rows


def to_row(post: Post) -> dict[str, Any]:
    """Return the columns of a post, without its source."""
    row = vars(post) | {
        "id": post.post_id,
        "label": int(bool(post.is_rumor)),
        "reposts": [vars(repost) for repost in post.reposts],  # the deep copies of asdict would double the build time
    }
    return {name: row[name] for name in CACHED}


def read_cached(path: Path, columns: Columns, sha256: str) -> tuple[Dataset, Findings]:
    """Return the posts and findings of a corpus; its files are read only if their content is not in the cache.

    Raises:
        CorpusError: The corpus is broken, or has no post.
    """
    key = hashlib.sha256(repr((sha256, path.is_file() and path.suffix.lower(), columns)).encode()).hexdigest()[:24]
    config_id = f"{key}-{readers_digest()}"
    try:
        return _from_cache(path, columns, config_id)
    except (pyarrow.ArrowException, OSError, ValueError, LookupError, TypeError) as error:
        if isinstance(error, OSError) and error.errno in NOT_WRITABLE:
            raise
        logger.warning("cache: the data of %s is corrupt (%s) and is rebuilt", path, error)
        for damaged in (cache_folder() / "arrow").glob(f"*/{config_id}"):
            shutil.rmtree(damaged, ignore_errors=True)
        return _from_cache(path, columns, config_id)


def _from_cache(path: Path, columns: Columns, config_id: str) -> tuple[Dataset, Findings]:
    """Return the posts and findings, from the cache if possible.

    Raises:
        CorpusError: The corpus is broken, or has no post.
        ValueError, OSError, pyarrow.ArrowException: The cache is corrupt.
    """
    builder = RumorCorpus(
        config_name="posts",
        config_id=config_id,
        cache_dir=str(cache_folder() / "arrow"),
        raw=path.absolute(),  # not resolved: in the cache of the Hub, only the link has the suffix
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
        raise CorpusError(f"{path}: no posts. Check --data_path.")
    rows = builder.as_dataset(split="train")
    if len(rows) != num_posts:
        raise ValueError(f"{len(rows):,} posts instead of {num_posts:,}")
    return rows, Findings(json.loads(builder.info.description))
