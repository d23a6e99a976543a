"""Items -> lines of predictions, window by window, written to a file; an interrupted job can be resumed."""

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
from itertools import cycle, islice, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_rumor.corpus.rows import Item
from hf_rumor.errors import CorpusError, OutputError
from hf_rumor.inference.classifier import BATCHES_PER_WINDOW, RumorClassifier, to_json
from hf_rumor.util.files import content_digest, output_file, write_text, written_whole


if TYPE_CHECKING:
    from hf_rumor.corpus.seen import SeenPosts


logger = logging.getLogger(__name__)

MODEL_FILES = ("config.json", "tokenizer*.json", "*.safetensors", "*.onnx", "*.onnx.data", "reposts/*")
ERROR_KEY = '"error": '
LinesFrom = Callable[[int], Iterator[list[str]]]  # number of lines to skip -> the other lines, window by window


@dataclass(frozen=True)
class Share:
    """The part of a job for one of several processes: every `of`-th window, from window `number` on."""

    number: int
    of: int


WHOLE = Share(0, 1)


def predict_items(
    classifier: RumorClassifier,
    items: Iterable[Item],
    batch_size: int,
    done: int = 0,
    share: Share = WHOLE,
    seen: "SeenPosts | None" = None,
    *,
    observed_at: float | None = None,
) -> Iterator[list[str]]:
    """Yield the lines for each window of items, in order, without line ends; an item with an error gets a line too.

    Args:
        classifier: The model.
        items: Read window by window.
        batch_size: Texts per batch.
        done: Lines of the share to skip at the beginning. A window of which only a part is skipped is predicted as a
            whole, so that every batch has the same texts as in a job that was not interrupted.
        share: The windows to yield.
        seen: Posts that the model has seen in training; adds `seen_in_training` to each line.
        observed_at: As for `RumorClassifier.predict`.
    """
    size = batch_size * BATCHES_PER_WINDOW
    remaining = iter(items)
    windows_done, num_skipped = divmod(done, size)
    _skip(remaining, (windows_done * share.of + share.number) * size)
    while window := list(islice(remaining, size)):
        posts = [item.post for item in window if item.post is not None]
        predictions = iter(classifier.predict(posts, batch_size, observed_at))
        share_assumed = {} if classifier.prior is None else {"prior": round(classifier.prior.share, 4)}
        marks: Iterator[dict[str, Any]] = repeat(share_assumed)
        if seen is not None:
            from hf_rumor.corpus.seen import find_seen  # imports datasketch, which few predictions need

            found = find_seen([post.text for post in posts], seen).tolist()
            marks = ({**share_assumed, "seen_in_training": mark} for mark in found)
        lines = [
            to_json(next(predictions), item.id, **next(marks))
            if item.post is not None
            else json.dumps({"id": item.id, "error": item.error}, ensure_ascii=False)
            for item in window
        ]
        yield lines[num_skipped:]
        num_skipped = 0
        _skip(remaining, (share.of - 1) * size)


def _skip(items: Iterator[Item], number: int) -> None:
    next(islice(items, number, number), None)


def write_predictions(path: Path, job: dict[str, Any], lines_from: LinesFrom, *, resume: bool) -> None:
    """Write lines into `PATH.part`, which is renamed to `path` when it is complete.

    Args:
        path: Output file; an earlier one is replaced at the end. If it is a link, its target is replaced.
        job: Identifies the job; saved in `PATH.part.json`.
        lines_from: Returns the lines.
        resume: Whether to resume an interrupted job.

    Raises:
        OutputError: `path` is not a regular file; there is a part and `resume` is false; the part is of another job;
            or another job is writing it.
        CorpusError: No line has a prediction; all files are removed.
    """
    path = output_file(path)
    part, note = _write_part(path, job, lines_from, resume=resume)
    failure = first_error([part])
    if failure is not None:
        part.unlink()
        note.unlink()
        raise all_failed(failure)
    part.replace(path)
    note.unlink()


