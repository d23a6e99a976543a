"""Flags, types of flags, and output that several verbs share."""

import argparse
import dataclasses
import io
import json
import logging
import math
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, get_args

from hf_rumor.config.flags import RunArguments
from hf_rumor.config.rules import MAX_SEED, OF_THE_CORPUS
from hf_rumor.corpus.formats import SUFFIXES, WORKBOOKS, open_input
from hf_rumor.corpus.formats.compressed import COMPRESSED
from hf_rumor.corpus.formats.input import Input
from hf_rumor.errors import ArgumentError
from hf_rumor.util.translation import Language


if TYPE_CHECKING:
    from hf_rumor.corpus.arrow import Corpus


logger = logging.getLogger(__name__)


class Parser(argparse.ArgumentParser):
    """Parser of the command and of each verb: raises `ArgumentError` and accepts no abbreviated flags."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, add_help=False, formatter_class=Formatter, **settings)
        self.add_argument("-h", "--help", action="help", help="Print this help and exit.")

    def error(self, message: str) -> NoReturn:
        """Raise the message as an `ArgumentError`."""
        message = re.sub("the following arguments are required: (.*)", r"\1: missing", message)
        raise ArgumentError(f"{message.removeprefix('argument ')}. See {self.prog} --help.")


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Prints examples as they are, and flags in a wide column."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30)


def add_verb(verbs: Any, name: str, summary: str, *, example: str = "", note: str = "") -> argparse.ArgumentParser:
    """Return the parser of a verb, called `parser` in its arguments.

    `hf-rumor --help` and the help of the verb print its summary; the latter also prints the example and the note.
    """
    summary = f"{summary[0].upper()}{summary[1:]}."
    examples = f"Example:\n  {example}" if example else ""
    epilog = "\n\n".join(part for part in (note, examples) if part)
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=summary, description=summary, epilog=epilog)
    parser.set_defaults(parser=parser)
    return parser


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add MODEL and --revision."""
    parser.add_argument("model", metavar="MODEL", help="Folder of a finished run, or name of a model on the Hub.")
    parser.add_argument("--revision", help="Branch, tag or commit of a model on the Hub.")


def add_backend(parser: argparse.ArgumentParser) -> None:
    """Add --backend."""
    parser.add_argument(
        "--backend",
        choices=("torch", "onnx"),
        default="torch",
        help="Backend; onnx requires a folder written by hf-rumor export. [%(default)s]",
    )


def add_columns(parser: argparse.ArgumentParser) -> None:
    """Add the flags that name the columns of unlabeled posts."""
    parser.add_argument("--text_column", help="Name of the text column; detected if not given.")
    parser.add_argument("--id_column", help="Name of the id column; detected if not given.")


def add_threshold(parser: argparse.ArgumentParser) -> None:
    """Add --threshold."""
    parser.add_argument(
        "--threshold",
        type=fraction,
        help="Predict rumor if the probability is at least this value; replaces the threshold of the model.",
    )


def add_prior(parser: argparse.ArgumentParser) -> None:
    """Add --prior."""
    parser.add_argument(
        "--prior",
        metavar="SHARE",
        type=_prior,
        help="Adjust the probabilities to this share of rumors among the posts, such as 0.1; auto: estimate the share "
        "from the posts. Without it, the share is assumed to be as in training.",
    )


