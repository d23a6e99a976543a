"""Read a corpus file or folder, one post at a time.

To add a format: write a function that yields `(where, row)` for each post of a file, and add its suffix to `FORMATS`.
`docs/howto_corpus_format.md` does so step by step.
"""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from hf_rumor.corpus.findings import Findings
from hf_rumor.corpus.formats.ced import read_ced, sort_reposts
from hf_rumor.corpus.post import Post, Repost
from hf_rumor.corpus.values import parse_bool, parse_count, parse_label, parse_text, parse_time
from hf_rumor.errors import CorpusError
from hf_rumor.util.encodings import encoding_of_file


MAX_LINE = 32 << 20  # characters; a post with a thousand reposts has less than one million

Rows = Iterator[tuple[str, dict[str, Any]]]  # ("line 3", {column: value})

TEXT_COLUMNS = ("text", "content", "post", "内容", "正文", "微博正文")
LABEL_COLUMNS = ("label", "is_rumor", "rumor", "标签")
ID_COLUMNS = ("id", "post_id", "mid", "weibo_id")
TIME_COLUMNS = ("posted_at", "time", "created_at", "date", "时间", "发布时间")


@dataclass(frozen=True)
class Columns:
    """The columns to read from JSONL, CSV, TSV and Parquet; None: the first usual name that is there."""

    text: str | None = None
    label: str | None = None
    id: str | None = None


def read_posts(path: Path, columns: Columns, findings: Findings) -> Iterator[Post]:
    """Yield the posts of a corpus; count what is odd in `findings`.

    Args:
        path: A zip or folder in the CED layout, or a file with one of the suffixes in `FORMATS`.
        columns: Where text, label and id stand; not used for the CED layout.
        findings: Is added to.

    Raises:
        CorpusError: The corpus is not there, or broken; the message names file and line.
    """
    if not path.exists():
        raise CorpusError(f"{path}: expected a corpus, found nothing there; check --data_path")
    suffix = path.suffix.lower()
    if path.is_dir() or suffix == ".zip":
        yield from read_ced(path, findings)
    elif suffix in FORMATS:
        encoding = "" if suffix == ".parquet" else _encoding_of(path)
        findings["files_in_gb18030"] += encoding == "gb18030"
        for number, (where, row) in enumerate(FORMATS[suffix](path, encoding), start=1):
            yield _to_post(row, f"{path}: {where}", number, columns, findings)
    else:
        raise CorpusError(
            f"{path}: expected a folder, .zip, {', '.join(FORMATS)}, found the suffix {suffix!r}; rename or convert it"
        )


def _encoding_of(path: Path) -> str:
    try:
        return encoding_of_file(path)
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}: expected UTF-8, UTF-16 or GB18030, got {error}; convert the file") from error


def _read_jsonl(path: Path, encoding: str) -> Rows:
    with path.open(encoding=encoding) as file:
        for number, line in enumerate(iter(lambda: file.readline(MAX_LINE + 1), ""), start=1):
            if len(line) > MAX_LINE:
                raise CorpusError(
                    f"{path}: line {number}: expected at most {MAX_LINE:,} characters, found more; a post a line"
                )
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise CorpusError(
                    f"{path}: line {number}: expected one JSON object a line, got {error}; repair or remove the line"
                ) from error
            if not isinstance(row, dict):
                raise CorpusError(
                    f"{path}: line {number}: expected one JSON object a line, got a {type(row).__name__}; repair it"
                )
            yield f"line {number}", row


def _read_csv(path: Path, encoding: str, delimiter: str = ",") -> Rows:
    with path.open(encoding=encoding, newline="") as lines:
        reader = csv.DictReader(lines, delimiter=delimiter, strict=True)  # lax, an open quote swallows what follows
        try:
            for row in reader:
                if None in row or None in row.values():
                    raise CorpusError(
                        f"{path}: line {reader.line_num}: expected {len(reader.fieldnames or ())} fields, found "
                        f"{'more' if None in row else 'fewer'}; quote texts that hold a {delimiter!r}"
                    )
                yield f"line {reader.line_num}", row
        except csv.Error as error:
            raise CorpusError(
                f'{path}: line {reader.line_num + 1}: expected CSV, got {error}; repair the file: a text with a " '
                'in it stands in quotes, and each of its own is written ""'
            ) from error


