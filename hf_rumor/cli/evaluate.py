"""`hf-rumor evaluate`."""

import argparse
from pathlib import Path
from typing import Any

from hf_rumor.cli.arguments import add_corpus_flags, add_language, add_model, add_prior, add_verb, load
from hf_rumor.util.files import user_path


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "evaluate",
        "evaluate a model on labeled posts from another corpus, and write a report",
        example="hf-rumor evaluate out --data_path other_posts.csv --output_dir evaluation",
    )
    add_model(parser)
    add_corpus_flags(parser)
    parser.add_argument(
        "--output_dir", type=user_path, default=Path("evaluation"), help="Folder for the report. [%(default)s]"
    )
    add_prior(parser)
    add_language(parser, "Language of the report.")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Evaluate the model and print the headline."""
    from hf_rumor.report.words import headline, leakage
    from hf_rumor.runs.evaluate import evaluate_outside

    corpus, folder = load(arguments), arguments.output_dir
    report = evaluate_outside(arguments.model, corpus, folder, arguments.revision, arguments.language, arguments.prior)
    print(headline(report))
    print(leakage(report))
    print(f"report: {folder}/ (report.html, .md and .json, figures/, predictions.jsonl, mistakes.csv)")
