"""`hf-rumor predict`."""

import argparse
import io
import logging
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hf_rumor.cli.arguments import add_model, add_verb, count, folder
from hf_rumor.errors import ArgumentError
from hf_rumor.util.processes import is_first_process, num_processes, process_rank


logger = logging.getLogger(__name__)

FORMATS = ("jsonl", "csv", "tsv", "lines")


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(verbs, "predict", "predict each line of a file or of stdin; prints JSON lines")
    add_model(parser)
    parser.add_argument("input", metavar="INPUT", nargs="?", default="-", help="file (default: stdin)")
    parser.add_argument("--output", type=folder, help="file (default: stdout)")
    parser.add_argument("--resume", action="store_true", help="resume a job that was interrupted")
    parser.add_argument(
        "--format",
        choices=("auto", *FORMATS),
        default="auto",
        help="auto: by the suffix of the file, otherwise JSON or plain lines by the first character",
    )
    parser.add_argument("--text_column", help="column or key of the text; detected if not given")
    parser.add_argument("--id_column", help="column or key of the id; detected if not given, else the line number")
    parser.add_argument("--batch_size", type=count, default=32, help="(%(default)s)")
    parser.add_argument(
        "--precision", choices=("fp32", "bf16"), default="fp32", help="bf16: faster, less exact (%(default)s)"
    )
    parser.add_argument("--backend", choices=("torch", "onnx"), default="torch", help="(%(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Predict every line; with several processes each does a share of the windows."""
    from hf_rumor.inference.bulk import Share, describe_job, join_shares, predict_items, write_predictions, write_share
    from hf_rumor.inference.classifier import RumorClassifier
    from hf_rumor.inference.items import format_of, read_items

    share = Share(process_rank(), num_processes())
    _check_files(arguments, share.of)
    with _open(arguments.input) as file:
        form = arguments.format
        if form == "auto":
            form = format_of(arguments.input, file.peek(64))
            logger.info("predict: %s is read as %s (--format auto)", arguments.input, form)
        classifier = RumorClassifier.from_pretrained(
            arguments.model,
            backend=arguments.backend,
            precision=arguments.precision,
            revision=arguments.revision,
        )
        items = read_items(file, form, arguments.text_column, arguments.id_column)
        names = ("text_column", "id_column", "batch_size", "precision", "revision")
        settings = {name: getattr(arguments, name) for name in names}
        job = describe_job(arguments.model, arguments.input, backend=arguments.backend, format=form, **settings)

        def lines_from(done: int) -> Iterator[list[str]]:
            if done:
                logger.info("predict: resuming after %s lines", f"{done:,}")
            return _with_progress(predict_items(classifier, items, arguments.batch_size, done, share), file)

        if share.of > 1:
            write_share(arguments.output, job, lines_from, share, resume=arguments.resume)
            if is_first_process():
                join_shares(arguments.output, job, share.of, arguments.batch_size)
        elif arguments.output:
            write_predictions(arguments.output, job, lines_from, resume=arguments.resume)
        else:
            for lines in lines_from(0):
                print("\n".join(lines), flush=True)


def _check_files(arguments: argparse.Namespace, processes: int) -> None:
    if arguments.input != "-" and not Path(arguments.input).exists():
        raise ArgumentError(
            f"{arguments.input}: no such file. For a single text: echo TEXT | hf-rumor predict {arguments.model}"
        )
    if arguments.resume and not arguments.output:
        raise ArgumentError("--resume: there is no --output to resume. Name the file.")
    if arguments.resume and arguments.input == "-":
        raise ArgumentError("--resume: stdin cannot be read again. Name a file.")
    if processes > 1 and (arguments.input == "-" or not arguments.output):
        raise ArgumentError(f"predict: {processes} processes need files for input and --output. Name both.")
    exist = arguments.output and arguments.output.exists() and Path(arguments.input).exists()
    if exist and arguments.output.samefile(arguments.input):
        raise ArgumentError(f"--output {arguments.output}: this is the input, which would be lost. Name another file.")


def _open(name: str) -> io.BufferedReader:
    from hf_rumor.util.encodings import open_as_utf8

    return io.BufferedReader(sys.stdin.buffer) if name == "-" else open_as_utf8(Path(name))  # type: ignore[arg-type]


def _with_progress(windows: Iterator[list[str]], file: io.BufferedReader) -> Iterator[list[str]]:
    """Yield the windows; show posts per second and the time left on a terminal, and log the totals at the end."""
    from tqdm import tqdm

    size = os.fstat(file.fileno()).st_size or None
    start, num_lines, num_errors = time.monotonic(), 0, 0
    disable = None if is_first_process() else True
    with tqdm(total=size, unit="B", unit_scale=True, desc="predict", disable=disable) as bar:
        for lines in windows:
            num_lines += len(lines)
            num_errors += sum('"error": ' in line for line in lines)
            if size and not bar.disable:
                bar.update(file.tell() - bar.n)
            bar.set_postfix_str(f"{num_lines / (time.monotonic() - start):.0f} posts/s", refresh=False)
            yield lines
    seconds = time.monotonic() - start
    logger.info(
        "predict: %s posts in %.1f s, %.0f posts/s; %s with an error",
        *(f"{num_lines:,}", seconds, num_lines / max(seconds, 1e-9), f"{num_errors:,}"),
    )
