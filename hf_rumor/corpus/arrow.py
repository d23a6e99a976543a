"""A corpus: clean posts from one or several sources in a `datasets.Dataset`."""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from datasets import ClassLabel, Dataset, concatenate_datasets

from hf_rumor.corpus.cache import CACHED, FEATURES, read_cached, to_row
from hf_rumor.corpus.cleaning import clean_posts
from hf_rumor.corpus.columns import Columns, CorpusFile
from hf_rumor.corpus.findings import Findings, describe
from hf_rumor.corpus.formats.input import Row
from hf_rumor.corpus.formats.parquet import with_class_names
from hf_rumor.corpus.merging import Part, merge
from hf_rumor.corpus.near_duplicates import NearDuplicates, find_near_duplicates
from hf_rumor.corpus.normalization import normalize
from hf_rumor.corpus.post import Post
from hf_rumor.corpus.rows import labeled_posts
from hf_rumor.corpus.sources import name_of, resolve_corpus
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
    weight: float = 1.0  # how often each of its training posts is in an epoch


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

    @cached_property
    def near_duplicates(self) -> NearDuplicates:
        """The near-duplicates among the posts."""
        return find_near_duplicates(self.posts["text"][:])

    @property
    def path(self) -> Path:
        """The path of the source; those of several sources, joined by ` + `."""
        return Path(" + ".join(str(source.path) for source in self.sources))

    @property
    def data_path(self) -> list[str]:
        """The `--data_path` of the corpus; empty if it is in memory."""
        return [name_of(source.path) for source in self.sources if source.path != IN_MEMORY]

    @property
    def sha256(self) -> str:
        """The digest of the source; of several sources, the digest of their digests, in any order."""
        return joint_digest([source.sha256 for source in self.sources])

    @property
    def identity(self) -> str:
        """The digest of the source; of several sources, also of their weights, and of what was kept of each."""
        if len(self.sources) == 1:
            return self.sha256
        weights = [f"{source.name}: {source.weight:g}" for source in self.sources if source.weight != 1]
        posts = zip(self.posts["id"][:], self.posts["label"][:], strict=True)
        return joint_digest([self.sha256, *weights, *(f"{post_id} {label}" for post_id, label in posts)])


@dataclass(frozen=True)
class _Cleaned:
    """One source, before posts are dropped."""

    source: Source
    rows: Dataset  # all that were read
    ids: list[str]  # of the rows, unique among those kept
    texts: list[str]  # normalized, of the rows
    kept: list[int]  # positions of the rows to keep
    findings: Findings


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
        return load_corpora([CorpusFile(str(source), columns=columns)])
    rows, findings, sha256 = _read_memory(_rows_in_memory(source, labels), columns)
    corpus = _build([_clean(Source(IN_MEMORY.name, IN_MEMORY, sha256), rows, findings)])
    _log(corpus)
    return corpus


def joint_digest(lines: Sequence[str]) -> str:
    """Return one digest of several lines, in any order; a single one stays."""
    return lines[0] if len(lines) == 1 else hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def load_corpora(files: Sequence[CorpusFile], *, keep_copies: bool = False, first: str = "") -> Corpus:
    """Return one clean corpus from several, and log its oddities; ids become `source/id`.

    Of near-duplicates in several sources, the posts of the first source are kept.

    Args:
        files: The sources.
        keep_copies: Whether to keep all of them.
        first: Name of the source whose posts are kept, if not the first one's.

    Raises:
        CorpusError: A corpus does not exist, is broken, or has no post.
    """
    names: list[str] = []
    cleaned = []
    for file in files:
        path = resolve_corpus(file.path)
        sha256 = content_digest(path)
        rows, findings = read_cached(path, file.columns, sha256)
        wanted = file.name or source_name(path)
        names.append(next(name for name in _numbered(wanted) if name not in names))
        cleaned.append(_clean(Source(names[-1], path, sha256, file.weight), rows, findings))
        corpus = _build(cleaned[-1:])
        _log(corpus)
    if len(cleaned) == 1:
        return corpus
    cleaned.sort(key=lambda one: one.source.name != first)
    merged, near_duplicates = merge([_part(source) for source in cleaned], keep_copies=keep_copies)
    corpus = _build(
        [
            replace(
                source, kept=[source.kept[place] for place in found.kept], findings=source.findings + found.findings
            )
            for source, found in zip(cleaned, merged, strict=True)
        ],
        exchanged=[found.is_exchanged for found in merged],
    )
    vars(corpus)["near_duplicates"] = near_duplicates  # the value of the cached property
    logger.info("corpus: %s posts from %s", f"{len(corpus.posts):,}", ", ".join(map(_described, corpus.sources)))
    for line in describe(sum((found.findings for found in merged), Findings())):
        logger.info("corpus: %s", line)
    return corpus


def source_name(path: Path) -> str:
    """Return the name of a source that has no other one: the file without its suffix, or the dataset on the Hub."""
    return path.stem if name_of(path) == str(path) else name_of(path)


def _described(source: Source) -> str:
    return source.name if source.weight == 1 else f"{source.name} (weight {source.weight:g})"


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}-{number}" for number in count(2))


def _part(cleaned: _Cleaned) -> Part:
    labels = np.array(cleaned.rows["label"][:], dtype=np.int64)
    texts = [cleaned.texts[position] for position in cleaned.kept]
    return Part(cleaned.source.name, texts, labels[cleaned.kept], bool(cleaned.findings["labels_by_convention"]))


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


def _clean(source: Source, rows: Dataset, findings: Findings) -> _Cleaned:
    texts = [normalize(text) for text in rows["text"][:]]
    kept, ids, skipped = clean_posts(rows["id"][:], texts, rows["label"][:])
    if not kept:
        raise CorpusError(f"{source.path}: no posts left ({'; '.join(describe(skipped))}). Check --data_path.")
    return _Cleaned(source, rows, ids, texts, kept, findings + skipped)


def _build(cleaned: Sequence[_Cleaned], exchanged: Sequence[bool] = (False,)) -> Corpus:
    """Return the corpus of the sources, where `exchanged` states whether the labels of a source are swapped."""
    parts = []
    for one, is_exchanged in zip(cleaned, exchanged, strict=True):
        rows, name = one.rows, one.source.name
        ids = one.ids if len(cleaned) == 1 else [f"{name}/{post_id}" for post_id in one.ids]
        if ids != rows["id"][:]:
            rows = rows.remove_columns("id").add_column("id", ids)
        if is_exchanged:
            labels = [1 - label for label in rows["label"][:]]
            rows = rows.remove_columns("label").add_column("label", labels, feature=FEATURES["label"])
        fingerprint = hashlib.sha256(repr((rows._fingerprint, name)).encode()).hexdigest()[:16]
        rows = rows.add_column("source", [name] * len(rows), new_fingerprint=fingerprint)
        parts.append(rows.select_columns(list(FEATURES)).select(one.kept))
    texts = sorted(one.texts[position] for one in cleaned for position in one.kept)
    return Corpus(
        tuple(one.source for one in cleaned),
        parts[0] if len(parts) == 1 else concatenate_datasets(parts),
        sum((one.findings for one in cleaned), Findings()),
        hashlib.sha256("\n".join(texts).encode()).hexdigest(),
    )


def _log(corpus: Corpus) -> None:
    labels = corpus.posts["label"][:]
    logger.info("corpus: %s, %s posts, %s rumors", corpus.path, f"{len(labels):,}", f"{sum(labels):,}")
    for line in describe(corpus.findings):
        logger.info("corpus: %s", line)
    notes = ("labels_as_answers: ", "labels_by_convention: ", "labels_mapped: ")
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
