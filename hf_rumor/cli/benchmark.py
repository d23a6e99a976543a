"""`hf-rumor benchmark`."""

import argparse
from pathlib import Path
from typing import Any

from hf_rumor.cli.arguments import add_verb, count, exit_on_sigterm, names, split_names, varied
from hf_rumor.errors import ArgumentError
from hf_rumor.util.files import user_path


DESCRIPTION = """\
Train variants with several seeds, and compare them on the same test posts.
A variant is a recipe with one value of each varied flag. Every variant is
compared with the first one, with paired 95% intervals over groups of
near-duplicates. Rerun the same command to resume. All flags that are not
listed below are passed to hf-rumor train, for every run.
"""
EXAMPLES = """\
Three losses, each with three seeds:
  hf-rumor benchmark --vary loss=bce,ce,focal --data_path posts.csv

Six variants on one split, each with five training seeds:
  hf-rumor benchmark --vary loss=bce,ce --vary max_length=64,128,256 \\
    --split_seeds 1 --seeds 5 --data_path posts.csv

Files in --output_dir: a folder for each run, benchmark.md (tables),
benchmark.csv (one row per run), benchmark.tex (LaTeX), benchmark.json and
figures/.
"""


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "benchmark",
        "train variants with several seeds and compare them in tables and figures; rerun to resume",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--recipes", type=names, default=["mini"], help="comma-separated recipes (mini)")
    parser.add_argument(
        "--vary",
        type=varied,
        action="append",
        default=[],
        metavar="FLAG=VALUE,...",
        help="values of a flag of hf-rumor train, such as loss=bce,ce; several --vary are combined",
    )
    parser.add_argument("--splits", type=split_names, default=["grouped"], help="comma-separated splits (grouped)")
    parser.add_argument(
        "--seeds",
        type=count,
        default=3,
        help="number of training seeds, from 0; without --split_seeds, each is also the split seed (%(default)s)",
    )
    parser.add_argument(
        "--split_seeds",
        type=count,
        help="number of split seeds, from 0, each combined with every training seed; 1: the same split for all runs",
    )
    parser.add_argument("--folds", type=count, help="cross-validation: each fold is the test part once per seed")
    parser.add_argument("--output_dir", type=user_path, default=Path("benchmark"), help="(%(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Train what is not trained yet, and print the tables."""
    from hf_rumor.runs.benchmark import run_benchmark
    from hf_rumor.runs.cells import make_plan

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
