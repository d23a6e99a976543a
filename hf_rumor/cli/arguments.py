"""Flags, types of flags, and output that several verbs share."""

import argparse
import dataclasses
import json
import re
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from hf_rumor.config.flags import MAX_SEED, RunArguments
from hf_rumor.errors import ArgumentError


if TYPE_CHECKING:
    from hf_rumor.corpus.arrow import Corpus


class Parser(argparse.ArgumentParser):
    """Parser of the command and of each verb: raises `ArgumentError` and accepts no abbreviated flags."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Raise the message as an `ArgumentError`."""
        raise ArgumentError(f"{message}; see {self.prog} --help")


def add_verb(verbs: Any, name: str, summary: str, **settings: Any) -> argparse.ArgumentParser:
    """Return the parser of a verb; `hf-rumor --help` and the help of the verb print its summary."""
    description = settings.pop("description", f"{summary[0].upper()}{summary[1:]}.")
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=summary, description=description, **settings)
    return parser


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add MODEL and --revision."""
    parser.add_argument("model", metavar="MODEL", help="folder of a finished run, or a model on the Hub")
    parser.add_argument("--revision", help="branch, tag or commit of a model on the Hub")


def add_corpus_flags(parser: argparse.ArgumentParser) -> None:
    """Add --data_path and the columns."""
    for entry in dataclasses.fields(RunArguments):
        if entry.name in ("data_path", "text_column", "label_column", "id_column"):
            parser.add_argument(f"--{entry.name}", default=entry.default, help=entry.metadata["help"])


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add the repository on the Hub and how to push to it."""
    parser.add_argument("repo", metavar="REPO", help="user/name on the Hub; created if it does not exist")
    parser.add_argument("--private", action="store_true", default=None, help="create the repository as private")
    parser.add_argument("--revision", help="branch, created if it does not exist (main)")
    parser.add_argument("--create_pr", action="store_true", help="open a pull request instead of changing the branch")
    parser.add_argument("--dry_run", action="store_true", help="list what would be uploaded, upload nothing")


def load(arguments: argparse.Namespace) -> "Corpus":
    """Return the corpus that the flags of `add_corpus_flags` name."""
    from hf_rumor.corpus.arrow import load_corpus
    from hf_rumor.corpus.rows import Columns

    columns = Columns(arguments.text_column, arguments.label_column, arguments.id_column)
    return load_corpus(arguments.data_path, columns=columns)


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


def seed(text: str) -> int:
    """Return a number from 0 to `MAX_SEED`."""
    if not text.isdecimal() or int(text) > MAX_SEED:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to {MAX_SEED}, got {text!r}")
    return int(text)


def count(text: str) -> int:
    """Return a positive number."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a number of at least 1, got {text!r}")
    return int(text)


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
            raise argparse.ArgumentTypeError(f"expected some of {', '.join(choices)}, got {word!r}")
    return words


def split_names(text: str) -> list[str]:
    """Return different names of splits, separated by commas."""
    from hf_rumor.corpus.splits import SPLITS  # takes seconds to import

    return some_of(tuple(SPLITS), text)


def split_name(text: str) -> str:
    """Return the name of a split."""
    [name] = split_names(text)
    return name
