"""Checkpoints of `Trainer` in an output folder: which are complete, and which belong to a run."""

import json
import logging
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from hf_rumor.errors import ArgumentError
from hf_rumor.util.files import write_text


logger = logging.getLogger(__name__)

OPTIMIZER = ("optimizer.pt", "optimizer.bin", "optimizer_0")  # FSDP: in one file, or sharded
STATE_FILE = "trainer_state.json"  # Trainer writes it last into a checkpoint


def complete_checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints that were written to the end, oldest first."""
    complete = [path for path in _numbered(folder) if (path / STATE_FILE).is_file()]
    return sorted(complete, key=lambda path: int(path.name.rpartition("-")[2]))


def _numbered(folder: Path) -> list[Path]:
    return [path for path in folder.glob("checkpoint-*") if path.name.rpartition("-")[2].isdecimal()]


def newest_checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint that can be read; log each newer one that cannot."""
    checkpoints = complete_checkpoints(folder)
    while checkpoints and (damage := find_damage(checkpoints[-1])):
        before = checkpoints[-2].name if len(checkpoints) > 1 else "the start"
        logger.warning("run: %s is corrupt (%s); going back to %s", checkpoints.pop().name, damage, before)
    return checkpoints[-1] if checkpoints else None


def find_damage(checkpoint: Path) -> str | None:
    """Return which file of a checkpoint is missing or corrupt, or None; read no weights."""
    if not (checkpoint / "scheduler.pt").is_file():  # --save_only_model skips it
        return "scheduler.pt is missing"
    if not any((checkpoint / name).exists() for name in OPTIMIZER):
        return f"{OPTIMIZER[0]} is missing"
    for path in sorted(checkpoint.iterdir()):
        try:
            if path.suffix == ".safetensors":
                safe_open(path, "np")  # compares the header with the size of the file
            elif path.suffix in (".pt", ".pth", ".bin"):
                zipfile.ZipFile(path).close()  # the table of contents is at the end of the file
            elif path.suffix == ".json":
                json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, SafetensorError, zipfile.BadZipFile) as error:
            return f"{path.name}: {error}"
    return None


def check_steps(checkpoint: Path, steps: Mapping[str, Any]) -> None:
    """Refuse a checkpoint with other `facts_of_steps` than this run: resumed there, epochs would repeat or skip posts.

    Raises:
        ArgumentError: They differ.
    """
    state = json.loads((checkpoint / STATE_FILE).read_text(encoding="utf-8"))
    saved = state.get("stateful_callbacks", {}).get("StepFacts", {}).get("attributes", {}).get("facts", {})
    differing = [
        f"{name} {saved.get(name, 'unknown')} there, {value} here"
        for name, value in steps.items()
        if saved.get(name) != value
    ]
    if differing:
        raise ArgumentError(
            f"{checkpoint}: its steps differ from those of this run ({'; '.join(differing)}). Use the same values, or "
            "start from another checkpoint."
        )


def update_best(checkpoint: Path) -> None:
    """Update the path of the best checkpoint in the state: the folder may have been moved."""
    state = json.loads((checkpoint / STATE_FILE).read_text(encoding="utf-8"))
    stored = Path(state.get("best_model_checkpoint") or checkpoint)
    best = checkpoint.parent / stored.name
    if best.is_dir() and not stored.is_dir():
        write_text(checkpoint / STATE_FILE, json.dumps({**state, "best_model_checkpoint": str(best)}, indent=2) + "\n")


def remove_leftovers(folder: Path) -> None:
    """Remove incomplete checkpoints and temporary folders of a killed run."""
    for path in (*_numbered(folder), *folder.glob(".model.*")):
        if not (path / STATE_FILE).is_file():
            shutil.rmtree(path, ignore_errors=True)
