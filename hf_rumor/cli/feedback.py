"""`hf-rumor feedback`."""

import argparse
from datetime import UTC, datetime
from typing import Any

from hf_rumor.cli.arguments import add_columns, add_verb
from hf_rumor.util.files import user_path


NOTE = """\
The column verdict contains rumor, non-rumor or undecided (谣言, 非谣言, 待定); rows without a verdict stay open.
Undecided posts are counted, but not added."""


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "feedback",
        "add the verdicts in a queue to the desk's corpus, and compare them with the predictions",
        example="hf-rumor feedback queue.xlsx --corpus ours.jsonl --author Li",
        note=NOTE,
    )
    parser.add_argument("queue", metavar="QUEUE", type=user_path, help="File of hf-rumor triage, with verdicts.")
    parser.add_argument(
        "--corpus", type=user_path, required=True, help="Corpus of the desk, a .jsonl file; created if it is missing."
    )
    parser.add_argument("--author", help="Name of the fact-checker; saved with each verdict.")
    add_columns(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Add the verdicts, and print how often the predictions were right."""
    from hf_rumor.corpus.columns import Columns
    from hf_rumor.desk.feedback import add_to_corpus, count_hits, read_verdicts, slice_verdicts
    from hf_rumor.desk.verdicts import UNDECIDED

    columns = Columns(text=arguments.text_column, id=arguments.id_column)
    verdicts, num_open = read_verdicts(arguments.queue, columns)
    added = add_to_corpus(arguments.corpus, verdicts, arguments.author, datetime.now(UTC))
    num_undecided = sum(verdict.label == UNDECIDED for verdict in verdicts)
    print(
        f"{arguments.corpus}: {added.added} posts added, {added.changed} changed, {added.known} known already; "
        f"{num_undecided} undecided, {num_open} without a verdict"
    )
    for hits in count_hits(verdicts):
        print(
            f"predicted {hits.decision}: {hits.num_rumors} of {hits.num_posts} are rumors "
            f"({hits.num_rumors / hits.num_posts:.0%} [{hits.low:.0%}, {hits.high:.0%}], 95% CI)"
        )
    for one in slice_verdicts(verdicts):
        low, high = one.interval
        right = f"{one.accuracy:.0%} of {one.num_posts} predictions are correct [{low:.0%}, {high:.0%}]"
        print(f"{one.trait}, {one.slice}: {right}")
