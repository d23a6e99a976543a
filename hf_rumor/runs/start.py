"""Refuse to resume from a checkpoint that was trained on test posts of this run."""

from pathlib import Path
from typing import Any

from hf_rumor.config.flags import RunArguments
from hf_rumor.errors import ArgumentError
from hf_rumor.runs.resolve import Run
from hf_rumor.training.run_folder import recipe_of_run


SPLIT_FLAGS = ("split", "split_seed", "folds", "fold")  # which posts are test posts
SEEDED_SPLITS = ("grouped", "random")  # of the other splits, the name is enough


def check_start(run: Run) -> None:
    """Refuse to resume from a run on the same corpus with other test posts.

    Raises:
        ArgumentError: The checkpoint comes from such a run.
    """
    flags = run.flags
    if run.resume_from == "auto":
        return
    ours = {name: getattr(flags, name) for name in (SPLIT_FLAGS if flags.split in SEEDED_SPLITS else SPLIT_FLAGS[:1])}
    recipe = recipe_of_run(Path(run.resume_from).resolve().parent, run.data.corpus.sha256)
    theirs = None if recipe is None else {name: recipe.get(name, getattr(RunArguments, name)) for name in ours}
    if theirs not in (None, ours):
        raise ArgumentError(
            f"--resume_from_checkpoint {run.resume_from}: trained on posts that are test posts here (split there: "
            f"{_words(theirs)}; here: {_words(ours)}). Use the same split, or start from another model."
        )


def _words(flags: dict[str, Any] | None) -> str:
    return " ".join(f"--{name} {value}" for name, value in (flags or {}).items())
