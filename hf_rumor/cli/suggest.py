"""`hf-rumor suggest`."""

import argparse
import logging
from typing import TYPE_CHECKING, Any

from hf_rumor.cli.arguments import add_backend, add_columns, add_model, add_verb, count, open_posts
from hf_rumor.util.files import user_path


if TYPE_CHECKING:
    from collections.abc import Sequence

    from hf_rumor.desk.stories import Earlier


logger = logging.getLogger(__name__)

NOTE = """\
Suggested posts are unlabeled, have uncertain predictions and differ from each other: at most one per story. Fill
in the column verdict; hf-rumor feedback reads it. With --labeled, the benefit of 100 further labels is estimated
from a learning curve of the SVM baseline on your labeled posts."""


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "suggest",
        "choose the posts to label next, and estimate the benefit of further labels",
        example="hf-rumor suggest out pool.jsonl --n 50 --labeled ours.jsonl --output label.xlsx",
        note=NOTE,
    )
    add_model(parser)
    parser.add_argument("input", metavar="POOL", help="File or folder of posts, in a format that train reads.")
    parser.add_argument(
        "--output", type=user_path, required=True, help="File for the posts: .xlsx, .csv, .jsonl or .html."
    )
    parser.add_argument("--n", metavar="N", type=count, default=50, help="Number of posts. [%(default)s]")
    parser.add_argument(
        "--labeled",
        metavar="FILE",
        type=user_path,
        nargs="+",
        default=[],
        help="Files of posts that have a label: the desk's corpus, or queues with verdicts.",
    )
    add_columns(parser)
    add_backend(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the posts, and print the learning curve."""
    from hf_rumor.corpus.columns import Columns
    from hf_rumor.corpus.rows import read_items
    from hf_rumor.desk.queue import read_history
    from hf_rumor.desk.suggest import suggest
    from hf_rumor.desk.verdicts import COLUMNS, VERDICTS
    from hf_rumor.inference.classifier import RumorClassifier
    from hf_rumor.util.tables import check_suffix, write_table

    check_suffix(arguments.output)
    classifier = RumorClassifier.from_pretrained(
        arguments.model, backend=arguments.backend, revision=arguments.revision
    )
    labeled = [one for one in read_history(arguments.labeled) if one.verdict]
    with open_posts(arguments.input) as source:
        items = read_items(source, Columns(text=arguments.text_column, id=arguments.id_column))
        found = suggest(classifier, items, [one.text for one in labeled], arguments.n)
    write_table(arguments.output, found.columns, found.rows, {COLUMNS[0]: VERDICTS})
    logger.info("suggest: %d posts, %d stories without a label", found.num_posts, found.num_stories)
    print(f"posts to label: {arguments.output} ({len(found.rows)} rows)")
    if arguments.labeled:
        _print_curve(labeled)


def _print_curve(labeled: "Sequence[Earlier]") -> None:
    import numpy as np

    from hf_rumor.corpus.near_duplicates import find_near_duplicates
    from hf_rumor.errors import ArgumentError
    from hf_rumor.evaluation.learning import learning_curve
    from hf_rumor.labels import LABEL_NAMES

    decided = [one for one in labeled if one.verdict in LABEL_NAMES]
    texts = [one.text for one in decided]
    labels = np.array([LABEL_NAMES.index(one.verdict) for one in decided], dtype=np.int64)
    try:
        curve = learning_curve(texts, labels, find_near_duplicates(texts).groups)
    except ArgumentError as problem:  # a desk that starts has few labels
        logger.info("suggest: %s", problem)
        return
    for size, error in zip(curve.sizes, curve.errors, strict=True):
        print(f"SVM on {size} labeled posts: {error:.1%} errors")
    interval = f"[{-100 * curve.high:+.1f}, {-100 * curve.low:+.1f}]"
    print(f"{curve.extra} more labels: {-100 * curve.gain:+.1f} pp errors {interval} (95% of the repetitions)")
