"""The output folder of a run: claimed by one recipe, continued after an interruption, never mixed with another run."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_rumor.corpus.files import write_text
from hf_rumor.errors import ArgumentError, OutputError


RUN_FILE = "run.json"
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


def claim_folder(folder: Path, recipe: dict[str, Any], sha256: str, resume: str) -> Claim:
    """Make `folder` the output folder of this run.

    An interrupted run of the same recipe and data continues at its newest checkpoint; a finished one is done again.

    Args:
        folder: Is made if it is not there.
        recipe: What the run was told, all that changes its result.
        sha256: Digest of the corpus.
        resume: `auto`, or the folder of a checkpoint.

    Raises:
        OutputError: The folder cannot be written, or holds something else.
        ArgumentError: `resume` names no checkpoint.
    """
    identity = _identity(recipe, sha256)
    found = check_folder(folder, recipe, sha256)
    if resume != "auto":
        if not (Path(resume) / "trainer_state.json").is_file():
            raise ArgumentError(f"--resume_from_checkpoint {resume}: expected auto or a checkpoint folder, found none")
        claim = Claim(Path(resume), f"continues at {resume}, as asked")
    elif found is None:
        claim = Claim(None, "starts")
    elif found["finished"]:
        for checkpoint in _checkpoints(folder):
            shutil.rmtree(checkpoint)
        claim = Claim(None, "starts again: this run had finished; its files are replaced at the end")
    else:
        checkpoints = _checkpoints(folder)
        note = f"continues the interrupted run at {checkpoints[-1].name}" if checkpoints else "starts again"
        claim = Claim(checkpoints[-1] if checkpoints else None, note)
    _write_run(folder, identity, finished=False)
    return claim


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
    numbered = (path for path in folder.glob("checkpoint-*") if path.name.rpartition("-")[2].isdecimal())
    complete = [path for path in numbered if (path / "trainer_state.json").is_file()]
    return sorted(complete, key=lambda path: int(path.name.rpartition("-")[2]))


def _write_run(folder: Path, identity: dict[str, Any], *, finished: bool) -> None:
    try:
        write_text(
            folder / RUN_FILE, json.dumps(identity | {"finished": finished}, indent=2, ensure_ascii=False) + "\n"
        )
    except OSError as error:
        raise OutputError(
            f"--output_dir {folder}: expected a folder that can be written, got {error}; {_WAY_OUT}"
        ) from error
