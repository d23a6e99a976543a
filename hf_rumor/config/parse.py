"""Command line, recipe or keywords -> `Arguments`, checked.

Importing this module is cheap; `parse_arguments` imports transformers.
"""

import argparse
import ast
import dataclasses
import difflib
import importlib.util
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import yaml

from hf_rumor.config.flags import TRAINING_DEFAULTS, RunArguments
from hf_rumor.config.rules import ALIASES, MAX_SEED, MINIMUMS, NOT_IN_RECIPE, PATHS, REFUSED, REQUIRES
from hf_rumor.errors import ArgumentError


RECIPES = Path(__file__).parent / "recipes"
RECIPE_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Arguments:
    """The flags of a run, with their values."""

    run: RunArguments
    training: dict[str, Any]  # flags of `TrainingArguments`
    given: dict[str, Any]  # flags of both kinds in the recipe or on the command line; the others have their defaults
    recipe_model: str | None = None  # model in the recipe, if it names one

    def recipe(self) -> dict[str, Any]:
        """Return the flags that repeat the run; a single corpus is not in a list."""
        flags = {name: self.given[name] for name in sorted(self.given) if name not in NOT_IN_RECIPE}
        paths = flags.get("data_path")
        return flags | {"data_path": paths[0]} if isinstance(paths, list) and len(paths) == 1 else flags

    def resolved(self, flags: Mapping[str, Any]) -> "Arguments":
        """Return these arguments with the values of `flags`, which override those given."""
        given = {**self.given, **flags}
        run, training = _fill(given)
        return dataclasses.replace(self, run=run, training=training, given=given)


def parse_arguments(argv: Sequence[str]) -> Arguments:
    """Return the arguments of `[RECIPE] [--flag value ...]`; flags override the recipe.

    Raises:
        ArgumentError: A flag, a key or a value is unknown, out of range or not supported.
    """
    recipe_file, words = check_names(argv)
    recipe, empty = _read_recipe(recipe_file) if recipe_file else ({}, [])
    given = recipe | _parse(make_parser(), words, "")
    for name in empty:
        if name not in given:
            raise ArgumentError(f"{recipe_file}: {name} has no value. Add --{name} VALUE.")
    run, training = _fill(given)
    return Arguments(run, training, given, recipe.get("model_name_or_path"))


def check_names(argv: Sequence[str]) -> tuple[Path | None, list[str]]:
    """Return the recipe file, if there is one, and the flags with their values; takes milliseconds.

    Raises:
        ArgumentError: The recipe or the name of a flag is unknown.
    """
    words = list(argv)
    recipe_file = find_recipe(words.pop(0)) if words and not words[0].startswith("-") else None
    for word in words:
        if word.startswith("--") and " " not in word:
            _check_flag(word, word.partition("=")[0].lstrip("-").replace("-", "_"), "See hf-rumor train --help.")
    return recipe_file, words


def recipe_flags(name: str) -> dict[str, Any]:
    """Return the flags of a recipe."""
    return _read_recipe(find_recipe(name))[0]


def words_of(flags: Mapping[str, Any]) -> list[str]:
    """Return `flags` as a command line, so that one parser checks them all; flags that are None are omitted."""
    words: list[str] = []
    for name, value in flags.items():
        if isinstance(value, list | tuple):
            words += [f"--{name}", *map(str, value)]
        elif value is not None:
            plain = value.value if isinstance(value, Enum) else value
            as_json = isinstance(plain, bool | dict)
            words.append(f"--{name}={json.dumps(plain, ensure_ascii=False) if as_json else plain}")
    return words


def _fill(given: dict[str, Any]) -> tuple[RunArguments, dict[str, Any]]:
    """Check the flags; return ours and those of Trainer, with defaults for what was not given."""
    _check(given)
    names = {entry.name for entry in dataclasses.fields(RunArguments)}
    run = RunArguments(**{name: value for name, value in given.items() if name in names})
    defaults = {name: value for name, (value, _) in TRAINING_DEFAULTS.items()}
    training = defaults | {name: value for name, value in given.items() if name not in names}
    if given.get("early_stopping_patience") and not training["load_best_model_at_end"]:
        raise ArgumentError(
            "--early_stopping_patience: needs --load_best_model_at_end True, to keep the best model and not the last. "
            "Set it, or remove --early_stopping_patience."
        )
    if run.streaming:
        _check_streaming(training)
        training["accelerator_config"] = {"dispatch_batches": False}  # each process pads its own batches
    return run, training


def _check(given: dict[str, Any]) -> None:
    for name in sorted(given.keys() & REFUSED.keys()):
        raise ArgumentError(f"--{name}: not supported. {REFUSED[name]}.")
    for name in sorted(given.keys() & MINIMUMS.keys()):
        if given[name] is not None and not given[name] >= MINIMUMS[name]:  # false for nan too
            raise ArgumentError(f"--{name} {given[name]}: must be at least {MINIMUMS[name]}. Use a larger value.")
    for name in sorted(given.keys() & {"seed", "data_seed", "split_seed"}):
        if given[name] is not None and given[name] > MAX_SEED:
            raise ArgumentError(f"--{name} {given[name]}: must be at most {MAX_SEED}. Use a smaller value.")
    for name in sorted(given.keys() & REQUIRES.keys()):
        if given[name] and not given.get(REQUIRES[name]):
            raise ArgumentError(f"--{name}: needs --{REQUIRES[name]}. Add it, or remove --{name}.")


