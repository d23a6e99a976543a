"""The output folder of a run: claimed by one recipe, resumed after an interruption, never mixed with another run."""

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
_WAY_OUT = "Give another --output_dir, or remove the folder."


@dataclass(frozen=True)
class Identity:
    """What makes two runs the same.

    Attributes:
        recipe: The flags that change the result.
        data_sha256: Digest of the corpus, which counts by its content, not by its path.
    """

    recipe: dict[str, Any]
    data_sha256: str


@dataclass(frozen=True)
class Claim:
    """An output folder that belongs to this run.

    Attributes:
        checkpoint: Where to resume; None to start from the beginning.
        note: One line for the log.
    """

    checkpoint: Path | None
    note: str


@contextmanager
def locked(folder: Path, *, wanted: bool = True) -> Iterator[None]:
    """Keep other runs out of `folder`; the lock ends with the process, however it ends, and leaves no file behind.

    Args:
        folder: Created if it does not exist.
        wanted: False for all processes of a run but the first.

    Raises:
        OutputError: Another run is using it, or it cannot be written.
    """
    if not wanted:
        yield
        return
    with _writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            os.close(handle)
            raise OutputError(
                f"--output_dir {folder}: another run is using it. Wait for it, or give another folder."
            ) from error
        # Some network file systems have no locks.
        logger.warning("run: %s cannot be locked (%s); start no second run in it", folder, error)
    try:
        yield
    finally:
        os.close(handle)


def check_folder(folder: Path, identity: Identity) -> dict[str, Any] | None:
    """Return the run in `folder`, None if there is none; write nothing.

    Raises:
        OutputError: It contains other files, or results or checkpoints of another run.
    """
    there = _read_run(folder)
    has_results = any((folder / name).exists() for name in ("report.json", "model.safetensors"))
    if there is not None and (has_results or complete_checkpoints(folder)):
        _compare(folder, there, asdict(identity))
    return there


def claim_folder(folder: Path, identity: Identity, resume_from: str, steps: Mapping[str, Any]) -> Claim:
    """Make `folder` the output folder of this run.

    An interrupted run of the same identity resumes at its newest checkpoint; a finished one starts again.

    Args:
        folder: Created if it does not exist.
        identity: Of this run.
        resume_from: `auto`, or the folder of a checkpoint.
        steps: What makes a step of this run; see `check_steps`.

    Raises:
        OutputError: The folder cannot be written, or contains something else.
        ArgumentError: `resume_from` is not a checkpoint, or one of other steps.
    """
    there = check_folder(folder, identity)
    if resume_from != "auto":
        if not (Path(resume_from) / STATE_FILE).is_file():
            raise ArgumentError(f"--resume_from_checkpoint {resume_from}: not a checkpoint. Give a folder, or auto.")
        if damage := find_damage(Path(resume_from)):
            raise ArgumentError(f"--resume_from_checkpoint {resume_from}: {damage}. Use another checkpoint.")
        claim = Claim(Path(resume_from), f"resumes at {resume_from}")
    elif there is None:
        claim = Claim(None, "starts")
    elif there["finished"]:
        for path in complete_checkpoints(folder):
            shutil.rmtree(path)
        claim = Claim(None, "starts again: this run is finished; its files are replaced at the end")
    elif checkpoint := newest_checkpoint(folder):
        claim = Claim(checkpoint, f"resumes the interrupted run at {checkpoint.name}")
    else:
        claim = Claim(None, "starts again")
    if claim.checkpoint:
        check_steps(claim.checkpoint, steps)
        update_best(claim.checkpoint)
    _write_run(folder, identity, finished=False)
    return claim


def finish_folder(folder: Path, identity: Identity) -> None:
    """Note that the run in `folder` is complete."""
    _write_run(folder, identity, finished=True)


@contextmanager
def full_disk_explained(folder: Path) -> Iterator[None]:
    """Raise `OutputError` for a full disk; torch and safetensors raise kinds of their own."""
    try:
        yield
    except Exception as error:
        messages = [os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)]
        if isinstance(error, RumorError) or not any(text in str(error) for text in (*messages, "file write failed")):
            raise
        raise OutputError(
            f"--output_dir {folder}: the disk is full ({error}). Free some space and rerun the same command to resume."
        ) from error


def _read_run(folder: Path) -> dict[str, Any] | None:
    """Return the run in `folder`, None if it is empty or does not exist."""
    try:
        names = sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []
        if RUN_FILE in names:
            run: dict[str, Any] = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
            return {key: run[key] for key in ("recipe", "data_sha256", "finished")}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise OutputError(f"--output_dir {folder}: not a folder of a run ({error}). {_WAY_OUT}") from error
    if names:
        raise OutputError(f"--output_dir {folder}: contains other files ({', '.join(names[:3])}). {_WAY_OUT}")
    return None


def _compare(folder: Path, there: dict[str, Any], here: dict[str, Any]) -> None:
    theirs, ours = ({**run["recipe"], "content of the corpus": run["data_sha256"][:12]} for run in (there, here))
    differing = [
        f"{key} {theirs.get(key, 'not set')} there, {ours.get(key, 'not set')} here"
        for key in sorted(theirs.keys() | ours.keys())
        if theirs.get(key) != ours.get(key)
    ]
    if differing:
        raise OutputError(f"--output_dir {folder}: contains another run ({'; '.join(differing)}). {_WAY_OUT}")


def _write_run(folder: Path, identity: Identity, *, finished: bool) -> None:
    text = json.dumps(asdict(identity) | {"finished": finished}, indent=2, ensure_ascii=False)
    with _writable(folder):
        write_text(folder / RUN_FILE, text + "\n")


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"--output_dir {folder}: cannot be written ({error}). {_WAY_OUT}") from error
