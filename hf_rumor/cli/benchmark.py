"""`hf-rumor benchmark`."""

import argparse
from pathlib import Path
from typing import Any

from hf_rumor.cli.arguments import add_verb, count, exit_on_sigterm, names, split_names, varied
from hf_rumor.errors import ArgumentError
from hf_rumor.util.files import user_path


NOTE = """\
A variant is a recipe with one value of each varied flag. Each is compared with the first one on the same posts, with
paired 95% intervals over groups of near-duplicates. Rerun the same command to resume. All flags that are not listed
here are passed to hf-rumor train in every run.

Files in --output_dir: a folder for each run, benchmark.md (tables), benchmark.csv (one row per run), benchmark.tex
(LaTeX), benchmark.json, and figures."""
EXAMPLE = """\
hf-rumor benchmark --vary loss=bce,ce,focal --data_path posts.csv
  hf-rumor benchmark --vary loss=bce,ce --vary max_length=64,128,256 --split_seeds 1 --seeds 5 --data_path posts.csv"""


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "benchmark",
        "train variants with several seeds, and compare them in tables and figures",
        example=EXAMPLE,
        note=NOTE,
    )
    parser.add_argument("--recipes", type=names, default=["mini"], help="Comma-separated recipes. [mini]")
    parser.add_argument(
        "--vary",
        type=varied,
        action="append",
        default=[],
        metavar="FLAG=VALUE,...",
        help="Values of a flag of hf-rumor train, such as loss=bce,ce. Repeat --vary for a grid.",
    )
    parser.add_argument("--splits", type=split_names, default=["grouped"], help="Comma-separated splits. [grouped]")
    parser.add_argument(
        "--seeds",
        type=count,
        default=3,
        help="Number of training seeds (0, 1, ...). Without --split_seeds, each is also the split seed. [%(default)s]",
    )
    parser.add_argument(
        "--split_seeds",
        type=count,
        help="Number of split seeds (0, 1, ...), each combined with every training seed. 1: one split for all runs.",
    )
    parser.add_argument(
        "--folds", type=count, help="Number of folds for cross-validation: each fold is the test set once per seed."
    )
    parser.add_argument(
        "--transfer",
        action="store_true",
        help="Train on each corpus of --data_path and on all but one; test on each other corpus, with its "
        "near-duplicates removed from training and with them kept. Needs one recipe.",
    )
    parser.add_argument(
        "--output_dir", type=user_path, default=Path("benchmark"), help="Folder for runs and tables. [%(default)s]"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Train what is not trained yet, and print the tables."""
    from hf_rumor.runs.benchmark import run_benchmark
    from hf_rumor.runs.cells import make_plan

    if arguments.transfer:
        run_transfers(arguments)
        return
    vary = dict(arguments.vary)
    if len(vary) < len(arguments.vary):
        raise ArgumentError("--vary: a flag is named twice. Name it once, with all its values.")
    plan = make_plan(
        arguments.recipes,
        arguments.splits,
        vary,
        arguments.flags,
        seeds=arguments.seeds,
        split_seeds=arguments.split_seeds,
        folds=arguments.folds,
    )
    exit_on_sigterm()
    run_benchmark(plan, arguments.output_dir)
    print((arguments.output_dir / "benchmark.md").read_text(encoding="utf-8"), end="")


def run_transfers(arguments: argparse.Namespace) -> None:
    """Train what is not trained yet for `--transfer`, and print the tables."""
    from hf_rumor.runs.transfer import run_transfer

    others = {name: getattr(arguments, name) for name in ("vary", "folds", "split_seeds")}
    others["splits"] = arguments.splits != ["grouped"]
    if clash := [f"--{name}" for name, value in others.items() if value]:
        raise ArgumentError(f"--transfer: the splits are fixed. Remove {', '.join(clash)}.")
    if len(arguments.recipes) > 1:
        raise ArgumentError("--transfer: takes one recipe. Run it once per recipe.")
    exit_on_sigterm()
    run_transfer(arguments.recipes[0], arguments.flags, arguments.seeds, arguments.output_dir)
    print((arguments.output_dir / "transfer.md").read_text(encoding="utf-8"), end="")
