"""`hf-rumor monitor`."""

import argparse
import logging
from typing import Any

from hf_rumor.cli.arguments import add_backend, add_columns, add_language, add_model, add_verb, fraction
from hf_rumor.errors import OutputError
from hf_rumor.util.files import user_path


logger = logging.getLogger(__name__)

NOTE = """\
A day raises an alarm if its posts differ from the reference more than periods of the reference differ from each
other: in wording (two-sample test, surprise), length, confidence of the model, or unknown tokens. The exit status
is 1 if the last day raises an alarm, so that cron reports each alarm once."""


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "monitor",
        "check whether the posts of a day still resemble those of the training period",
        example="hf-rumor monitor out days/*.jsonl --reference archive.jsonl --output monitor.html",
        note=NOTE,
    )
    add_model(parser)
    parser.add_argument(
        "days", metavar="DAY", type=user_path, nargs="+", help="Files with the posts of one day each, in order."
    )
    parser.add_argument(
        "--reference",
        metavar="FILE",
        type=user_path,
        nargs="+",
        help="Files with posts of the training period; posts that the model was trained on are skipped. Without it, "
        "each day is compared with the days before it that raised no alarm.",
    )
    parser.add_argument(
        "--false_alarm_rate",
        metavar="RATE",
        type=fraction,
        default=0.05,
        help="Nominal probability of a false alarm in a week of seven days. [%(default)s]",
    )
    parser.add_argument("--output", type=user_path, help="File for the result: .html (curves over days) or .jsonl.")
    add_language(parser, "Language of the page.")
    add_columns(parser)
    add_backend(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the table, and write the page; return 1 if the last day raises an alarm."""
    output = arguments.output
    if output is not None and output.suffix.lower() not in (".html", ".jsonl"):
        raise OutputError(f"--output {output}: neither a page nor a table. Use a name that ends in .html or .jsonl.")
    from hf_rumor.corpus.columns import Columns
    from hf_rumor.desk.monitor import in_time, monitor, read_posts, score_posts, unseen
    from hf_rumor.desk.page import explain_alarm, explain_limits, to_page, to_records, to_text
    from hf_rumor.inference.classifier import RumorClassifier
    from hf_rumor.models.seen import load_seen
    from hf_rumor.util.files import write_text
    from hf_rumor.util.tables import write_table

    columns = Columns(text=arguments.text_column, id=arguments.id_column)
    files = [(path.stem, read_posts(path, columns)) for path in arguments.days]
    if arguments.reference:
        posts = in_time([post for path in arguments.reference for post in read_posts(path, columns)])
        files.append(("reference", unseen(posts, load_seen(arguments.model, arguments.revision))))
    classifier = RumorClassifier.from_pretrained(
        arguments.model, backend=arguments.backend, revision=arguments.revision
    )
    scored = score_posts(classifier, files)
    reference = scored.pop() if arguments.reference else None
    rows = monitor(scored, reference, classifier.facts.validation, arguments.false_alarm_rate)
    print(to_text(rows))
    for row in rows:
        if row.drift is not None and row.drift.is_alarm:
            print(f"alarm: {explain_alarm(row, row.drift)}")
    logger.info("monitor: %s", explain_limits(rows, arguments.false_alarm_rate))
    if output is not None and output.suffix.lower() == ".html":
        write_text(output, to_page(rows, arguments.model, arguments.false_alarm_rate, arguments.language))
    elif output is not None:
        write_table(output, *to_records(rows))
    last = rows[-1].drift
    return int(last is not None and last.is_alarm)
