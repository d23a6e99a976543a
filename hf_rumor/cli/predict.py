"""`hf-rumor predict`."""

import argparse
import logging
import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hf_rumor.cli.arguments import (
    add_backend,
    add_model,
    add_prior,
    add_threshold,
    add_verb,
    count,
    moment,
    open_posts,
)
from hf_rumor.corpus.formats import FORMATS
from hf_rumor.corpus.formats.input import Input
from hf_rumor.errors import ArgumentError
from hf_rumor.report.words import prior_words
from hf_rumor.util.files import output_file, user_path
from hf_rumor.util.processes import is_first_process, num_processes, process_rank
from hf_rumor.util.tables import check_suffix


if TYPE_CHECKING:
    from hf_rumor.corpus.columns import Columns
    from hf_rumor.corpus.rows import Item
    from hf_rumor.corpus.seen import SeenPosts
    from hf_rumor.inference.classifier import RumorClassifier


logger = logging.getLogger(__name__)

TABLES = (".csv", ".xlsx", ".html")
OTHER_TABLES = (".tsv", ".xls", ".ods")  # suffixes that promise a table


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "predict",
        "predict the probability of rumor for each post, and write JSON lines or a table",
        example="hf-rumor predict out posts.csv --output predictions.jsonl",
    )
    add_model(parser)
    parser.add_argument(
        "input",
        metavar="INPUT",
        nargs="?",
        default="-",
        help="File or folder in a format that train reads, or a text in quotes. [-, stdin]",
    )
    parser.add_argument(
        "--output",
        type=user_path,
        help="File for the predictions: JSON lines, or a table with the columns of the input if the name ends in "
        ".csv, .xlsx or .html. [-, stdout]",
    )
    parser.add_argument("--sort", action="store_true", help="Sort by probability, highest first; needs a table.")
    parser.add_argument("--top", metavar="N", type=count, help="Keep the N most probable rumors; needs a table.")
    parser.add_argument("--resume", action="store_true", help="Resume a job that was interrupted.")
    add_threshold(parser)
    add_prior(parser)
    parser.add_argument(
        "--format",
        choices=("auto", *FORMATS),
        default="auto",
        help="Format of INPUT. auto: detected from the file suffix, else from the first character (JSON or plain "
        "lines). [auto]",
    )
    parser.add_argument("--text_column", help="Name of the text column; detected if not given.")
    parser.add_argument(
        "--id_column",
        help="Name of the id column; detected if not given. Without one, the line or row number is the id.",
    )
    parser.add_argument(
        "--observed_at",
        metavar="TIME",
        type=moment,
        help="Time at which the reposts were collected, for posts without a column observed_at; needs a model "
        "that was trained with --reposts. [now]",
    )
    parser.add_argument("--batch_size", type=count, default=32, help="Batch size. [%(default)s]")
    parser.add_argument(
        "--precision",
        choices=("fp32", "bf16"),
        default="fp32",
        help="Precision of the weights; bf16 is faster and less exact. [%(default)s]",
    )
    parser.add_argument(
        "--mark_seen",
        action="store_true",
        help="State for each post whether the model has seen it, or a near-duplicate of it, in training.",
    )
    add_backend(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Predict every line; with several processes each does a share of the windows."""
    from hf_rumor.corpus.columns import Columns
    from hf_rumor.corpus.rows import read_items
    from hf_rumor.inference.bulk import Share, describe_job, join_shares, predict_items, write_predictions, write_share
    from hf_rumor.inference.classifier import RumorClassifier

    share = Share(process_rank(), num_processes())
    _check_files(arguments, share.of)
    seen = _load_seen(arguments) if arguments.mark_seen else None
    with open_posts(arguments.input, arguments.format) as source:
        settings = {name: getattr(arguments, name) for name in ("backend", "precision", "revision", "threshold")}
        classifier = RumorClassifier.from_pretrained(arguments.model, **settings)
        if arguments.observed_at is not None and classifier.reposts is None:
            raise ArgumentError(f"--observed_at: {arguments.model} reads no reposts. Remove the flag.")
        columns = Columns(text=arguments.text_column, id=arguments.id_column)
        if arguments.prior is not None:
            classifier = _with_prior(classifier, arguments, columns)
        items = read_items(source, columns)
        names = ("text_column", "id_column", "batch_size", "mark_seen", "observed_at", "prior")
        settings |= {name: getattr(arguments, name) for name in names}
        job = describe_job(arguments.model, str(source.path or "-"), format=source.format, **settings)

        def lines_from(done: int) -> Iterator[list[str]]:
            if done:
                logger.info("predict: resuming after %s lines", f"{done:,}")
            lines = predict_items(
                classifier, items, arguments.batch_size, done, share, seen, observed_at=arguments.observed_at
            )
            return _with_progress(lines, source)

        if _is_table(arguments):
            _write_table(arguments, list(items), classifier, seen)
        elif share.of > 1:
            write_share(arguments.output, job, lines_from, share, resume=arguments.resume)
            if is_first_process():
                join_shares(arguments.output, job, share.of, arguments.batch_size)
        elif arguments.output:
            write_predictions(arguments.output, job, lines_from, resume=arguments.resume)
        else:
            _print_predictions(lines_from(0))


def _is_table(arguments: argparse.Namespace) -> bool:
    return arguments.output is not None and arguments.output.suffix.lower() in TABLES


def _write_table(
    arguments: argparse.Namespace, items: "list[Item]", classifier: "RumorClassifier", seen: "SeenPosts | None"
) -> None:
    from hf_rumor.inference.bulk import ERROR_KEY, all_failed, predict_items
    from hf_rumor.inference.table import to_table
    from hf_rumor.util.tables import write_table

    windows = predict_items(classifier, items, arguments.batch_size, seen=seen, observed_at=arguments.observed_at)
    lines = [line for window in windows for line in window]
    if lines and all(ERROR_KEY in line for line in lines):
        raise all_failed(lines[0])
    columns, rows = to_table(lines, items, sort=arguments.sort or arguments.top is not None, top=arguments.top)
    write_table(arguments.output, columns, rows)
    omitted = f"; {len(lines) - len(rows):,} omitted (--top)" if len(rows) < len(lines) else ""
    logger.info("predict: %s posts%s", f"{len(lines):,}", omitted)


def _with_prior(classifier: "RumorClassifier", arguments: argparse.Namespace, columns: "Columns") -> "RumorClassifier":
    """Return the classifier adjusted to `--prior`; to estimate the share, the input is read once more."""
    from hf_rumor.corpus.rows import read_items

    prior = arguments.prior
    if prior == "auto":
        with open_posts(arguments.input, arguments.format) as source:
            posts = (item.post for item in read_items(source, columns) if item.post is not None)
            prior = classifier.estimate_prior(posts, arguments.batch_size, arguments.observed_at)
    adjusted = classifier.with_prior(prior)
    if adjusted.prior is not None:
        logger.info("prior: %s", prior_words(adjusted.prior))
    return adjusted


def _load_seen(arguments: argparse.Namespace) -> "SeenPosts":
    from hf_rumor.models.seen import load_seen

    seen = load_seen(arguments.model, arguments.revision)
    if seen is None:
        raise ArgumentError(f"--mark_seen: {arguments.model} has no record of its training posts. Remove the flag.")
    return seen


def _print_predictions(windows: Iterator[list[str]]) -> None:
    """Print the lines, and raise a `CorpusError` at the end if all of them are errors."""
    from hf_rumor.inference.bulk import ERROR_KEY, all_failed

    first, has_prediction = "", False
    for lines in windows:
        print("\n".join(lines), flush=True)
        first = first or lines[0]
        has_prediction = has_prediction or any(ERROR_KEY not in line for line in lines)
    if first and not has_prediction:
        raise all_failed(first)


def _check_files(arguments: argparse.Namespace, processes: int) -> None:
    if str(arguments.output) == "-":
        arguments.output = None
    source = os.path.expanduser(arguments.input)
    is_file = arguments.input != "-" and os.path.exists(source)
    if arguments.resume and not arguments.output:
        raise ArgumentError("--resume: there is no --output to resume. Name the file.")
    if arguments.resume and not is_file:
        raise ArgumentError("--resume: INPUT must be a file, since it is read again. Name the file.")
    if arguments.prior == "auto" and not is_file:
        raise ArgumentError("--prior auto: INPUT must be a file, since it is read twice. Name the file.")
    _check_table(arguments, processes)
    if processes > 1 and not (is_file and arguments.output):
        raise ArgumentError(f"predict: with {processes} processes, INPUT and --output must be files. Name both.")
    if arguments.output:
        arguments.output = output_file(arguments.output)
        if arguments.output.suffix.lower() in OTHER_TABLES:
            raise ArgumentError(
                f"--output {arguments.output}: not a supported format. Use a name that ends in .jsonl, "
                f"{', '.join(TABLES)}."
            )
        if arguments.output.exists() and is_file and arguments.output.samefile(source):
            raise ArgumentError(
                f"--output {arguments.output}: this is the input file; it would be overwritten. Name another file."
            )


def _check_table(arguments: argparse.Namespace, processes: int) -> None:
    for flag in ("sort", "top"):
        if getattr(arguments, flag) and not _is_table(arguments):
            raise ArgumentError(f"--{flag}: needs a table. Name an --output that ends in {', '.join(TABLES)}.")
    if _is_table(arguments):
        check_suffix(arguments.output)
        if arguments.resume or processes > 1:
            raise ArgumentError(
                f"--output {arguments.output}: a table does not support --resume or several processes. Use a "
                "name that ends in .jsonl."
            )


def _with_progress(windows: Iterator[list[str]], source: Input) -> Iterator[list[str]]:
    """Yield the windows; show posts per second and the time left on a terminal, and log the totals at the end."""
    from tqdm import tqdm

    from hf_rumor.corpus.findings import describe
    from hf_rumor.inference.bulk import ERROR_KEY

    size = source.num_bytes()
    start, num_lines, num_errors = time.monotonic(), 0, 0
    disable = None if is_first_process() else True  # None: unless stderr is a terminal
    with tqdm(total=size, unit="B", unit_scale=True, desc="predict", disable=disable) as bar:
        for lines in windows:
            num_lines += len(lines)
            num_errors += sum(ERROR_KEY in line for line in lines)
            if size and not bar.disable:
                bar.update(source.position() - bar.n)
            bar.set_postfix_str(f"{num_lines / (time.monotonic() - start):.0f} posts/s", refresh=False)
            yield lines
    for line in describe(source.findings):
        logger.info("predict: %s", line)
    seconds = time.monotonic() - start
    logger.info(
        "predict: %s posts in %.1f s, %.0f posts/s; %s with an error",
        *(f"{num_lines:,}", seconds, num_lines / max(seconds, 1e-9), f"{num_errors:,}"),
    )
