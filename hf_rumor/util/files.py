"""Write files atomically, find the cache, digest the content of a corpus."""

import glob
import hashlib
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hf_rumor.errors import CorpusError, OutputError


def cache_folder() -> Path:
    """Return the folder for downloads and Arrow data: `$HF_RUMOR_CACHE`, or `~/.cache/hf_rumor`."""
    return Path(os.environ.get("HF_RUMOR_CACHE") or Path.home() / ".cache" / "hf_rumor")


def user_path(text: str) -> Path:
    """Return the path that a user has typed, `~` expanded; use it for every path on a command line or in a recipe."""
    return Path(text).expanduser()


def output_file(path: Path) -> Path:
    """Return the file to write for `path`: the target of a link, so that the link stays.

    Raises:
        OutputError: It is a folder, or no plain file (device, pipe, socket), which a rename would destroy.
    """
    if path.is_dir():
        raise OutputError(f"{path}: is a folder. Name a file.")
    target = Path(os.path.realpath(path))
    if target.is_symlink() or (path.exists() and not stat.S_ISREG(path.stat().st_mode)):
        raise OutputError(f"{path}: is not a plain file. Write to stdout and redirect it: ... > {path}")
    return target


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary file that takes the place of `path`, synced to disk, only if nothing fails.

    Raises:
        OutputError: See `output_file`.
    """
    path = output_file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    start = f".{path.name}.{_host()}"  # other hosts, on one disk, have processes of their own
    for leftover in path.parent.glob(f"{glob.escape(start)}.*.part"):
        if not _is_alive(leftover.name.split(".")[-2]):  # of a process that was killed
            leftover.unlink(missing_ok=True)
    temporary = path.with_name(f"{start}.{os.getpid()}.part")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _host() -> str:
    """Return eight letters for this machine or container, since a name may contain dots and be long."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _is_alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError):  # another user's, or not written by this package
        pass
    return True


def write_text(path: Path, text: str) -> None:
    """Write `text` in UTF-8, completely or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def list_files(folder: Path) -> list[Path]:
    """Return all files below a folder, links followed, sorted; a link back to a folder above is not entered.

    Raises:
        OSError: A folder cannot be read; `Path.rglob` would skip it silently.
    """
    return sorted(_walk(folder, {os.path.realpath(folder)}))


def _walk(folder: Path, above: set[str]) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.is_file():
            yield entry
        elif entry.is_dir() and (real := os.path.realpath(entry)) not in above:
            yield from _walk(entry, above | {real})


def content_digest(path: Path) -> str:
    """Return the SHA-256 of a corpus: of a file's bytes, or of the names and bytes of all files in a folder.

    The digest is remembered with the sizes and times of the files, so that an unchanged corpus is not read again.

    Raises:
        CorpusError: There is nothing at `path`, or a pipe or device, which can be read only once.
    """
    if not path.exists():
        raise CorpusError(f"{path}: no such file or folder. Check --data_path.")
    if not (path.is_file() or path.is_dir()):
        raise CorpusError(f"{path}: is not a plain file. Save the stream to a file first.")
    path = path.resolve()
    files = list_files(path) if path.is_dir() else [path]
    state = _state(path, files)
    memory = cache_folder() / "digests" / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:32]}.txt"
    if memory.exists():
        remembered = memory.read_text(encoding="utf-8").split()
        if len(remembered) == 2 and remembered[0] == state:
            return remembered[1]
    digest = _digest(path, files)
    # A file changed within the clock's tick after it was read would look unchanged: such a digest is not remembered.
    if time.time() - max((file.stat().st_mtime for file in files), default=0.0) > 2.0:
        write_text(memory, f"{state} {digest}\n")
    return digest


def _state(path: Path, files: list[Path]) -> str:
    """Return a digest of names, sizes and times; reads no file."""
    hasher = hashlib.sha256()
    for file in files:
        stat = file.stat()
        hasher.update(
            os.fsencode(f"{file.relative_to(path.parent)}\0{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ctime_ns}\n")
        )
    return hasher.hexdigest()


def _digest(path: Path, files: list[Path]) -> str:
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    hasher = hashlib.sha256()
    for entry in files:
        with entry.open("rb") as file:
            hasher.update(
                os.fsencode(f"{entry.relative_to(path)}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n")
            )
    return hasher.hexdigest()
