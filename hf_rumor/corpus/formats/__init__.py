"""One file per corpus format; `train` and `predict` read with the same functions.

A reader yields a `Row` for each post, and raises `CorpusError(f"{source.name}: what is wrong. What to do.")` if the
whole file cannot be used. `docs/howto/corpus_format.md` shows how to add a format.
"""

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from hf_rumor.corpus.formats.ced import is_ced, read_ced
from hf_rumor.corpus.formats.compressed import COMPRESSED, DAMAGED, open_compressed
from hf_rumor.corpus.formats.files import read_files
from hf_rumor.corpus.formats.input import BUFFER_BYTES, HEAD_BYTES, Input, Row
from hf_rumor.corpus.formats.jsonl import read_jsonl
from hf_rumor.corpus.formats.lines import read_lines
from hf_rumor.corpus.formats.parquet import read_parquet
from hf_rumor.corpus.formats.table import read_csv, read_tsv
from hf_rumor.corpus.formats.tree import open_tree
from hf_rumor.corpus.formats.weibo16 import is_weibo16, read_weibo16
from hf_rumor.corpus.formats.weibo17 import FIRST_LINE, is_weibo17, read_weibo17
from hf_rumor.corpus.formats.xlsx import read_xlsx
from hf_rumor.errors import CorpusError


FORMATS: dict[str, tuple[Callable[[Input], Iterator[Row]], tuple[str, ...]]] = {
    "jsonl": (read_jsonl, (".jsonl", ".ndjson")),
    "csv": (read_csv, (".csv",)),
    "tsv": (read_tsv, (".tsv",)),
    "lines": (read_lines, (".txt",)),
    "parquet": (read_parquet, (".parquet",)),
    "xlsx": (read_xlsx, (".xlsx",)),
    # Zips or folders; the corpora are recognized by the names of their files.
    "files": (read_files, (".zip",)),
    "ced": (read_ced, ()),
    "weibo16": (read_weibo16, ()),
    "weibo17": (read_weibo17, ()),
}
SUFFIXES = {suffix: name for name, (_, suffixes) in FORMATS.items() for suffix in suffixes}

WORKBOOKS = (".xls", ".ods")


@contextmanager
def open_input(
    source: Path | BinaryIO, format_name: str = "auto", *, is_labeled: bool = True, name: str = ""
) -> Iterator[Input]:
    """Open a file, which may be compressed, a folder of files, or a binary stream.

    Args:
        source: A path or a stream.
        format_name: A key of `FORMATS`, or `auto`: by the suffix, or else by the first bytes (JSON or plain lines).
        is_labeled: See `Input`.
        name: For messages (default: the path).

    Raises:
        CorpusError: The path does not exist, its format is not supported, or what is compressed in it is damaged.
    """
    path = source if isinstance(source, Path) else None
    name = name or ("stdin" if path is None else str(path))
    if path is not None and path.is_dir():
        yield Input(name, _tree_format(path), path, None, is_labeled)
        return
    if path is not None and not path.exists():
        raise CorpusError(f"{name}: no such file or folder. Check the path.")
    suffixes = [] if path is None else [suffix.lower() for suffix in path.suffixes[-2:]]
    is_compressed = bool(suffixes) and suffixes[-1] in COMPRESSED
    stream: Any = source
    if path is not None:
        stream = open_compressed(path) if is_compressed else path.open("rb", buffering=0)
    file = io.BufferedReader(stream, BUFFER_BYTES)
    try:
        if format_name == "auto":
            suffix = "".join(suffixes[:-1][-1:] if is_compressed else suffixes[-1:])
            format_name = _detect_format(suffix, file.peek(HEAD_BYTES), name)
            format_name = _tree_format(path) if format_name == "files" and path is not None else format_name
        yield Input(name, format_name, None if is_compressed else path, file, is_labeled)
    except DAMAGED as error:
        if not is_compressed or getattr(error, "errno", None) is not None:
            raise
        raise CorpusError(f"{name}: the compressed file is damaged ({error}). Copy or download it again.") from error
    finally:
        if path is not None:
            file.close()


def _tree_format(path: Path) -> str:
    """Return the format of a folder or a zip; of a damaged zip, one whose reader raises the error."""
    with suppress(CorpusError), open_tree(path) as (names, _):
        for name, is_layout in (("weibo16", is_weibo16), ("weibo17", is_weibo17), ("ced", is_ced)):
            if is_layout(names):
                return name
    return "files"


@cache
def readers_digest() -> str:
    """Return a digest of the code that reads corpora. Cached posts of other code are not used."""
    corpus = Path(__file__).parents[1]
    files = [*sorted(corpus.glob("formats/*.py")), *sorted(corpus.glob("catalogue.*"))]
    files += [corpus / f"{name}.py" for name in ("columns", "reposts", "rows", "values")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:8]


def read_rows(source: Input) -> Iterator[Row]:
    """Return the rows of an input."""
    return FORMATS[source.format][0](source)


def _detect_format(suffix: str, head: bytes, name: str) -> str:
    """Return the format of a suffix, or of the first bytes if the suffix is unknown."""
    if suffix == ".txt" and FIRST_LINE.match(head):
        return "weibo17"
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if suffix in WORKBOOKS:
        raise CorpusError(f"{name}: spreadsheets in this format cannot be read. Save it as .xlsx or CSV.")
    if suffix == ".json":
        return "jsonl"
    return "jsonl" if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[") else "lines"
