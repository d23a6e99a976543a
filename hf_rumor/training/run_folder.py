"""The output folder of a run: claimed by one recipe, continued after an interruption, never mixed with another run."""

import errno
import fcntl
import json
import logging
import os
import shutil
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_rumor.errors import ArgumentError, OutputError
from hf_rumor.util.files import write_text


logger = logging.getLogger(__name__)

RUN_FILE = "run.json"
STATE_FILE = "trainer_state.json"  # Trainer writes it last into a checkpoint
_WAY_OUT = "give another --output_dir, or remove the folder"


@dataclass(frozen=True)
class Claim:
    """What was found in the output folder.

    Attributes:
        checkpoint: Where to continue, or None to start from the beginning.
        note: One line for the log.
    """

    checkpoint: Path | None
    note: str


@contextmanager
def locked(folder: Path, *, wanted: bool = True) -> Iterator[None]:
    """Keep other runs out of `folder`; the lock ends with the process, however it ends, and leaves no file behind.

    Args:
        folder: Is made if it is not there.
        wanted: False for all processes of a run but the first.

    Raises:
        OutputError: Another run is under way in it, or it cannot be written.
    """
    if not wanted:
        yield
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise OutputError(
            f"--output_dir {folder}: expected a folder that can be written, got {error}; {_WAY_OUT}"
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):  # some network file systems know no locks
            logger.warning("run: %s cannot be locked (%s); start no second run into it", folder, error)
            yield
            return
        raise OutputError(
            f"--output_dir {folder}: expected no other run in it, found one under way; wait for it, or give another"
        ) from error
    try:
        yield
    finally:
        os.close(handle)


def claim_folder(
    folder: Path, recipe: dict[str, Any], sha256: str, resume: str, num_processes: int | None = None
) -> Claim:
    """Make `folder` the output folder of this run.

    An interrupted run of the same recipe and data continues at its newest checkpoint; a finished one is done again.

    Args:
        folder: Is made if it is not there.
        recipe: What the run was told, all that changes its result.
        sha256: Digest of the corpus.
        resume: `auto`, or the folder of a checkpoint.
        num_processes: That train: with others a step is another share of an epoch. None: not compared.

    Raises:
        OutputError: The folder cannot be written, or holds something else.
        ArgumentError: `resume` names no checkpoint, or the checkpoint is one of another number of processes.
    """
    identity = _identity(recipe, sha256)
    found = check_folder(folder, recipe, sha256)
    if resume != "auto":
        if not (Path(resume) / STATE_FILE).is_file():
            raise ArgumentError(f"--resume_from_checkpoint {resume}: expected auto or a checkpoint folder, found none")
        if damage := find_damage(Path(resume)):
            raise ArgumentError(f"--resume_from_checkpoint {resume}: expected a whole checkpoint, found {damage}")
        claim = Claim(Path(resume), f"continues at {resume}, as asked")
    elif found is None:
        claim = Claim(None, "starts")
    elif found["finished"]:
        for checkpoint in _checkpoints(folder):
            shutil.rmtree(checkpoint)
        claim = Claim(None, "starts again: this run had finished; its files are replaced at the end")
    else:
        checkpoints = _whole_checkpoints(folder)
        note = f"continues the interrupted run at {checkpoints[-1].name}" if checkpoints else "starts again"
        claim = Claim(checkpoints[-1] if checkpoints else None, note)
    if claim.checkpoint:
        _check_processes(claim.checkpoint, num_processes)
        _find_best(claim.checkpoint)
    _write_run(folder, identity, finished=False)
    return claim


def _check_processes(checkpoint: Path, num_processes: int | None) -> None:
    """Refuse a checkpoint of another number of processes; each has written its random numbers into it."""
    written = len(list(checkpoint.glob("rng_state*.pth")))
    if num_processes and written and written != num_processes:
        raise ArgumentError(
            f"{checkpoint}: expected a checkpoint of {num_processes} process(es), found one of {written}; start as "
            "many, or from another"
        )


def _find_best(checkpoint: Path) -> None:
    """Let a checkpoint name the best one where it lies now: Trainer forgets it where a folder was moved."""
    state = json.loads((checkpoint / STATE_FILE).read_text(encoding="utf-8"))
    stored = Path(state.get("best_model_checkpoint") or checkpoint)
    best = checkpoint.parent / stored.name
    if best.is_dir() and not stored.is_dir():
        write_text(checkpoint / STATE_FILE, json.dumps({**state, "best_model_checkpoint": str(best)}, indent=2) + "\n")


def check_folder(folder: Path, recipe: dict[str, Any], sha256: str) -> dict[str, Any] | None:
    """Return what run is in `folder`, None if there is none; write nothing.

    Raises:
        OutputError: It holds something else: other files, or results or checkpoints of another run.
    """
    found = _read_run(folder)
    has_results = any((folder / name).exists() for name in ("report.json", "model.safetensors"))
    if found is not None and (has_results or _checkpoints(folder)):
        _compare(folder, found, _identity(recipe, sha256))
    return found


