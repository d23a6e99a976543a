"""`hf-rumor decide`."""

import argparse
from typing import Any

from hf_rumor.cli.arguments import add_corpus_flags, add_model, add_verb, load, to_json


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "decide",
        "choose a threshold for a trained model on labeled posts that it has not seen",
        example="hf-rumor decide out --data_path yesterday.csv --decision flag=30",
        note="The model is not changed: pass the printed threshold to hf-rumor predict or serve.",
    )
    add_model(parser)
    add_corpus_flags(parser)
    parser.add_argument(
        "--decision",
        default="max_f1",
        help="Rule for the threshold: max_f1, precision>=0.9, recall>=0.9, cost=5:1 (a missed rumor costs 5 "
        "times as much as a false alarm), flag=30 (at most 30 of these posts are flagged), or a number. [%(default)s]",
    )
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Choose the threshold and print what it gives."""
    from hf_rumor.evaluation.decision import parse_decision
    from hf_rumor.runs.decide import choose_for_model, to_text

    parse_decision(arguments.decision)  # raises its error before anything is loaded
    choice = choose_for_model(arguments.model, load(arguments), arguments.decision, arguments.revision)
    print(to_json(choice, indent=2) if arguments.json else to_text(choice))
