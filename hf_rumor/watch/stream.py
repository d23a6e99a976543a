"""Read events as they arrive and write decisions; after a crash, no event is counted twice and no line missing."""

import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from hf_rumor.errors import OutputError
from hf_rumor.util.files import output_file
from hf_rumor.watch.state import State
from hf_rumor.watch.watcher import Watcher


CHUNK = 1 << 18  # bytes that are read at a time
WAIT = 0.2  # seconds until a file that may grow is read again


def watch(watcher: Watcher, state: State, source: BinaryIO, output: BinaryIO, *, follow: bool) -> None:
    """Read events until the end, and write a line for each decision that changes.

    Args:
        watcher: Makes the decisions.
        state: Of the watcher; everything becomes permanent after each chunk of events.
        source: Events. A file that was read before is read from where the state stopped.
        output: For the lines.
        follow: Whether to wait for more events at the end, for ever.
    """
    find_start(state, source)
    for lines, position in read_chunks(source, state.progress.position, follow=follow):
        _write(output, watcher.process(lines), state)
        state.progress.position = position
        state.commit()
    _write(output, watcher.finish(), state)
    state.commit()


def find_start(state: State, source: BinaryIO) -> None:
    """Go to where the state stopped, if it has read this file before, else to the start."""
    progress, status = state.progress, os.fstat(source.fileno())
    name = str(Path(str(source.name)).resolve()) if stat.S_ISREG(status.st_mode) else "-"
    if name == "-" or progress.source != name or status.st_size < progress.position:
        progress.source, progress.position = name, 0
    if progress.position:
        source.seek(progress.position)


def read_chunks(source: BinaryIO, position: int, *, follow: bool) -> Iterator[tuple[list[str], int]]:
    """Yield the lines that have arrived, and the position behind them in bytes; wait for more with `follow`.

    A last line without a line end is read at the end of the input, if it is complete.
    """
    rest, is_open = b"", True
    while is_open:
        chunk = os.read(source.fileno(), CHUNK)
        if not chunk and follow:
            time.sleep(WAIT)
            continue
        is_open = bool(chunk)
        whole, end, rest = (rest + chunk).rpartition(b"\n") if is_open else (rest, b"", b"")
        if end or _is_json(whole):
            position += len(whole) + len(end)
            yield whole.decode("utf-8", "replace").split("\n"), position


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


@contextmanager
def open_output(path: Path, state: State) -> Iterator[BinaryIO]:
    """Open the file of a watch, and remove what was written after the state was saved for the last time.

    Raises:
        OutputError: It contains something else.
    """
    progress, path = state.progress, output_file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        size = os.fstat(file.fileno()).st_size
        if progress.output != str(path.resolve()):
            progress.output, progress.written = str(path.resolve()), 0
            if size:
                raise OutputError(f"--output {path}: not written with this --state. Name another file, or remove it.")
        if size < progress.written:
            raise OutputError(f"--output {path}: {progress.written - size:,} bytes are missing. Name another file.")
        state.commit()  # from now on, this file is known
        file.truncate(progress.written)
        yield file


def _write(output: BinaryIO, lines: list[str], state: State) -> None:
    data = "".join(f"{line}\n" for line in lines).encode()
    output.write(data)
    output.flush()
    if state.is_permanent:
        os.fsync(output.fileno())
    state.progress.written += len(data)