def _check_streaming(training: dict[str, Any]) -> None:
    for name, allowed in (
        ("train_sampling_strategy", ("group_by_length", "random")),
        ("dataloader_num_workers", (0,)),
        ("accelerator_config", (None,)),
    ):
        value = training.get(name, allowed[0])
        if value not in allowed:
            expected = f"{' or '.join(map(str, allowed))}, not {value}"
            raise ArgumentError(f"--streaming: needs --{name} {expected}. Remove one of the two.")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of `RunArguments` and `TrainingArguments`; it returns only the flags that are given."""
    from transformers import HfArgumentParser, TrainingArguments

    from hf_rumor.corpus.splits import LEAVE_OUT, SPLITS, is_split

    def split(name: str) -> str:
        if not is_split(name):
            raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(SPLITS)}, {LEAVE_OUT}SOURCE")
        return name

    class Parser(HfArgumentParser):
        def error(self, message: str) -> NoReturn:  # without several hundred lines of usage
            raise ArgumentError(message.removeprefix("argument "))

    dataclass_types: Any = [RunArguments, TrainingArguments]
    parser = Parser(dataclass_types, allow_abbrev=False, add_help=False)
    for action in parser._actions:
        action.default = argparse.SUPPRESS
        if action.dest == "split":
            action.type = split
    return parser


def _parse(parser: argparse.ArgumentParser, words: Sequence[str], where: str) -> dict[str, Any]:
    try:
        values, unknown = parser.parse_known_args(words)
    except ArgumentError as error:
        raise ArgumentError(f"{where}{error}. See hf-rumor train --help.") from error
    if unknown:
        what = "not a flag" if unknown[0].startswith("-") else "unexpected argument; a recipe must come first"
        raise ArgumentError(f"{where}{unknown[0]}: {what}. See hf-rumor train --help.")
    given = vars(values)
    given["data_path"] = [os.path.expanduser(path) for path in given.get("data_path", ())]
    paths = {name: os.path.expanduser(given[name]) for name in PATHS if given.get(name)}
    return {name: value for name, value in (given | paths).items() if name != "data_path" or value}


@cache
def flag_names() -> frozenset[str]:
    """Return the names of all flags; those of `TrainingArguments` are parsed from its source, not imported."""
    spec = importlib.util.find_spec("transformers")
    if spec is None or not spec.submodule_search_locations:
        raise ArgumentError(
            "transformers is not installed for this Python. Activate the environment (source .venv/bin/activate), or "
            "install the package there."
        )
    source = Path(spec.submodule_search_locations[0], "training_args.py").read_text(encoding="utf-8")
    theirs = {
        field.target.id
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and node.name == "TrainingArguments"
        for field in node.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    }
    return frozenset(theirs | {entry.name for entry in dataclasses.fields(RunArguments)})


def _check_flag(shown: str, name: str, advice: str) -> None:
    """Refuse an unknown flag, before the import of transformers, and suggest the closest one."""
    if name in flag_names() or name.removeprefix("no_") in flag_names():
        return
    close = [ALIASES[name]] if name in ALIASES else difflib.get_close_matches(name, sorted(flag_names()), n=1)
    raise ArgumentError(f"{shown}: not a flag{f' (did you mean --{close[0]}?)' if close else ''}. {advice}")


def find_recipe(name: str) -> Path:
    """Return the recipe file `name`: a path, or the name of a bundled recipe.

    Raises:
        ArgumentError: There is none.
    """
    bundled_names = (name.removeprefix("recipes/"), f"{name}.yaml")
    for path in (Path(name).expanduser(), *(RECIPES / bundled for bundled in bundled_names if "/" not in bundled)):
        if path.is_file() and path.suffix in RECIPE_SUFFIXES:
            return path
    what = "no such file" if Path(name).suffix in RECIPE_SUFFIXES else "neither a flag nor a recipe"
    raise ArgumentError(
        f"{name}: {what}. A recipe is a .yaml or .json file, or one of {bundled_recipes()}. Name a corpus "
        "with --data_path, and a model with --model_name_or_path."
    )


def bundled_recipes() -> str:
    """Return the names of the bundled recipes, separated by commas."""
    return ", ".join(sorted(path.stem for path in RECIPES.glob("*.yaml")))


def _read_recipe(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the flags of a recipe, and its keys without a value, which the command line must name.

    Raises:
        ArgumentError: It is not a mapping, or has an unknown key or a wrong value.
    """
    try:
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ArgumentError(f"{path}: not valid YAML or JSON ({error}). Fix the file.") from error
    if not isinstance(recipe, dict) or not recipe:
        raise ArgumentError(f"{path}: not a recipe. Write lines such as `loss: focal` into it.")
    for key in recipe:
        _check_flag(f"{path}: {key}", str(key), "Fix the file.")
    # Through the parser: `2e-5`, which YAML reads as text, becomes a number.
    empty = [name for name, value in recipe.items() if value is None]
    return _parse(make_parser(), words_of(recipe), f"{path}: "), empty
