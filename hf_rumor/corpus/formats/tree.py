"""Read the files of a folder or of a zip."""

import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from hf_rumor.corpus.findings import Findings
from hf_rumor.errors import CorpusError
from hf_rumor.util.encodings import decode
from hf_rumor.util.files import list_files


# Limits on memory, far above any real corpus.
MAX_FILES = 4_000_000
MAX_BYTES = 32 << 20  # of one file; those of the published corpus have less than one MiB

ReadFile = Callable[[str], bytes]  # raises ValueError

# Errors of zipfile and the decompressors on damaged archives.
ZIP_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, NotImplementedError),
    *(struct.error, OverflowError, UnicodeDecodeError, IndexError, OSError),
)


@contextmanager
def open_tree(path: Path) -> Iterator[tuple[list[str], ReadFile]]:
    """Open a folder or a zip; yield the sorted names of its files, and a function that reads one.

    Raises:
        CorpusError: The zip is damaged.
    """
    if path.is_dir():
        names = sorted(file.relative_to(path).as_posix() for file in list_files(path))
        yield names, lambda name: _read_whole((path / name).stat().st_size, lambda: (path / name).open("rb"))
        return
    archive, sizes = _open_zip(path)
    with archive:
        if len(sizes) > MAX_FILES:
            raise CorpusError(f"{path}: {len(sizes):,} files; at most {MAX_FILES:,} are read. Use a .jsonl file.")
        yield sorted(sizes), lambda name: _read_whole(sizes[name], lambda: archive.open(name))


def _open_zip(path: Path) -> tuple[zipfile.ZipFile, dict[str, int]]:
    """Return the archive, and the size of each of its files."""
    try:
        archive = zipfile.ZipFile(path)
        return archive, {info.filename: info.file_size for info in archive.infolist() if not info.is_dir()}
    except ZIP_ERRORS as error:
        if getattr(error, "filename", None) is not None:  # an error of the file system
            raise
        raise CorpusError(f"{path}: not a valid zip ({error}). Download or copy it again.") from error


def _read_whole(size: int, open_file: Callable[[], IO[bytes]]) -> bytes:
    """Return the bytes of one file, unless it is too large or damaged."""
    try:
        with open_file() as file:
            content = b"" if size > MAX_BYTES else file.read(MAX_BYTES + 1)
    except ZIP_ERRORS as error:
        if getattr(error, "filename", None) is not None:
            raise
        raise ValueError(f"the zip is corrupt here or password-protected ({error})") from error
    if size > MAX_BYTES or len(content) > MAX_BYTES:
        raise ValueError(f"{max(size, len(content)):,} bytes; at most {MAX_BYTES:,} are read")
    return content


def load_json(name: str, read: ReadFile, kind: type, findings: Findings) -> Any:
    """Return the JSON value of a file, which must be of a `kind`.

    Raises:
        ValueError: The file cannot be read, or has another value.
    """
    try:
        text, encoding = decode(read(name))
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not valid JSON ({error})") from error
    findings["files_in_gb18030"] += encoding == "gb18030"
    if not isinstance(value, kind):
        raise ValueError(f"a JSON {type(value).__name__}, not a {kind.__name__}")
    return value
