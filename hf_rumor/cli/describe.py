"""`hf-rumor describe`."""

import argparse
from typing import Any

from hf_rumor.cli.arguments import add_model, add_verb, to_json


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "describe",
        "print the architecture, loss, threshold and test scores of a model",
        example="hf-rumor describe out",
    )
    add_model(parser)
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the description."""
    from hf_rumor.runs.describe import describe_model, to_text

    description = describe_model(arguments.model, arguments.revision)
    print(to_json(description, indent=2) if arguments.json else to_text(description))
