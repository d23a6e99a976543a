"""`hf-rumor`: parse, run one verb, turn what it raises into an exit status and one line.

To add a verb: write a module here with `add_parser(verbs)` and `run(arguments)`, and add it to `VERBS`.
Results go to stdout, everything else to stderr.
"""

import argparse
import difflib
import io
import logging
import os
import re
import signal
import sys
import time
from collections.abc import Sequence

from hf_rumor import __version__
from hf_rumor.cli import (
    audit,
    benchmark,
    compare,
    data,
    decide,
    describe,
    evaluate,
    explain,
    export,
    feedback,
    monitor,
    predict,
    push,
    search,
    serve,
    suggest,
    train,
    triage,
    watch,
)
from hf_rumor.cli.arguments import Parser
from hf_rumor.errors import ArgumentError, RumorError
from hf_rumor.util.processes import is_first_process, process_rank


VERBS = (
    train,
    audit,
    data,
    benchmark,
    search,
    describe,
    evaluate,
    decide,
    compare,
    predict,
    triage,
    feedback,
    suggest,
    monitor,
    explain,
    export,
    serve,
    watch,
    push,
)
LAUNCHER_SECONDS = 2.0  # a launcher ends the other processes within this time after one failed


def main(argv: Sequence[str] | None = None) -> int:
    """Run a verb; return 0 on success, 1 if a check or a push failed, 2 after a user error."""
    words = list(sys.argv[1:] if argv is None else argv)
    _set_up_streams()
    _set_up_logging()
    try:
        _check_words(words)
        if not words:
            print(make_parser().format_help(), end="")  # and status 0, as pip does
            return 0
        if words[0] == "train":  # parsed with the flags of Trainer
            return train.run(words[1:])
        arguments = parse(words)
        return arguments.run(arguments) or 0
    except RumorError as error:
        return _fail(str(error))
    except BrokenPipeError:  # the reader of stdout has closed it, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the last flush
        return 1
    except OSError as error:
        if error.errno is None:
            raise
        return _fail(f"{error.filename or 'a file or stream'}: {error.strerror}. Check the path and its permissions.")
    except KeyboardInterrupt:
        print(f"hf-rumor: interrupted{_resume_hint(words)}", file=sys.stderr)
        return 130
    except SystemExit as error:
        if error.code != 128 + signal.SIGTERM:
            raise
        print(f"hf-rumor: terminated{_resume_hint(words)}", file=sys.stderr)
        return 128 + signal.SIGTERM


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs; `train` is only listed here."""
    parser = Parser(
        prog="hf-rumor",
        description="Train, evaluate and use rumor classifiers with the Hugging Face Trainer.",
        epilog="hf-rumor COMMAND --help prints the flags of a command and an example.",
    )
    parser.add_argument(
        "--version", action="version", version=f"hf_rumor {__version__}", help="Print the version and exit."
    )
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for verb in VERBS:
        verb.add_parser(verbs)
    return parser


def parse(words: list[str]) -> argparse.Namespace:
    """Return the flags of a verb, and its function as `run`.

    Unknown flags of `benchmark` and `search` are returned as `flags`, for their runs.
    """
    names = [verb.__name__.rpartition(".")[2] for verb in VERBS]
    if words[0] not in names and not words[0].startswith("-"):
        raise ArgumentError(f"{words[0]}: not a command{_closest(words[0], names)}. See hf-rumor --help.")
    arguments, rest = make_parser().parse_known_args(words)
    if rest and words[0] not in ("benchmark", "search"):
        flags = [flag for action in arguments.parser._actions for flag in action.option_strings]
        what = f"not a flag{_closest(rest[0], flags)}" if rest[0].startswith("-") else "unexpected argument"
        if "--data_path" in flags and not rest[0].startswith("-"):
            what += f"; a corpus is passed as --data_path {rest[0]}"
        raise ArgumentError(f"{rest[0]}: {what}. See {arguments.parser.prog} --help.")
    arguments.flags = rest
    return arguments


def _closest(word: str, names: list[str]) -> str:
    start = word.partition("=")[0]
    close = [name for name in names if name.startswith(start)] or difflib.get_close_matches(start, names, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _fail(message: str) -> int:
    """Print an error and return status 2; processes other than the first print their rank.

    They wait before they print. If the first process failed with the same error, the launcher ends them meanwhile.
    """
    if is_first_process():
        print(f"hf-rumor: error: {message}", file=sys.stderr)
    else:
        time.sleep(LAUNCHER_SECONDS)
        print(f"hf-rumor: error: process {process_rank()}: {message}", file=sys.stderr)
    return 2


def _check_words(words: list[str]) -> None:
    """Refuse empty values: an empty path would be the current folder, an empty host every address."""
    for before, word in zip(["hf-rumor", *words], words, strict=False):
        flag = re.fullmatch(r"(--[\w-]+)=", word)
        if flag or not word:
            raise ArgumentError(f"{flag[1] if flag else before}: the value is empty. Give a value.")


def _resume_hint(words: list[str]) -> str:
    """Return how to resume a command that was interrupted."""
    verb = words[0] if words else ""
    if verb in ("train", "benchmark", "search"):
        return "; rerun the same command to resume"
    if verb != "predict":
        return ""
    arguments = parse(words)
    return "; rerun it with --resume" if arguments.output and os.path.exists(arguments.input) else ""


def _set_up_streams() -> None:
    """Escape characters that a terminal cannot show; write UTF-8 to files and pipes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")


def _set_up_logging() -> None:
    """Send our own lines to stderr; progress bars of the libraries only to a terminal."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("hf_rumor")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO if is_first_process() else logging.ERROR)
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    if not sys.stderr.isatty():
        os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