def recipe_of_run(folder: Path, sha256: str) -> dict[str, Any] | None:
    """Return the recipe of the run in `folder`; None where there is none, or it was on another corpus."""
    try:
        found = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
        recipe: dict[str, Any] = dict(found["recipe"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return recipe if found["data_sha256"] == sha256 else None


def finish_folder(folder: Path, recipe: dict[str, Any], sha256: str) -> None:
    """Note that the run in `folder` is complete."""
    _write_run(folder, _identity(recipe, sha256), finished=True)


def _identity(recipe: dict[str, Any], sha256: str) -> dict[str, Any]:
    """Return what makes two runs the same: a corpus counts by its content, wherever it lies."""
    return {"recipe": {key: recipe[key] for key in recipe if key != "data_path"}, "data_sha256": sha256}


def _read_run(folder: Path) -> dict[str, Any] | None:
    """Return what run `folder` holds, None where it is empty or not there."""
    try:
        names = sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []
        if RUN_FILE in names:
            run: dict[str, Any] = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
            return {key: run[key] for key in ("recipe", "data_sha256", "finished")}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise OutputError(f"--output_dir {folder}: expected a folder of a run, got {error}; {_WAY_OUT}") from error
    if names:
        found = ", ".join(names[:3])
        raise OutputError(
            f"--output_dir {folder}: expected an empty folder or an earlier run, found {found}; {_WAY_OUT}"
        )
    return None


def _compare(folder: Path, found: dict[str, Any], identity: dict[str, Any]) -> None:
    there, here = ({**run["recipe"], "content of the corpus": run["data_sha256"][:12]} for run in (found, identity))
    differing = [
        f"{key} {there.get(key, 'not set')} there, {here.get(key, 'not set')} here"
        for key in sorted(there.keys() | here.keys())
        if there.get(key) != here.get(key)
    ]
    if differing:
        raise OutputError(
            f"--output_dir {folder}: expected this run, found another one ({'; '.join(differing)}); {_WAY_OUT}"
        )


def _checkpoints(folder: Path) -> list[Path]:
    """Return the complete checkpoints, oldest first; Trainer writes `trainer_state.json` last."""
    complete = [path for path in _numbered(folder) if (path / STATE_FILE).is_file()]
    return sorted(complete, key=lambda path: int(path.name.rpartition("-")[2]))


def _numbered(folder: Path) -> list[Path]:
    return [path for path in folder.glob("checkpoint-*") if path.name.rpartition("-")[2].isdecimal()]


def _whole_checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints that can be read, oldest first; tell of each newer one that cannot."""
    checkpoints = _checkpoints(folder)
    while checkpoints and (damage := find_damage(checkpoints[-1])):
        before = checkpoints[-2].name if len(checkpoints) > 1 else "the start"
        logger.warning("run: %s is damaged (%s); going back to %s", checkpoints.pop().name, damage, before)
    return checkpoints


def find_damage(checkpoint: Path) -> str | None:
    """Return which file of a checkpoint is missing, cut off or not of its kind, None if none is; reads no weights."""
    for name in ("optimizer.pt", "scheduler.pt"):  # --save_only_model leaves them out
        if not (checkpoint / name).is_file():
            return f"{name} is missing"
    for path in sorted(checkpoint.iterdir()):
        try:
            if path.suffix == ".safetensors":
                with path.open("rb") as file:
                    (length,) = struct.unpack("<Q", file.read(8))
                    header = json.loads(file.read(min(length, path.stat().st_size)))
                ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
                if 8 + length + max(ends, default=0) != path.stat().st_size:
                    return f"{path.name} is cut off"
            elif path.suffix in (".pt", ".pth"):
                zipfile.ZipFile(path).close()  # its list of contents stands at its end
            elif path.suffix == ".json":
                json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, LookupError, TypeError, struct.error, zipfile.BadZipFile) as error:
            return f"{path.name}: {error}"
    return None


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed run left half-written: checkpoints without their last file, and temporary folders."""
    for path in (*_numbered(folder), *folder.glob(".model.*")):
        if not (path / STATE_FILE).is_file():
            shutil.rmtree(path, ignore_errors=True)


def _write_run(folder: Path, identity: dict[str, Any], *, finished: bool) -> None:
    try:
        write_text(
            folder / RUN_FILE, json.dumps(identity | {"finished": finished}, indent=2, ensure_ascii=False) + "\n"
        )
    except OSError as error:
        raise OutputError(
            f"--output_dir {folder}: expected a folder that can be written, got {error}; {_WAY_OUT}"
        ) from error
