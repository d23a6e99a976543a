"""Items -> lines of predictions, window by window, into a file that a killed job can go on with."""

import errno
import fcntl
import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from hf_rumor.errors import OutputError
from hf_rumor.inference.classifier import BATCHES_PER_WINDOW, RumorClassifier, to_json
from hf_rumor.inference.items import Item, as_error


logger = logging.getLogger(__name__)

MODEL_FILES = ("config.json", "tokenizer*.json", "*.safetensors", "*.onnx", "*.onnx.data")
LinesFrom = Callable[[int], Iterator[list[str]]]  # lines to leave out -> the others, window by window


@dataclass(frozen=True)
class Share:
    """What one of several processes does of a job: every `of`-th window, from window `number` on."""

    number: int
    of: int


WHOLE = Share(0, 1)


def predict_items(
    classifier: RumorClassifier, items: Iterable[Item], batch_size: int, done: int = 0, share: Share = WHOLE
) -> Iterator[list[str]]:
    """Yield the lines for each window of items, in order, without line ends; an item with an error gets a line too.

    Args:
        classifier: What predicts.
        items: Are read as they are needed.
        batch_size: Texts at a time.
        done: Lines of the share to leave out at the beginning. Whole windows of them are not predicted at all; the
            others are, so that every batch is made of the same texts as in a job that was not interrupted.
        share: The windows to yield.
    """
    size = batch_size * BATCHES_PER_WINDOW
    remaining = iter(items)
    windows_done, leave_out = divmod(done, size)
    _skip(remaining, (windows_done * share.of + share.number) * size)
    while window := list(islice(remaining, size)):
        predictions = iter(classifier.predict([item.text for item in window if item.error is None], batch_size))
        lines = [
            to_json(next(predictions), item.id)
            if item.error is None
            else json.dumps(as_error(item), ensure_ascii=False)
            for item in window
        ]
        yield lines[leave_out:]
        leave_out = 0
        _skip(remaining, (share.of - 1) * size)


def _skip(items: Iterator[Item], number: int) -> None:
    next(islice(items, number, number), None)


def write_predictions(path: Path, job: dict[str, Any], lines_from: LinesFrom, *, resume: bool) -> int:
    """Write lines into `PATH.part`, which takes the name `path` when all are there; return how many were there before.

    Args:
        path: Of the output; an earlier file of this name is replaced at the end.
        job: What makes two jobs the same; kept beside the part.
        lines_from: The lines, from a place on.
        resume: Whether to go on with the part of a job that was interrupted.

    Raises:
        OutputError: There is a part and `resume` is false, or the part is of another job, or another job writes it.
    """
    if path.is_dir():
        raise OutputError(f"{path}: expected the name of a file, found a folder; give another --output")
    part, note = path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.part.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    with part.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise OutputError(
                    f"{part}: expected no other job at work on it, found one; wait for its end"
                ) from error
            logger.warning("predict: %s cannot be locked (%s); start no second job into it", part, error)
        is_empty = not part.stat().st_size  # of a job that was killed, or found a mistake, before its first line
        if not is_empty and not resume:
            raise OutputError(f"{path}: expected no interrupted job, found {part}; add --resume, or remove it")
        done = 0 if is_empty else _lines_in(part, note, job)
        _write_note(note, job)
        for lines in lines_from(done):
            file.write("".join(f"{line}\n" for line in lines).encode("utf-8"))
            file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    note.unlink()
    return done


def write_share(path: Path, job: dict[str, Any], lines_from: LinesFrom, share: Share, *, resume: bool) -> Path:
    """Write the lines of a share into a file of its own beside `path`, as `write_predictions` does; return the file.

    Raises:
        OutputError: As there; or the file is there already and `resume` is false.
    """
    piece = _piece(path, job, share)
    if not piece.exists():
        write_predictions(piece, job, lines_from, resume=resume)
    elif not resume:
        raise OutputError(f"{path}: expected no interrupted job, found {piece}; add --resume, or remove it")
    return piece


def join_shares(path: Path, job: dict[str, Any], num_shares: int, batch_size: int) -> None:
    """Wait for the files of all shares, make `path` of them, window by window, and remove them."""
    pieces = [_piece(path, job, Share(number, num_shares)) for number in range(num_shares)]
    while not all(piece.exists() for piece in pieces):
        time.sleep(0.1)
    size = batch_size * BATCHES_PER_WINDOW
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with ExitStack() as stack, temporary.open("wb") as joined:
            for file in cycle([stack.enter_context(piece.open("rb")) for piece in pieces]):
                if not (window := list(islice(file, size))):
                    break
                joined.writelines(window)
            joined.flush()
            os.fsync(joined.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    for piece in pieces:
        piece.unlink()


def _piece(path: Path, job: dict[str, Any], share: Share) -> Path:
    """Name the file of a share after its job, so that what another job left behind is not taken for it."""
    digest = hashlib.sha256(json.dumps(job, sort_keys=True).encode()).hexdigest()[:8]
    return path.with_name(f"{path.name}.{digest}.{share.number}-of-{share.of}")


def _lines_in(part: Path, note: Path, job: dict[str, Any]) -> int:
    """Return how many whole lines a part holds, after cutting off what a kill left behind them."""
    try:
        found = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if found != job:
        differing = ", ".join(sorted(key for key in job if (found or {}).get(key) != job[key]))
        raise OutputError(f"{part}: expected the part of this job, found one with another {differing}; remove it")
    num_lines, end = 0, 0
    with part.open("r+b") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            num_lines, end = num_lines + 1, end + len(line)
        file.truncate(end)
    return num_lines


def _write_note(note: Path, job: dict[str, Any]) -> None:
    temporary = note.with_name(f".{note.name}.{os.getpid()}")
    temporary.write_text(json.dumps(job), encoding="utf-8")
    temporary.replace(note)


def describe_job(model: str, source: str, **settings: Any) -> dict[str, Any]:
    """Return what makes two jobs the same: the files of the model and of the input, and the settings."""
    folder, file = Path(model), Path(source)
    files = sorted(path for kind in MODEL_FILES for path in folder.glob(kind)) if folder.is_dir() else []
    return {
        "model": [model, *(_state(path) for path in files)],
        "input": [source, *([_state(file)] if file.is_file() else [])],
        **settings,
    }


def _state(path: Path) -> str:
    stat = path.stat()
    return f"{path.name} {stat.st_size} {stat.st_mtime_ns}"
