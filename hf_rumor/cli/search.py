"""`hf-rumor search`."""

import argparse
import json
from pathlib import Path
from typing import Any

from hf_rumor.cli.arguments import add_verb, count
from hf_rumor.util.files import user_path


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "search",
        "search for hyperparameters with the best validation score",
        example="hf-rumor search --recipe mini --trials 20 --data_path posts.csv",
        note="All other flags are passed to hf-rumor train for every trial. Rerun the same command to resume.",
    )
    parser.add_argument("--recipe", help="Recipe to start from, as for hf-rumor train.")
    parser.add_argument(
        "--trials",
        type=count,
        default=20,
        help="Total number of trials, including those already finished. [%(default)s]",
    )
    parser.add_argument(
        "--space",
        type=_space,
        help="Search space, as JSON: maps a flag of TrainingArguments to a list of choices or to "
        """{"low": 1e-5, "high": 1e-3, "log": true} (integer bounds: integers only). """
        "[learning rate, epochs, batch size]",
    )
    parser.add_argument(
        "--output_dir",
        type=user_path,
        default=Path("search"),
        help="Folder for the trials and the best recipe. [%(default)s]",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Run the trials that are not finished yet, and print them."""
    from hf_rumor.runs.search import DEFAULT_SPACE, search, to_text

    argv = [*([arguments.recipe] if arguments.recipe else []), *arguments.flags]
    print(to_text(search(argv, arguments.space or DEFAULT_SPACE, arguments.trials, arguments.output_dir)))


def _space(text: str) -> dict[str, Any]:
    try:
        space = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected JSON, got {text!r} ({error})") from error
    if not isinstance(space, dict) or not space:
        raise argparse.ArgumentTypeError(f"expected a JSON object with at least one flag, got {text!r}")
    return space
