"""`hf-rumor data export` and `hf-rumor data push`."""

import argparse
from pathlib import Path
from typing import Any

from hf_rumor.cli.arguments import add_corpus_flags, add_target, add_verb, load, seed, send
from hf_rumor.util.files import user_path


def add_parser(verbs: Any) -> None:
    """Add the verbs."""
    data = add_verb(verbs, "data", "export a corpus, or publish it on the Hub")
    verbs = data.add_subparsers(title="commands", metavar="COMMAND", required=True)

    export = add_verb(
        verbs,
        "export",
        "write a corpus as all_data.txt, dict.txt, train_list.txt and eval_list.txt",
        example="hf-rumor data export --data_path posts.csv --output_dir lists",
    )
    add_corpus_flags(export)
    export.add_argument("--split_seed", type=seed, default=0, help="Seed of the split. [%(default)s]")
    export.add_argument(
        "--output_dir", type=user_path, default=Path("lists"), help="Folder for the files. [%(default)s]"
    )
    export.set_defaults(run=run_export)

    push = add_verb(
        verbs,
        "push",
        "publish a corpus on the Hub, as Parquet with a dataset card",
        example="hf-rumor data push user/dataset --data_path posts.csv --license cc-by-4.0 --dry_run",
    )
    add_target(push)
    add_corpus_flags(push)
    push.add_argument("--license", required=True, help="License of the corpus, as named by the Hub: cc-by-4.0, ...")
    push.set_defaults(run=run_push)


def run_export(arguments: argparse.Namespace) -> None:
    """Write the four files and print their names."""
    from hf_rumor.corpus.export import export_lists

    for path in export_lists(load(arguments).posts, arguments.split_seed, arguments.output_dir):
        print(path)


def run_push(arguments: argparse.Namespace) -> None:
    """Push the corpus."""
    from hf_rumor.hub.dataset import dataset_contents
    from hf_rumor.report.card import check_license

    check_license(arguments.license)
    send(arguments, "dataset", dataset_contents(load(arguments), arguments.license), "Corpus of posts")
