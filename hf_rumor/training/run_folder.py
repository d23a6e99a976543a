"""The output folder of a run: used by one recipe only, locked while it trains, resumed after an interruption."""

import errno
import fcntl
import json
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hf_rumor.errors import ArgumentError, OutputError, RumorError
from hf_rumor.training.checkpoints import (
    STATE_FILE,
    check_steps,
    complete_checkpoints,
    find_damage,
    newest_checkpoint,
    update_best,
)
from hf_rumor.util.files import write_text


logger = logging.getLogger(__name__)

RUN_FILE = "run.json"
_REMEDY = "Use another --output_dir, or remove the folder."


@dataclass(frozen=True)
class Identity:
    """What makes two runs the same."""

    recipe: dict[str, Any]  # the flags that change the result
    data_sha256: str  # of the content of the corpus, wherever it is


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Create `folder` and keep other runs out of it. The lock ends with the process and leaves no file behind.

    Raises:
        OutputError: Another run is using it, or it cannot be written.
    """
    with _writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            os.close(handle)
            raise OutputError(
                f"--output_dir {folder}: another run is using it. Wait until that run ends, or use another folder."
            ) from error
        logger.warning("run: %s cannot be locked (%s); do not start another run in it", folder, error)  # network disks
    try:
        yield
    finally:
        os.close(handle)


def check_folder(folder: Path, identity: Identity) -> dict[str, Any] | None:
    """Return what `run.json` in `folder` contains, None if there is no run; write nothing.

    Raises:
        OutputError: It contains other files, or results or checkpoints of another run.
    """
    stored = _read_run(folder)
    has_results = any((folder / name).exists() for name in ("report.json", "model.safetensors"))
    if stored is None or not (has_results or complete_checkpoints(folder)):
        return stored
    old, new = (
        {**run["recipe"], "content of the corpus": run["data_sha256"][:12]} for run in (stored, asdict(identity))
    )
    differing = [
        f"{key} {old.get(key, 'not set')} there, {new.get(key, 'not set')} here"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]
    if differing:
        raise OutputError(f"--output_dir {folder}: contains another run ({'; '.join(differing)}). {_REMEDY}")
    return stored


def claim_folder(folder: Path, identity: Identity, resume_from: str, steps: Mapping[str, Any]) -> Path | None:
    """Make `folder` the output folder of this run; return the checkpoint to resume from, None to start. Log which.

    An interrupted run of the same identity resumes at its newest checkpoint; a finished one starts again.

    Args:
        folder: Created if it does not exist.
        identity: Of this run.
        resume_from: `auto`, or the folder of a checkpoint.
        steps: The `facts_of_steps` of this run.

    Raises:
        OutputError: The folder cannot be written, or contains something else.
        ArgumentError: `resume_from` is not a checkpoint, or one of other steps.
    """
    stored = check_folder(folder, identity)
    checkpoint = None
    if resume_from != "auto":
        checkpoint = Path(resume_from)
        if not (checkpoint / STATE_FILE).is_file():
            raise ArgumentError(
                f"--resume_from_checkpoint {resume_from}: not a checkpoint. Use a checkpoint folder, or auto."
            )
        if damage := find_damage(checkpoint):
            raise ArgumentError(f"--resume_from_checkpoint {resume_from}: {damage}. Use another checkpoint.")
        note = f"resumes at {resume_from}"
    elif stored is None:
        note = "starts"
    elif stored["finished"]:
        for path in complete_checkpoints(folder):
            shutil.rmtree(path)
        note = "starts again: the previous run is finished; its files are replaced at the end"
    else:
        checkpoint = newest_checkpoint(folder)
        note = f"resumes the interrupted run at {checkpoint.name}" if checkpoint else "starts again"
    if checkpoint:
        check_steps(checkpoint, steps)
        update_best(checkpoint)
    write_run(folder, identity, finished=False)
    logger.info("run: %s %s", folder, note)
    return checkpoint


def write_run(folder: Path, identity: Identity, *, finished: bool) -> None:
    """Write `run.json`."""
    text = json.dumps(asdict(identity) | {"finished": finished}, indent=2, ensure_ascii=False)
    with _writable(folder):
        write_text(folder / RUN_FILE, text + "\n")


@contextmanager
def full_disk_explained(folder: Path) -> Iterator[None]:
    """Raise `OutputError` for a full disk; torch and safetensors raise exceptions of their own."""
    try:
        yield
    except Exception as error:
        messages = [os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)]
        messages += ["file write failed", "iostream error"]  # of torch
        text = "".join(map(str, _with_causes(error)))
        if isinstance(error, RumorError) or not any(message in text for message in messages):
            raise
        raise OutputError(
            f"--output_dir {folder}: the disk is full ({error}). Free some space and rerun the same command to resume."
        ) from error


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and those during whose handling it was raised: torch fails twice when it closes a file."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _read_run(folder: Path) -> dict[str, Any] | None:
    """Return what `run.json` in `folder` contains, None if the folder is empty or does not exist."""
    try:
        names = sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []
        if RUN_FILE in names:
            run: dict[str, Any] = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
            return {key: run[key] for key in ("recipe", "data_sha256", "finished")}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise OutputError(f"--output_dir {folder}: not a folder of a run ({error}). {_REMEDY}") from error
    if names:
        raise OutputError(f"--output_dir {folder}: contains other files ({', '.join(names[:3])}). {_REMEDY}")
    return None


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"--output_dir {folder}: cannot be written ({error}). {_REMEDY}") from error
