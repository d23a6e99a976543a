"""Render the commands and their flags as Markdown, from the parsers."""

import argparse
import dataclasses
import inspect
import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any

from hf_rumor.cli.main import make_parser
from hf_rumor.config.flags import TRAINING_DEFAULTS, RunArguments, shown_default
from hf_rumor.config.parse import bundled_recipes
from hf_rumor.config.parse import make_parser as make_train_parser
from hf_rumor.config.rules import REFUSED


INTRODUCTION = """\
# Commands

`hf-rumor COMMAND --help` prints the same. `python -m hf_rumor` is the same as `hf-rumor`. Results go to stdout, log
lines to stderr. The exit status is 0 after success, 1 if a check or a push failed, 2 after a user error.
"""
TRAIN = """\
`hf-rumor train [RECIPE] [--flag value ...]`

`python run_rumor.py` takes the same flags. RECIPE is a `.yaml` or `.json` file of flags, or a
[bundled one](recipes.md): {recipes}. Flags override it. A flag that is on or off takes `true` or `false`.
"""
# A default at the end of a help text: "[32]", "(default: stdin)".
HINT = re.compile(r"\s*(?:\[([^][]*)\]|\((?:default: )?(?:%\(default\)s|(\w+))\)|[(;] ?default: ([^()]*)\)?)$")
Row = tuple[str, str, str]  # flag, default, meaning


def render() -> str:
    """Return the page: one section per verb."""
    return "\n".join([INTRODUCTION, *(_section(name, parser, summary) for name, parser, summary in _verbs())])


def _verbs() -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    """Yield the words, the parser and the summary of each verb, nested verbs included."""

    def walk(prefix: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                summaries = {choice.dest: choice.help or "" for choice in action._choices_actions}
                for name, child in action.choices.items():
                    yield f"{prefix}{name}", child, summaries[name]
                    yield from walk(f"{prefix}{name} ", child)

    yield from walk("", make_parser())


def _section(name: str, parser: argparse.ArgumentParser, summary: str) -> str:
    lines = [f"## hf-rumor {name}\n", f"{_sentence(summary)}\n"]
    if name == "train":
        recipes = re.sub(r"(\w+)", r"`\1`", bundled_recipes())
        return "\n".join([*lines, TRAIN.format(recipes=recipes), *_train_tables()])
    if any(isinstance(action, argparse._SubParsersAction) for action in parser._actions):
        return "\n".join(lines)
    inputs = parser._get_positional_actions()
    words = [f"[{action.metavar}]" if action.nargs in ("?", "*") else action.metavar for action in inputs]
    lines += [f"`{' '.join(['hf-rumor', name, *words])} [--flag value ...]`\n"]
    flags = [action for action in parser._get_optional_actions() if not isinstance(action, argparse._HelpAction)]
    rows = map(_row, [*inputs, *flags])
    return "\n".join([*lines, _table(rows), *map(_paragraph, (parser.epilog or "").split("\n\n"))])


def _paragraph(text: str) -> str:
    """Return a paragraph of an epilog; an example is a block of code."""
    head, _, example = text.partition("\n")
    if not example.startswith(" "):
        return f"{_text(text)}\n"
    return f"{head}\n\n```\n{inspect.cleandoc(example)}\n```\n"


def _row(action: argparse.Action) -> Row:
    """Return the row of a flag or an input; a default at the end of its help gets a column of its own."""
    name = f"`{action.option_strings[-1]}`" if action.option_strings else f"`{action.metavar}`"
    hint = HINT.search(action.help or "")
    default = None if action.default is False else action.default
    if hint and default is None:
        default = next(filter(None, hint.groups()), "")
    if action.required and action.nargs not in ("?", "*"):
        default = "required"
    return name, _value(default), _meaning(HINT.sub("", action.help or ""), action.choices)


def _train_tables() -> Iterator[str]:
    """Yield the tables of `train`: our own flags, those whose defaults differ, and all others."""
    choices = {action.dest: action.choices for action in make_train_parser()._actions}

    def row(name: str, default: Any, meaning: str) -> Row:
        return f"`--{name}`", _value(default), _meaning(meaning, choices[name])

    yield "### Data, model, split, loss\n"
    yield _table(
        row(entry.name, shown_default(entry.name), entry.metadata["help"])
        for entry in dataclasses.fields(RunArguments)
    )
    yield "### Flags of transformers with different defaults\n"
    yield _table(row(name, value, meaning) for name, (value, meaning) in TRAINING_DEFAULTS.items())
    yield "### All other flags of transformers\n"
    yield "As in `transformers.TrainingArguments` of the tested version.\n"
    yield _table(
        row(entry.name, _default(entry), entry.metadata.get("help", ""))
        for entry in _training_arguments()
        if entry.name in choices and entry.name not in {*TRAINING_DEFAULTS, *REFUSED}
    )
    yield "### Not supported\n"
    yield "These flags of transformers are refused:\n"
    yield _table(((f"`--{name}`", _sentence(advice)) for name, advice in REFUSED.items()), ("flag", "what to do"))


def _training_arguments() -> tuple[Any, ...]:
    from transformers import TrainingArguments

    return dataclasses.fields(TrainingArguments)


def _default(entry: Any) -> Any:
    if entry.default_factory is not dataclasses.MISSING:
        return entry.default_factory()
    return None if entry.default is dataclasses.MISSING else entry.default


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _value(value: Any) -> str:
    """Return a default; true and false as a recipe has them."""
    value = _plain(value)
    if value in ("", None) or value == {} or value == []:
        return ""
    if value == "required":
        return value
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{','.join(value) if isinstance(value, list) else value}`"


def _meaning(text: str, choices: Iterable[Any] | None) -> str:
    allowed = ", ".join(f"`{_plain(choice)}`" for choice in choices or ())
    return " ".join(part for part in (_sentence(text), allowed and f"One of {allowed}.") if part)


def _sentence(text: str) -> str:
    text = _text(text)
    if not text:
        return ""
    first = text.split()[0]
    start = first if first.endswith(":") else first[0].upper() + first[1:]  # `auto: ...` is a value
    return f"{start}{text[len(first) :]}{'' if text.endswith('.') else '.'}"


def _text(text: str) -> str:
    """Return a help text on one line of Markdown, with flags as code."""
    text = " ".join(inspect.cleandoc(text).replace("%%", "%").split())
    text = re.sub(r"([|*<>])", r"\\\1", text)
    return re.sub(r"(?<![\w`])(--\w+|hf-rumor \w+)", r"`\1`", text)


def _table(rows: Iterable[tuple[str, ...]], head: tuple[str, ...] = ("flag", "default", "meaning")) -> str:
    lines = [head, ("---",) * len(head), *rows]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f'<div class="flags" markdown>\n\n{table}\n</div>\n'