def add_corpus_flags(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Add --data_path, the columns and the label map; `several` paths would swallow a positional behind them."""
    for entry in dataclasses.fields(RunArguments):
        flag, help_text = f"--{entry.name}", entry.metadata["help"]
        if entry.name == "data_path":
            nargs = "+" if several else 1
            parser.add_argument(flag, metavar="PATH", nargs=nargs, default=["auto"], help=f"{help_text} [auto]")
        elif entry.name == "keep_copies":
            parser.add_argument(flag, action="store_true", help=help_text)
        elif entry.name in OF_THE_CORPUS:
            parser.add_argument(flag, metavar="JSON" if entry.name == "label_map" else "NAME", help=help_text)


def add_language(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Add --language."""
    parser.add_argument("--language", choices=get_args(Language), default="en", help=f"{help_text} [%(default)s]")


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add the repository on the Hub and how to push to it."""
    parser.add_argument("repo", metavar="REPO", help="Repository on the Hub, user/name; created if missing.")
    parser.add_argument("--private", action="store_true", default=None, help="Create the repository as private.")
    parser.add_argument("--revision", help="Branch; created if missing. [main]")
    parser.add_argument("--create_pr", action="store_true", help="Open a pull request instead of changing the branch.")
    parser.add_argument("--dry_run", action="store_true", help="List the files to upload, and upload nothing.")


@contextmanager
def open_posts(argument: str, format_name: str = "auto") -> Iterator[Input]:
    """Open what a user names to predict: a file, a folder of CED or Weibo16, `-` for stdin, or a text itself.

    An argument is a text if no file has this name, and if it does not look like the name of a file.

    Raises:
        ArgumentError: No file has this name, but it looks like the name of a file.
    """
    path = os.path.expanduser(argument)
    if argument == "-" or os.path.exists(path):
        with open_input(sys.stdin.buffer if argument == "-" else Path(path), format_name, is_labeled=False) as source:
            if format_name == "auto":
                logger.info("input: %s is read as %s", source.name, source.format)
            yield source
        return
    suffixes = (*SUFFIXES, *COMPRESSED, *WORKBOOKS, ".json")
    if (argument.isascii() and " " not in argument) or argument.lower().endswith(suffixes) or format_name != "auto":
        raise ArgumentError(f"{argument}: no such file. Check the path; to classify a text, pass it on stdin.")
    logger.info("input: no file has this name, so it is read as a text")
    line = io.BytesIO(json.dumps({"id": 1, "text": argument}).encode())
    with open_input(line, "jsonl", is_labeled=False, name="the text") as source:
        yield source


def load(arguments: argparse.Namespace) -> "Corpus":
    """Return the corpus that the flags of `add_corpus_flags` name."""
    from hf_rumor.config.corpora import read_corpora

    return read_corpora(arguments)


def send(arguments: argparse.Namespace, repo_type: Any, uploads: Sequence[Any], message: str) -> None:
    """Push files to the repository of `add_target`, or list them."""
    from hf_rumor.hub.push import Target, check_target, push

    if arguments.dry_run:
        for upload in uploads:
            print(f"{upload.size():>12,}  {upload.path}" + (f"  ({upload.note})" if upload.note else ""))
        return
    target = Target(arguments.repo, repo_type, arguments.private, arguments.revision, arguments.create_pr)
    check_target(target)
    print(push(target, uploads, message))


def exit_on_sigterm() -> None:
    """Make SIGTERM raise an exception, as Ctrl-C does, so that temporary files and child processes are cleaned up."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def to_json(record: Any, *, indent: int | None = None) -> str:
    """Return a dataclass as JSON."""
    return json.dumps(dataclasses.asdict(record), ensure_ascii=False, indent=indent)


def _whole_number(lowest: int, highest: float) -> Callable[[str], int]:
    """Return a function that parses a whole number within these bounds."""
    expected = f"of at least {lowest}" if highest == math.inf else f"from {lowest} to {highest}"

    def parse(text: str) -> int:
        if not text.isdecimal() or not lowest <= int(text) <= highest:
            raise argparse.ArgumentTypeError(f"expected a whole number {expected}, got {text!r}")
        return int(text)

    return parse


seed = _whole_number(0, MAX_SEED)
port = _whole_number(0, 2**16 - 1)
count = _whole_number(1, math.inf)


def moment(text: str) -> int:
    """Return the seconds since 1970-01-01 UTC of a time on the command line."""
    from hf_rumor.corpus.values import parse_time

    seconds = parse_time(text)
    if seconds is None:
        raise argparse.ArgumentTypeError(f"expected a time such as 2026-11-30T12:00, got {text!r}")
    return seconds


def fraction(text: str) -> float:
    """Return a number between 0 and 1, both excluded."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"expected a number between 0 and 1, got {text!r}")
    return value


def _prior(text: str) -> float | str:
    return text if text == "auto" else fraction(text)


def names(text: str) -> list[str]:
    """Return different names, separated by commas."""
    words = [word for word in (part.strip() for part in text.split(",")) if word]
    if not words or len(set(words)) < len(words):
        raise argparse.ArgumentTypeError(f"expected different names separated by commas, got {text!r}")
    return words


def varied(text: str) -> tuple[str, list[str]]:
    """Return the flag and the values of `FLAG=VALUE,VALUE`; commas inside brackets or quotes belong to a value."""
    name, _, values = text.partition("=")
    parts = [part.strip() for part in re.findall(r"""((?:\{[^{}]*\}|\[[^\[\]]*\]|"[^"]*"|[^,])+)""", values)]
    if not name or not all(parts) or len(set(parts)) < max(1, len(parts)):
        raise argparse.ArgumentTypeError(f"expected FLAG=VALUE,VALUE with different values, got {text!r}")
    return name.lstrip("-").replace("-", "_"), parts


def some_of(choices: Sequence[str], text: str) -> list[str]:
    """Return different names out of `choices`, separated by commas."""
    words = names(text)
    for word in words:
        if word not in choices:
            raise argparse.ArgumentTypeError(f"{word!r} is not one of {', '.join(choices)}")
    return words


def split_names(text: str) -> list[str]:
    """Return different names of splits, separated by commas."""
    from hf_rumor.corpus.splits import LEAVE_OUT, SPLITS, is_split  # takes seconds to import

    words = names(text)
    for word in words:
        if not is_split(word):
            raise argparse.ArgumentTypeError(f"{word!r} is not one of {', '.join(SPLITS)}, {LEAVE_OUT}SOURCE")
    return words


def split_name(text: str) -> str:
    """Return the name of a split of one corpus."""
    from hf_rumor.corpus.splits import SPLITS  # takes seconds to import

    [name] = some_of(tuple(SPLITS), text)
    return name
