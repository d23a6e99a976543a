"""`hf-rumor train`, the same as `run_rumor.py`."""

import argparse
import dataclasses
import signal
import sys
from typing import Any

from hf_rumor.cli.arguments import Formatter, exit_on_sigterm
from hf_rumor.config.flags import TRAINING_DEFAULTS, RunArguments, shown_default
from hf_rumor.config.parse import bundled_recipes, check_names, make_parser
from hf_rumor.util.processes import is_first_process


SUMMARY = "Train a rumor classifier and write its report."
DESCRIPTION = """\
Train a rumor classifier and write its report. `python run_rumor.py` takes the same flags.

RECIPE is a .yaml or .json file of flags, or a bundled one ({recipes}).
Flags on the command line override it. Without flags, the data and the model are chosen automatically.
"""
EXAMPLE = "hf-rumor train mini --data_path posts.csv --output_dir out"


def add_parser(verbs: Any) -> None:
    """List the verb; its flags are parsed by `hf_rumor.config`."""
    verbs.add_parser("train", help=SUMMARY)


def run(words: list[str]) -> int:
    """Train; return 1 if the model could not be pushed."""
    if "--help" in words or "-h" in words:
        print(train_help())
        return 0
    if "--help_all" in words:
        print(make_parser().format_help())
        return 0
    check_names(words)  # before imports that take seconds
    from hf_rumor.report.words import headline
    from hf_rumor.runs.train import run as run_training
    from hf_rumor.training.interruption import Interrupted

    exit_on_sigterm()
    try:
        finished = run_training(words)
    except Interrupted as stop:
        if is_first_process():
            saved = f"; checkpoint-{stop.step} is saved" if stop.step is not None else ""
            name = signal.Signals(stop.number).name
            resumes_from = any(word.startswith("--resume_from_checkpoint") for word in words)
            without = " without --resume_from_checkpoint" if resumes_from and saved else ""
            print(f"hf-rumor: stopped by {name}{saved}; rerun the same command{without} to resume", file=sys.stderr)
        return 128 + stop.number
    if finished is None:  # not the first process
        return 0
    print(headline(finished.report))
    files = "report.html, .md and .json, figures/, predictions.jsonl, mistakes.csv, recipe.yaml"
    print(f"model and report: {finished.folder}/ ({files})")
    return 1 if finished.is_pushed is False else 0


def train_help() -> str:
    """Return the short help: our own flags, and those of Trainer whose defaults differ here."""
    parser = argparse.ArgumentParser(
        prog="hf-rumor train",
        usage="hf-rumor train [RECIPE] [--flag value ...]",
        description=DESCRIPTION.format(recipes=bundled_recipes()),
        epilog=f"Example:\n  {EXAMPLE}",
        add_help=False,
        formatter_class=Formatter,
    )
    ours = parser.add_argument_group("flags of hf_rumor")
    for entry in dataclasses.fields(RunArguments):
        value = shown_default(entry.name)
        default = "" if value is None else f" [{value}]"
        ours.add_argument(f"--{entry.name}", metavar="", help=entry.metadata["help"] + default)
    theirs = parser.add_argument_group(
        "flags of transformers.TrainingArguments with different defaults (--help_all prints all)"
    )
    for name, (value, help_text) in TRAINING_DEFAULTS.items():
        theirs.add_argument(f"--{name}", metavar="", help=f"{help_text} [{value}]")
    return parser.format_help()
