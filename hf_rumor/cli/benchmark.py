"""`hf-rumor benchmark`."""

import argparse
from pathlib import Path
from typing import Any

from hf_rumor.cli.arguments import add_verb, count, exit_on_sigterm, names, split_names
from hf_rumor.errors import ArgumentError
from hf_rumor.util.files import user_path


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "benchmark",
        "train recipes on several splits and seeds, and compare them in one table",
        example="hf-rumor benchmark --recipes mini --splits grouped,random --seeds 3 --data_path posts.csv",
        note="All other flags are passed to hf-rumor train for every run. Rerun the same command to resume.",
    )
    parser.add_argument("--recipes", type=names, default=["mini"], help="Comma-separated recipes. [mini]")
    parser.add_argument("--splits", type=split_names, default=["grouped"], help="Comma-separated splits. [grouped]")
    parser.add_argument(
        "--seeds", type=count, default=3, help="Number of seeds, each for both split and training. [%(default)s]"
    )
    parser.add_argument(
        "--folds", type=count, help="Number of folds for cross-validation: each fold is the test set once per seed."
    )
    parser.add_argument(
        "--output_dir", type=user_path, default=Path("benchmark"), help="Folder for runs and table. [%(default)s]"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Train what is not trained yet, and print the table."""
    from hf_rumor.config.parse import parse_arguments
    from hf_rumor.corpus.sources import resolve_corpus
    from hf_rumor.corpus.splits import check_folds
    from hf_rumor.runs.benchmark import Cell, run_benchmark
    from hf_rumor.util.files import content_digest

    flags = arguments.flags
    for flag in ("--split", "--split_seed", "--seed", "--fold"):
        if any(word == flag or word.startswith(f"{flag}=") for word in flags):
            raise ArgumentError(f"{flag}: set by the benchmark for each run. Use --splits, --seeds and --folds.")
    if len({Path(recipe).stem for recipe in arguments.recipes}) < len(arguments.recipes):
        raise ArgumentError("--recipes: two files have the same name. Rename one.")
    data_paths = {parse_arguments([recipe, *flags]).run.data_path for recipe in arguments.recipes}
    if len(data_paths) > 1:
        corpora = ", ".join(sorted(data_paths))
        raise ArgumentError(f"--recipes: they use different corpora ({corpora}). Give one with --data_path.")
    for split in arguments.splits if arguments.folds else ():
        check_folds(split, arguments.folds, fold=0)
    cells = [
        Cell(recipe, split, seed, arguments.folds, fold)
        for recipe in arguments.recipes
        for split in arguments.splits
        for seed in range(arguments.seeds)
        for fold in range(arguments.folds or 1)
    ]
    exit_on_sigterm()
    sha256 = content_digest(resolve_corpus(data_paths.pop()))
    run_benchmark(cells, arguments.output_dir, flags, sha256)
    print((arguments.output_dir / "benchmark.md").read_text(encoding="utf-8"), end="")
