"""`hf-rumor triage`."""

import argparse
import logging
from typing import Any

from hf_rumor.cli.arguments import (
    add_backend,
    add_columns,
    add_model,
    add_prior,
    add_threshold,
    add_verb,
    count,
    open_posts,
)
from hf_rumor.util.files import user_path


logger = logging.getLogger(__name__)

NOTE = """\
Near-duplicates are one story and one row. A story has a higher priority if it is probably a rumor, widely seen
(columns for reposts, comments and likes) and recent. Fill in the column verdict: rumor, non-rumor or undecided;
hf-rumor feedback reads it."""


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "triage",
        "sort the posts of a day by priority for fact-checking, one row per story",
        example="hf-rumor triage out today.csv --history yesterday.xlsx --top 30 --output queue.xlsx",
        note=NOTE,
    )
    add_model(parser)
    parser.add_argument("input", metavar="INPUT", help="File or folder in a format that train reads.")
    parser.add_argument(
        "--output", type=user_path, required=True, help="File for the queue: .xlsx, .csv, .jsonl or .html."
    )
    parser.add_argument(
        "--history",
        metavar="FILE",
        type=user_path,
        nargs="+",
        default=[],
        help="Files of earlier days, the oldest first: exports, queues with verdicts, or the desk's corpus. Stories "
        "with a verdict there come last.",
    )
    parser.add_argument("--top", metavar="N", type=count, help="Write only the first N stories.")
    add_threshold(parser)
    add_prior(parser)
    add_columns(parser)
    add_backend(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the queue."""
    from hf_rumor.corpus.columns import Columns
    from hf_rumor.corpus.rows import read_items
    from hf_rumor.desk.queue import make_queue, read_history
    from hf_rumor.desk.verdicts import COLUMNS, VERDICTS
    from hf_rumor.inference.classifier import RumorClassifier
    from hf_rumor.util.tables import check_suffix, write_table

    check_suffix(arguments.output)
    settings = {name: getattr(arguments, name) for name in ("backend", "revision", "threshold")}
    classifier = RumorClassifier.from_pretrained(arguments.model, **settings)
    history = read_history(arguments.history)
    with open_posts(arguments.input) as source:
        items = list(read_items(source, Columns(text=arguments.text_column, id=arguments.id_column)))
    if arguments.prior is not None:
        posts = [item.post for item in items if item.post is not None]
        prior = classifier.estimate_prior(posts) if arguments.prior == "auto" else arguments.prior
        classifier = classifier.with_prior(prior)
    queue = make_queue(classifier, items, history, arguments.top)
    write_table(arguments.output, queue.columns, queue.rows, {COLUMNS[0]: VERDICTS})
    logger.info("triage: %d posts, %d stories", queue.num_posts, queue.num_stories)
    if omitted := queue.num_stories - len(queue.rows):
        logger.info("triage: %d stories omitted (--top); expected rumors among them: %.1f", omitted, queue.omitted)
    print(f"queue: {arguments.output} ({len(queue.rows)} rows)")
