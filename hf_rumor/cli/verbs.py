"""What the verbs of `hf-rumor` can be told."""

import argparse
import dataclasses
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from hf_rumor import __version__
from hf_rumor.config.arguments import MOST_SEED, RECIPES, SPLIT_NAMES, TRAINING_DEFAULTS, RunArguments
from hf_rumor.errors import ArgumentError


FAILURES = ("leakage", "conflicts")  # of audit --fail_on
FORMATS = ("jsonl", "csv", "tsv", "lines")  # of predict --format

TRAIN_DESCRIPTION = """\
Train a rumor classifier and report how good it is; python run_rumor.py takes the same. Without any flag it finds data
and a model by itself. RECIPE is a .yaml or .json file of flags, or one that ships: {recipes}. Flags win over it.
"""


class Parser(argparse.ArgumentParser):
    """Leaves the way out of a mistake to `main`; takes no shortened flags, and nor do the parsers of its verbs."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Raise the message as an `ArgumentError`."""
        raise ArgumentError(f"{message}; see {self.prog} --help")


def parse(words: list[str]) -> argparse.Namespace:
    """Return the flags of a verb, and its name as `verb`.

    Flags that `benchmark` and `search` do not know are left, as `flags`, for their runs.
    """
    parser = make_parser()
    if words[:1] not in (["benchmark"], ["search"]):
        return parser.parse_args(words)
    arguments, rest = parser.parse_known_args(words)
    arguments.flags = rest
    return arguments


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of every verb; `train` is listed here and parsed by `hf_rumor.config.arguments`."""
    parser = Parser(prog="hf-rumor", description="Rumor classifiers on the Hugging Face Trainer.")
    parser.add_argument("--version", action="version", version=f"hf_rumor {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    verbs.add_parser("train", help="train a model and report how good it is (as run_rumor.py)", add_help=False)

    _add_audit(verbs)
    data = verbs.add_parser("data", help="work on a corpus").add_subparsers(metavar="VERB", required=True)
    export = data.add_parser("export", help="write all_data.txt, dict.txt, train_list.txt and eval_list.txt")
    _add_corpus_flags(export)
    export.add_argument("--output_dir", type=Path, default=Path("lists"), help="folder for the files (%(default)s)")
    export.set_defaults(verb="data export")
    _add_data_push(data)

    _add_benchmark(verbs)
    _add_search(verbs)

    evaluate = verbs.add_parser(
        "evaluate", help="the whole report of a finished model on labelled posts from elsewhere"
    )
    _add_model(evaluate)
    _add_reading_flags(evaluate)
    evaluate.add_argument(
        "--output_dir", type=Path, default=Path("evaluation"), help="folder for the report (%(default)s)"
    )
    evaluate.set_defaults(verb="evaluate")

    _add_predict(verbs)
    _add_explain(verbs)
    _add_export(verbs)
    _add_serve(verbs)
    _add_push(verbs)
    describe = verbs.add_parser("describe", help="architecture, head, loss and probabilities of a model")
    _add_model(describe)
    describe.add_argument("--json", action="store_true", help="print JSON")
    describe.set_defaults(verb="describe")
    return parser


def _add_audit(verbs: Any) -> None:
    audit = verbs.add_parser("audit", help="what a corpus is worth: counts, copies, leakage, artefacts")
    _add_corpus_flags(audit)
    audit.add_argument("--json", action="store_true", help="print JSON")
    audit.add_argument(
        "--output_dir", type=Path, help="write tables there: near-duplicates, giveaways, doubtful labels"
    )
    audit.add_argument(
        "--fail_on",
        type=partial(_some_of, FAILURES),
        default=[],
        help="exit status 1 if found: leakage, conflicts, or both with a comma",
    )
    audit.add_argument(
        "--split", choices=SPLIT_NAMES, default="grouped", help="whose leakage --fail_on means (%(default)s)"
    )
    audit.set_defaults(verb="audit")


def _add_benchmark(verbs: Any) -> None:
    benchmark = verbs.add_parser(
        "benchmark",
        help="recipes x splits x seeds in one table; goes on where it was interrupted",
        epilog="Every other flag is one of hf-rumor train, for all runs.",
    )
    benchmark.add_argument("--recipes", type=_words, default=["mini"], help="with commas between them (mini)")
    benchmark.add_argument(
        "--splits", type=partial(_some_of, SPLIT_NAMES), default=["grouped"], help="with commas between them (grouped)"
    )
    benchmark.add_argument(
        "--seeds", type=_count, default=3, help="seeds 0, 1, ... of split and training (%(default)s)"
    )
    benchmark.add_argument(
        "--folds", type=_count, help="cross-validation: each of so many folds is the test once, for each seed"
    )
    benchmark.add_argument(
        "--output_dir", type=Path, default=Path("benchmark"), help="folder of the runs (%(default)s)"
    )
    benchmark.set_defaults(verb="benchmark")


def _add_search(verbs: Any) -> None:
    search = verbs.add_parser(
        "search",
        help="hyper-parameters, tried on validation posts; goes on where it was interrupted",
        epilog="Every other flag is one of hf-rumor train, for all trials.",
    )
    search.add_argument("--recipe", help="what to vary: a recipe, as of hf-rumor train")
    search.add_argument(
        "--trials", type=_count, default=20, help="trainings, those done before included (%(default)s)"
    )
    search.add_argument(
        "--space",
        type=_space,
        help="JSON: flag of TrainingArguments -> list of choices, or "
        """{"low": 1e-5, "high": 1e-3, "log": true} (0 to 1: whole numbers; 0.0 to 1.0: any); """
        "else learning rate, epochs and batch size",
    )
    search.add_argument(
        "--output_dir", type=Path, default=Path("search"), help="folder for trials and recipe (%(default)s)"
    )
    search.set_defaults(verb="search")


def _add_predict(verbs: Any) -> None:
    predict = verbs.add_parser(
        "predict", help="probability and decision for each line of a file or of stdin, as JSON lines"
    )
    _add_model(predict)
    predict.add_argument("input", metavar="INPUT", nargs="?", default="-", help="file; stdin if left out")
    predict.add_argument("--output", type=Path, help="file; stdout if left out")
    predict.add_argument("--resume", action="store_true", help="go on with the output of a job that was interrupted")
    predict.add_argument(
        "--format",
        choices=("auto", *FORMATS),
        default="auto",
        help="auto: by the name of the file, else JSON or plain lines by the first character",
    )
    predict.add_argument("--text_column", help="column or key of the text; found by name if not given")
    predict.add_argument("--id_column", help="column or key of the id; found by name, else the number of the line")
    predict.add_argument("--batch_size", type=_count, default=32, help="texts at a time (%(default)s)")
    predict.add_argument(
        "--precision", choices=("fp32", "bf16"), default="fp32", help="bf16: faster, less exact (%(default)s)"
    )
    predict.add_argument("--backend", choices=("torch", "onnx"), default="torch", help="(%(default)s)")
    predict.set_defaults(verb="predict")


def _add_explain(verbs: Any) -> None:
    explain = verbs.add_parser("explain", help="which words speak for rumor, and which against it")
    _add_model(explain)
    explain.add_argument("texts", metavar="TEXT", nargs="*", help="texts; lines of stdin if left out")
    explain.add_argument("--json", action="store_true", help="print JSON lines, with every token and word")
    explain.add_argument("--html", type=Path, help="write a page that needs nothing else")
    explain.add_argument(
        "--faithfulness",
        type=_count,
        metavar="N",
        help="check on N posts of --data_path: do the tokens that weigh most move the probability most?",
    )
    _add_reading_flags(explain)
    explain.set_defaults(verb="explain")


def _add_export(verbs: Any) -> None:
    export = verbs.add_parser(
        "export", help="write a model as ONNX, for programs without torch; checked against torch"
    )
    _add_model(export)
    export.add_argument("--output_dir", type=Path, default=Path("onnx"), help="folder for the result (%(default)s)")
    export.add_argument(
        "--precision",
        choices=("fp32", "int8"),
        default="fp32",
        help="int8: smaller and faster, less exact (%(default)s)",
    )
    export.add_argument("--force", action="store_true", help="keep an int8 model that decides otherwise too often")
    _add_reading_flags(export)
    export.set_defaults(verb="export")


def _add_serve(verbs: Any) -> None:
    serve = verbs.add_parser("serve", help="a page with a text box, explanations and files, and an API")
    _add_model(serve)
    serve.add_argument("--host", default="127.0.0.1", help="others than loopback let others in (%(default)s)")
    serve.add_argument("--port", type=_seed, default=7860, help="0: a free one (%(default)s)")
    serve.add_argument("--max_characters", type=_count, default=2_000, help="of a text (%(default)s)")
    serve.add_argument("--max_posts", type=_count, default=10_000, help="of a file or a request (%(default)s)")
    serve.add_argument("--max_bytes", type=_count, default=5_000_000, help="of a request (%(default)s)")
    serve.set_defaults(verb="serve")


def _add_push(verbs: Any) -> None:
    push = verbs.add_parser("push", help="put a finished model on the Hub, with its card and nothing private")
    push.add_argument("folder", metavar="FOLDER", type=Path, help="of a finished run")
    _add_target(push)
    push.add_argument(
        "--license", help="of the model, as the Hub has it (apache-2.0, mit, ...); kept from the card if not given"
    )
    push.add_argument(
        "--overwrite_card", action="store_true", help="render README.md anew though it was edited by hand"
    )
    push.set_defaults(verb="push")


def _add_data_push(data: Any) -> None:
    push = data.add_parser("push", help="publish a corpus that you may publish, as Parquet with a card, on the Hub")
    _add_target(push)
    _add_reading_flags(push)
    push.add_argument("--license", required=True, help="of the corpus, as the Hub has it: cc-by-4.0, odbl, other, ...")
    push.set_defaults(verb="data push")


def _add_target(push: argparse.ArgumentParser) -> None:
    push.add_argument("repo", metavar="REPO", help="user/name on the Hub; made if it is not there")
    push.add_argument("--private", action="store_true", default=None, help="if it is made: for its owner alone")
    push.add_argument("--revision", help="branch; made if it is not there (main)")
    push.add_argument("--create_pr", action="store_true", help="ask for a merge instead of changing the branch")
    push.add_argument("--dry_run", action="store_true", help="list what would be sent, and send nothing")


def _add_model(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("model", metavar="MODEL", help="a finished folder, or a name on the Hub")
    verb.add_argument("--revision", help="of a model of the Hub: branch, tag or commit")


def _add_corpus_flags(parser: argparse.ArgumentParser) -> None:
    _add_reading_flags(parser)
    parser.add_argument("--split_seed", type=_seed, default=0, help="seed of the splits (%(default)s)")


def _add_reading_flags(parser: argparse.ArgumentParser) -> None:
    for entry in dataclasses.fields(RunArguments):
        if entry.name in ("data_path", "text_column", "label_column", "id_column"):
            parser.add_argument(f"--{entry.name}", default=entry.default, help=entry.metadata["help"])


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) > MOST_SEED:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to {MOST_SEED}, got {text!r}")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a number of at least 1, got {text!r}")
    return int(text)


def _space(text: str) -> dict[str, Any]:
    try:
        space = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected JSON, got {text!r} ({error})") from error
    if not isinstance(space, dict) or not space:
        raise argparse.ArgumentTypeError(f"expected a JSON object with a flag or more, got {text!r}")
    return space


def _words(text: str) -> list[str]:
    words = [word for word in (part.strip() for part in text.split(",")) if word]
    if not words or len(set(words)) < len(words):
        raise argparse.ArgumentTypeError(f"expected different names with commas between them, got {text!r}")
    return words


def _some_of(names: Sequence[str], text: str) -> list[str]:
    words = _words(text)
    for word in words:
        if word not in names:
            raise argparse.ArgumentTypeError(f"expected some of {', '.join(names)}, got {word!r}")
    return words


def train_help() -> str:
    """Return the short help of `train`: our own flags, and those of Trainer whose defaults differ here."""
    recipes = ", ".join(sorted(path.stem for path in RECIPES.glob("*.yaml")))
    parser = argparse.ArgumentParser(
        prog="hf-rumor train",
        usage="hf-rumor train [RECIPE] [--flag value ...]",
        description=TRAIN_DESCRIPTION.format(recipes=recipes),
        add_help=False,
        formatter_class=partial(argparse.HelpFormatter, max_help_position=32),
    )
    ours = parser.add_argument_group("data, model, split, loss")
    for entry in dataclasses.fields(RunArguments):
        default = "" if entry.default is None else f" [{entry.default}]"
        ours.add_argument(f"--{entry.name}", metavar="", help=entry.metadata["help"] + default)
    theirs = parser.add_argument_group(
        "of transformers.TrainingArguments, with other defaults (all flags: --help_all)"
    )
    for name, (value, words) in TRAINING_DEFAULTS.items():
        theirs.add_argument(f"--{name}", metavar="", help=f"{words} [{value}]")
    return parser.format_help()