def _read_tsv(path: Path, encoding: str) -> Rows:
    for where, row in _read_csv(path, encoding, delimiter="\t"):
        for text in row.values():
            if text.count("\t") >= (len(row) - 1) * text.count("\n") > 0:  # whole lines, not a text of several
                raise CorpusError(
                    f'{path}: {where}: expected a post a line, found a text that begins with a " on an earlier line '
                    'and ends with one here; write such a text in quotes, and each of its own as ""'
                )
        yield where, row


def _read_parquet(path: Path, encoding: str) -> Rows:
    try:
        with pyarrow.parquet.ParquetFile(path) as table:
            number = 0
            for batch in table.iter_batches(batch_size=1000):
                for row in batch.to_pylist():
                    number += 1
                    yield f"row {number}", row
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        raise CorpusError(f"{path}: expected a Parquet file, got {error}; write it again") from error


FORMATS: dict[str, Callable[[Path, str], Rows]] = {  # path, encoding -> rows
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".parquet": _read_parquet,
}


def _find_column(row: dict[str, Any], named: str | None, usual: tuple[str, ...]) -> str | None:
    if named is not None:
        return named if named in row else None
    return next((name for name in usual if name in row), None)


def _require_column(row: dict[str, Any], where: str, named: str | None, usual: tuple[str, ...], flag: str) -> str:
    column = _find_column(row, named, usual)
    if column is None:
        expected = repr(named) if named else " or ".join(usual)
        raise CorpusError(f"{where}: expected a column {expected}, found {', '.join(row)}; name it with {flag}")
    return column


def _to_post(row: dict[str, Any], where: str, number: int, columns: Columns, findings: Findings) -> Post:
    text_column = _require_column(row, where, columns.text, TEXT_COLUMNS, "--text_column")
    label_column = _require_column(row, where, columns.label, LABEL_COLUMNS, "--label_column")
    if columns.id is not None:
        _require_column(row, where, columns.id, ID_COLUMNS, "--id_column")
    id_column = _find_column(row, columns.id, ID_COLUMNS)
    try:
        is_rumor = parse_label(row[label_column])
    except ValueError as error:
        raise CorpusError(f"{where}: {error}; correct it, or name the right column with --label_column") from error
    says_true = str(row[label_column]).strip().lower() in ("true", "false")
    findings["labels_true_or_false"] += says_true and "rumor" not in label_column
    try:
        text = parse_text(row[text_column])
        post_id = parse_text(row[id_column]) if id_column else ""
        author_id = parse_text(row.get("author_id"))
        reposts = _to_reposts(row.get("reposts"))
    except ValueError as error:
        raise CorpusError(f"{where}: {error}; correct or remove it") from error
    time_column = _find_column(row, None, TIME_COLUMNS)
    posted_at = parse_time(row[time_column]) if time_column else None
    findings["times_unreadable"] += time_column is not None and posted_at is None
    num_reposts = parse_count(row.get("num_reposts"))
    if num_reposts is None and isinstance(row.get("reposts"), list):
        num_reposts = len(reposts)
    return Post(
        post_id=post_id or (f"post {number} of the file" if id_column else str(number)),  # no other post's id
        text=text,
        is_rumor=is_rumor,
        posted_at=posted_at,
        author_id=author_id or None,
        author_verified=parse_bool(row.get("author_verified")),
        has_url=parse_bool(row.get("has_url")),
        num_reposts=num_reposts,
        reposts=reposts,
    )


def _to_reposts(raw: Any) -> tuple[Repost, ...]:
    """Read a list of texts, or of objects with `text` and perhaps `id`, `reposted_at`, `author_id`, `parent_id`.

    Raises:
        ValueError: An object has no `text`, or a value is no text.
    """
    if not isinstance(raw, list):  # a column of counts, or a CSV that cannot hold a list
        return ()
    reposts = []
    for item in raw:
        fields = item if isinstance(item, dict) else {"text": item}
        if "text" not in fields:
            raise ValueError(f"expected reposts with 'text', found {sorted(fields)}")
        reposts.append(
            Repost(
                repost_id=parse_text(fields.get("id")),
                text=parse_text(fields["text"]),
                reposted_at=parse_time(fields.get("reposted_at")),
                author_id=parse_text(fields.get("author_id")) or None,
                parent_id=parse_text(fields.get("parent_id")) or None,
            )
        )
    return sort_reposts(reposts)
