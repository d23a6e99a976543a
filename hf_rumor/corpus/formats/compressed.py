"""Compressed files: gzip, bzip2, xz and Zstandard."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _open_zstd(path: Path) -> Any:
    import pyarrow  # here, since the command line imports this module at every start

    return pyarrow.input_stream(path, compression="zstd")


COMPRESSED: dict[str, Callable[[Path], Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zst": _open_zstd,
}
DAMAGED = (EOFError, zlib.error, lzma.LZMAError, OSError)  # an OSError of a decompressor has no errno


def open_compressed(path: Path) -> Any:
    """Return the decompressed bytes of a file as a stream."""
    return COMPRESSED[path.suffix.lower()](path)
