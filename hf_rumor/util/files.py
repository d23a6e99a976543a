"""Atomic writes, the cache folder, digests of corpora."""

import csv
import glob
import hashlib
import io
import os
import socket
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hf_rumor.errors import CorpusError, OutputError


FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # of a text that a spreadsheet would run as a formula


def cache_folder() -> Path:
    """Return the folder for downloads and Arrow data: `$HF_RUMOR_CACHE`, or `~/.cache/hf_rumor`."""
    return Path(os.environ.get("HF_RUMOR_CACHE") or Path.home() / ".cache" / "hf_rumor")


def user_path(text: str) -> Path:
    """Return a path from a command line or recipe, with `~` expanded."""
    return Path(os.path.expanduser(text))  # unlike Path.expanduser, keeps the ~ of an unknown user


def output_file(path: Path) -> Path:
    """Return the file to write: `path`, or the target if it is a link.

    Raises:
        OutputError: It is a folder, or a device, pipe or socket, which a rename would destroy.
    """
    if path.is_dir():
        raise OutputError(f"{path}: is a folder. Name a file.")
    target = Path(os.path.realpath(path))
    if target.is_symlink() or (path.exists() and not stat.S_ISREG(path.stat().st_mode)):
        raise OutputError(f"{path}: is not a regular file. Write to stdout and redirect it: ... > {path}")
    return target


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary file that replaces `path`, synced to disk, if the body does not fail; see `output_file`."""
    path = output_file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Process ids are unique on one host only. Its name is hashed since it may be long and contain dots.
    prefix = f".{path.name}.{hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]}"
    for leftover in path.parent.glob(f"{glob.escape(prefix)}.*.part"):
        if not _is_alive(leftover.name.split(".")[-2]):  # the process was killed
            leftover.unlink(missing_ok=True)
    temporary = path.with_name(f"{prefix}.{os.getpid()}.part")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _is_alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError):  # a process of another user, or a file of another program
        pass
    return True


def write_text(path: Path, text: str) -> None:
    """Write `text` in UTF-8, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Iterable[Any]], *, for_people: bool = False) -> None:
    """Write rows as CSV, whole or not at all; None is an empty cell.

    `for_people` is for spreadsheets: it adds the byte order mark by which they recognize UTF-8, and an apostrophe to
    texts that they would run as a formula.
    """
    if for_people:
        rows = ([_as_cell(value) for value in row] for row in rows)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([columns, *rows])
    write_text(path, ("\ufeff" if for_people else "") + text.getvalue())


def _as_cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.lstrip("'").startswith(FORMULA_STARTS) else value


def from_cell(value: str) -> str:
    """Return the text of a cell that `write_csv` wrote for people."""
    return value[1:] if value.startswith("'") and value.lstrip("'").startswith(FORMULA_STARTS) else value


def list_files(folder: Path) -> list[Path]:
    """Return all files below a folder, sorted. Links are followed, but not back to a parent folder.

    Raises:
        OSError: A folder cannot be read; `Path.rglob` would skip it silently.
    """
    return sorted(_walk(folder, {os.path.realpath(folder)}))


def _walk(folder: Path, parents: set[str]) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.is_file():
            yield entry
        elif entry.is_dir() and (real := os.path.realpath(entry)) not in parents:
            yield from _walk(entry, parents | {real})


def content_digest(path: Path) -> str:
    """Return the SHA-256 of a corpus: of the bytes of a file, or of the names and bytes of all files in a folder.

    The digest is cached with the sizes and times of the files, so that an unchanged corpus is not read again.

    Raises:
        CorpusError: `path` does not exist, or is a pipe or device, which can be read only once.
    """
    if not path.exists():
        raise CorpusError(f"{path}: no such file or folder. Check --data_path.")
    if not (path.is_file() or path.is_dir()):
        raise CorpusError(f"{path}: is not a regular file. Save the stream to a file first.")
    path = path.resolve()
    files = list_files(path) if path.is_dir() else [path]
    state = _state(path, files)
    cached = cache_folder() / "digests" / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:32]}.txt"
    words = cached.read_text(encoding="utf-8").split() if cached.exists() else []
    if len(words) == 2 and words[0] == state:
        return words[1]
    digest = _digest(path, files)
    # A file that changes within the resolution of the clock after it was read would look unchanged.
    if time.time() - max((file.stat().st_mtime for file in files), default=0.0) > 2.0:
        write_text(cached, f"{state} {digest}\n")
    return digest


def _state(path: Path, files: list[Path]) -> str:
    """Return a digest of the names, sizes and times; the files are not read."""
    hasher = hashlib.sha256()
    for file in files:
        name, stat = file.relative_to(path.parent), file.stat()
        hasher.update(os.fsencode(f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ctime_ns}\n"))
    return hasher.hexdigest()


def _digest(path: Path, files: list[Path]) -> str:
    if path.is_file():
        return _file_digest(path)
    hasher = hashlib.sha256()
    for file in files:
        hasher.update(os.fsencode(f"{file.relative_to(path)}\0{_file_digest(file)}\n"))
    return hasher.hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