def _write_part(path: Path, job: dict[str, Any], lines_from: LinesFrom, *, resume: bool) -> tuple[Path, Path]:
    """Write lines into `PATH.part`; return it and the file that identifies its job."""
    part, note = path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.part.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    with output_file(part).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise OutputError(f"{part}: another job is writing it. Wait until it ends.") from error
            logger.warning("predict: %s cannot be locked (%s); do not start another job with it", part, error)
        is_empty = not part.stat().st_size  # the job was killed, or failed, before its first line
        if not is_empty and not resume:
            raise OutputError(f"{path}: an interrupted job has left {part}. Add --resume, or remove it.")
        done = 0 if is_empty else _lines_in(part, note, job)
        write_text(note, json.dumps(job))
        for lines in lines_from(done):
            file.write("".join(f"{line}\n" for line in lines).encode("utf-8"))
            file.flush()
        os.fsync(file.fileno())
    return part, note


def first_error(paths: Iterable[Path]) -> str | None:
    """Return the first line of some files of predictions if every line is an error, else None."""
    first = None
    for path in paths:
        with path.open(encoding="utf-8") as file:
            for line in file:
                if ERROR_KEY not in line:
                    return None
                first = first or line
    return first


def all_failed(line: str) -> CorpusError:
    """Return the error for an input without a single prediction; `line` is its first line of output."""
    first = json.loads(line)
    return CorpusError(f"predict: no post could be read. The first error (id {first['id']}): {first['error']}")


def write_share(path: Path, job: dict[str, Any], lines_from: LinesFrom, share: Share, *, resume: bool) -> Path:
    """Write the lines of a share into a file of its own beside `path`, as `write_predictions` does; return the file.

    Raises:
        OutputError: As in `write_predictions`; or the file exists already and `resume` is false.
    """
    piece = _piece(output_file(path), job, share)
    if not piece.exists():
        part, note = _write_part(piece, job, lines_from, resume=resume)
        part.replace(piece)
        note.unlink()
    elif not resume:
        raise OutputError(f"{path}: an interrupted job has left {piece}. Add --resume, or remove it.")
    return piece


def join_shares(path: Path, job: dict[str, Any], num_shares: int, batch_size: int) -> None:
    """Wait for the files of all shares, join them window by window into `path`, and remove them.

    Raises:
        CorpusError: No line has a prediction.
    """
    path = output_file(path)
    pieces = [_piece(path, job, Share(number, num_shares)) for number in range(num_shares)]
    while not all(piece.exists() for piece in pieces):
        time.sleep(0.1)
    failure = first_error(pieces)
    if failure is None:
        with written_whole(path) as temporary, ExitStack() as stack, temporary.open("wb") as joined:
            for file in cycle([stack.enter_context(piece.open("rb")) for piece in pieces]):
                if not (window := list(islice(file, batch_size * BATCHES_PER_WINDOW))):
                    break
                joined.writelines(window)
    for piece in pieces:
        piece.unlink()
    if failure is not None:
        raise all_failed(failure)


def _piece(path: Path, job: dict[str, Any], share: Share) -> Path:
    """Return the file of a share; its name depends on the job, so that no file of another job is used."""
    digest = hashlib.sha256(json.dumps(job, sort_keys=True).encode()).hexdigest()[:8]
    return path.with_name(f"{path.name}.{digest}.{share.number}-of-{share.of}")


def _lines_in(part: Path, note: Path, job: dict[str, Any]) -> int:
    """Return the number of complete lines in a part; truncate an incomplete last line."""
    try:
        stored = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        stored = None
    if stored != job:
        differing = ", ".join(sorted(key for key in job if (stored or {}).get(key) != job[key]))
        raise OutputError(f"{part}: belongs to a job with another {differing}. Finish that job, or remove the file.")
    num_lines, end = 0, 0
    with part.open("r+b") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            num_lines, end = num_lines + 1, end + len(line)
        file.truncate(end)
    return num_lines


def describe_job(model: str, source: str, **settings: Any) -> dict[str, Any]:
    """Return what identifies a job: the files of the model and of the input, and the settings."""
    folder, file = Path(model), Path(source)
    files = sorted(path for kind in MODEL_FILES for path in folder.glob(kind)) if folder.is_dir() else []
    states = [content_digest(file)] if file.is_dir() else [_state(file)] if file.is_file() else []
    return {"model": [model, *(_state(path) for path in files)], "input": [source, *states], **settings}


def _state(path: Path) -> str:
    stat = path.stat()
    return f"{path.name} {stat.st_size} {stat.st_mtime_ns}"
