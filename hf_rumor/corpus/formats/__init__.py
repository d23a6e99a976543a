"""One file per corpus format; `train` and `predict` read through the same functions.

To add a format:

1. A new file in this folder with `read_NAME(source: Input) -> Iterator[Row]`. Text formats iterate over
   `source.lines()` (`Line(number, text, error)`: decoded, without line end), other formats open `source.need_path()`.
   Yield `Row(number, where, values, error)` for each post: its number from 1, its place for messages ("line 3"), and a
   dictionary column -> value. Name the columns as in `hf_rumor.corpus.rows.COLUMN_NAMES`: `text`, `label`, and if
   there are any `id`, `posted_at`, `split`, `author_id`, `author_verified`, `has_url`, `num_reposts`, `reposts`. Yield
   a line that cannot be parsed with `values={}` and an `error` ("what is wrong. What to do."), and continue: `train`
   stops there with one line, `predict` loses that line only. Yield a blank line with `values={}`. Raise
   `CorpusError(f"{source.name}: what is wrong. What to do.")` if the whole file cannot be used.
2. One line in `FORMATS` below: name of the format -> function and suffixes of its files.
3. `tests/corpus/formats/test_NAME.py`.

Label words, numbers as texts, empty texts, ids, times, encodings, limits on lengths and the Arrow cache are common to
all formats (`hf_rumor.corpus.rows`). If an existing format is read differently, raise `PARSER_VERSION` in
`hf_rumor.corpus.cache`.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from hf_rumor.corpus.formats.ced import read_ced
from hf_rumor.corpus.formats.input import BUFFER_BYTES, HEAD_BYTES, Input, Row
from hf_rumor.corpus.formats.jsonl import how_to_convert_json, read_jsonl
from hf_rumor.corpus.formats.lines import read_lines
from hf_rumor.corpus.formats.parquet import read_parquet
from hf_rumor.corpus.formats.table import read_csv, read_tsv
from hf_rumor.errors import CorpusError


FORMATS: dict[str, tuple[Callable[[Input], Iterator[Row]], tuple[str, ...]]] = {
    "jsonl": (read_jsonl, (".jsonl", ".ndjson")),
    "csv": (read_csv, (".csv",)),
    "tsv": (read_tsv, (".tsv",)),
    "lines": (read_lines, (".txt",)),
    "parquet": (read_parquet, (".parquet",)),
    "ced": (read_ced, (".zip",)),
}
SUFFIXES = {suffix: name for name, (_, suffixes) in FORMATS.items() for suffix in suffixes}

DECOMPRESS = {".gz": "gunzip -k", ".bz2": "bunzip2 -k", ".xz": "unxz -k", ".zst": "unzstd"}
WORKBOOKS = (".xlsx", ".xls", ".ods")


@contextmanager
def open_input(
    source: Path | BinaryIO, format_name: str = "auto", *, is_labelled: bool = True, name: str = ""
) -> Iterator[Input]:
    """Open a file, a folder in the CED layout, or a binary stream.

    Args:
        source: A path or a stream.
        format_name: A key of `FORMATS`, or `auto`: by suffix, else by the first bytes (JSON lines or plain lines).
        is_labelled: See `Input`.
        name: For messages; the path if not given.

    Raises:
        CorpusError: There is nothing at the path, or its format is not supported.
    """
    path = source if isinstance(source, Path) else None
    name = name or ("stdin" if path is None else str(path))
    if path is not None and path.is_dir():
        yield Input(name, "ced", path, None, is_labelled)
        return
    if path is not None and not path.exists():
        raise CorpusError(f"{name}: no such file or folder. Check the path.")
    stream: Any = source if path is None else path.open("rb", buffering=0)
    file = io.BufferedReader(stream, BUFFER_BYTES)
    try:
        if format_name == "auto":
            format_name = format_of("" if path is None else path.name, file.peek(HEAD_BYTES), name)
        yield Input(name, format_name, path, file, is_labelled)
    finally:
        if path is not None:
            file.close()


def read_rows(source: Input) -> Iterator[Row]:
    """Yield the rows of an input."""
    yield from FORMATS[source.format][0](source)


def format_of(file_name: str, head: bytes, shown: str) -> str:
    """Return the format of a file by its suffix, or for an unknown suffix by its first bytes.

    Args:
        file_name: Empty for a stream.
        head: The first bytes.
        shown: Name for messages.

    Raises:
        CorpusError: The format is not supported; the message names the command that converts it.
    """
    suffix = Path(file_name).suffix.lower()
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if suffix in DECOMPRESS:
        raise CorpusError(f"{shown}: the file is compressed. Decompress it: {DECOMPRESS[suffix]} {shown}")
    if suffix in WORKBOOKS:
        raise CorpusError(f"{shown}: spreadsheets are not supported. Save it as CSV (UTF-8).")
    if suffix == ".json":
        raise CorpusError(f"{shown}: {how_to_convert_json(shown, head)}")
    return "jsonl" if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[") else "lines"
