"""What a run can be told: flags, recipes, and their defaults, checked at once.

Importing this module is cheap; `parse_arguments` imports transformers.
"""

import argparse
import dataclasses
import difflib
import importlib.util
import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, get_args

import yaml

from hf_rumor.errors import ArgumentError


if TYPE_CHECKING:
    from transformers import TrainingArguments


logger = logging.getLogger(__name__)

RECIPES = Path(__file__).parent / "recipes"

SplitName = Literal["grouped", "random", "chronological", "every_8th"]
SPLIT_NAMES = get_args(SplitName)

# What differs from the defaults of TrainingArguments.
TRAINING_DEFAULTS: dict[str, tuple[Any, str]] = {  # flag -> default, and what it is for
    "output_dir": ("out", "Folder for model and report."),
    "num_train_epochs": (
        4.0,
        "Passes over the training posts; neither this nor --max_steps given: up to 20, for 150 steps.",
    ),
    "per_device_train_batch_size": (16, "Posts a step, on each device."),
    "per_device_eval_batch_size": (32, "Posts at a time in validation."),
    "learning_rate": (5e-5, "Peak learning rate of AdamW."),
    "weight_decay": (0.01, "Of AdamW."),
    "warmup_steps": (0.06, "Steps of linear warm-up; below 1: share of all steps."),
    "eval_strategy": ("epoch", "When to validate."),
    "save_strategy": ("epoch", "When to keep a checkpoint."),
    "save_total_limit": (2, "Checkpoints kept: the best, where one is chosen, and the newest."),
    "load_best_model_at_end": (True, "Whether the model is the checkpoint that was best on validation."),
    "metric_for_best_model": ("macro_f1", "Best in which metric."),
    "logging_steps": (10.0, "Steps between two points of the loss curve."),
    "train_sampling_strategy": ("group_by_length", "Batches of posts of like length save padding."),
    "report_to": ("auto", "Tracker; auto: TensorBoard where it is installed."),
    "restore_callback_states_from_checkpoint": (True, "Whether early stopping remembers across an interruption."),
    "resume_from_checkpoint": ("auto", "auto: continue an interrupted run in output_dir; or a checkpoint folder."),
    "ddp_find_unused_parameters": (False, "Of DistributedDataParallel."),
    "ddp_timeout": (86_400, "Seconds that processes wait for the one that reads the corpus or scores the test posts."),
}

# Refused, with what works instead.
REFUSED = {
    "label_smoothing_factor": """--loss_kwargs '{"label_smoothing": 0.1}', which the loss applies itself""",
    "hub_token": "the environment variable HF_TOKEN; as a flag the token would be written into files",
    "fsdp": "accelerate launch with plain data parallelism; sharded models cannot be scored at the end yet",
    "deepspeed": "accelerate launch with plain data parallelism; sharded models cannot be scored at the end yet",
    "prediction_loss_only": "nothing: the best checkpoint is chosen by a metric",
    "batch_eval_metrics": "nothing: the metrics need all validation posts at once",
    "eval_do_concat_batches": "nothing: the metrics need all validation posts at once",
    "label_names": "nothing: the label is called labels",
    "remove_unused_columns": "nothing: ids and texts must not reach the model",
    "use_liger_kernel": "nothing: it has no kernel for classifiers",
}

# The smallest values that can be meant; Trainer fails on smaller ones in the middle of a run.
MINIMUMS = {
    "split_seed": 0,
    "seed": 0,
    "data_seed": 0,
    "per_device_train_batch_size": 1,
    "per_device_eval_batch_size": 1,
    "gradient_accumulation_steps": 1,
    "dataloader_num_workers": 0,
    "learning_rate": 0,
    "num_train_epochs": 0,
    "early_stopping_patience": 0,
    "adversarial_radius": 0,
    "max_length": 3,  # two go to special tokens
}
MOST_SEED = 2**32 - 1  # that NumPy takes

LOWER_IS_BETTER = ("loss", "log_loss", "ece", "brier")

# Where, not what; a run is the same wherever its result goes.
NOT_IN_RECIPE = (
    *("output_dir", "resume_from_checkpoint", "license", "ddp_timeout"),
    *("push_to_hub", "hub_model_id", "hub_strategy", "hub_private_repo", "hub_always_push", "hub_revision"),
)


@dataclass
class RunArguments:
    """The flags of a run beside those of `transformers.TrainingArguments`."""

    data_path: str = field(
        default="auto",
        metadata={
            "help": "A zip or folder in the CED layout, a .jsonl, .csv, .tsv or .parquet file, or hub:user/dataset. "
            "auto: data/Rumor_Dataset.zip, the cached download, a download, data/sample."
        },
    )
    text_column: str | None = field(default=None, metadata={"help": "Column of the text; found by name if not given."})
    label_column: str | None = field(default=None, metadata={"help": "Column of the label; found if not given."})
    id_column: str | None = field(default=None, metadata={"help": "Column of the id; found if not given."})
    model_name_or_path: str = field(
        default="auto",
        metadata={
            "help": "A folder, a name on the Hub, or mini. auto: google-bert/bert-base-chinese from the cache or the "
            "Hub, else mini."
        },
    )
    model_revision: str | None = field(
        default=None, metadata={"help": "Of a model of the Hub: branch, tag or commit; its newest state if not given."}
    )
    config_overrides: str = field(
        default="{}",
        metadata={"help": """JSON of values for the model's configuration, as '{"hidden_dropout_prob": 0.2}'."""},
    )
    pooling: Literal["first_token", "mean"] = field(
        default="first_token",
        metadata={
            "help": "What the head reads: the first token, or, of a BERT, the mean over all (by one more layer)."
        },
    )
    max_length: int = field(default=256, metadata={"help": "Tokens after which a post is cut off."})
    streaming: bool = field(
        default=False,
        metadata={"help": "Tokenize training posts as they are met, and keep none: for millions of them."},
    )
    split: SplitName = field(
        default="grouped", metadata={"help": "How test posts are chosen; grouped keeps near-duplicates together."}
    )
    split_seed: int = field(default=0, metadata={"help": "Equal seeds give equal splits."})
    folds: int = field(
        default=5, metadata={"help": "Parts of equal size (grouped, random), one of which is the test."}
    )
    fold: int = field(default=0, metadata={"help": "Which of the folds is the test, from 0."})
    loss: str = field(default="bce", metadata={"help": "bce, ce, focal, mse, or package.module:name."})
    loss_kwargs: str = field(
        default="{}",
        metadata={"help": """JSON, as '{"class_weights": "balanced", "label_smoothing": 0.1}'; focal: "gamma"."""},
    )
    layer_lr_decay: float = field(
        default=1.0,
        metadata={"help": "Learning rate of a layer as a share of the layer above; 1: the same for all."},
    )
    adversarial_radius: float = field(
        default=0.0,
        metadata={"help": "Above 0: learn each post again, its embeddings moved that far to where the loss grows."},
    )
    freeze_embeddings: bool = field(
        default=False, metadata={"help": "Leave the token embeddings as they come: less to compute and to keep."}
    )
    early_stopping_patience: int = field(
        default=2,
        metadata={
            "help": "Validations without a better --metric_for_best_model after which training stops; 0: never. With "
            "--load_best_model_at_end alone; not given: more with more epochs for few posts."
        },
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = field(
        default="auto", metadata={"help": "auto: bf16 where the hardware has it, else fp16 on CUDA, else fp32."}
    )
    calibration: Literal["platt", "none"] = field(
        default="platt",
        metadata={"help": "Makes probabilities mean what they say; fitted on validation, folded into the model."},
    )
    decision: str = field(
        default="0.5",
        metadata={
            "help": "From which probability on a post is called a rumor: a number, or chosen on validation by "
            "max_f1, precision>=0.9, recall>=0.9, or cost=FN:FP (of a missed rumor : of a false alarm)."
        },
    )
    abstain_below: float | None = field(
        default=None, metadata={"help": "Call a post uncertain where the confidence is below this, 0.5 to 1."}
    )
    license: str | None = field(
        default=None,
        metadata={
            "help": "Of the model, for its card, as the Hub has it: apache-2.0, mit, ...; --push_to_hub needs it."
        },
    )

    def __post_init__(self) -> None:
        """Raise `ArgumentError` on values that cannot be meant."""
        from hf_rumor.evaluation.decision import parse_decision

        parse_decision(self.decision)
        if self.abstain_below is not None and not 0.5 < self.abstain_below < 1:
            raise ArgumentError(
                f"--abstain_below: expected a number in (0.5, 1), got {self.abstain_below:g}; correct it"
            )
        if not 0 < self.layer_lr_decay <= 1:
            raise ArgumentError(f"--layer_lr_decay: expected a share in (0, 1], got {self.layer_lr_decay:g}")
        self.parsed("loss_kwargs")
        self.parsed("config_overrides")

    def parsed(self, name: str) -> dict[str, Any]:
        """Return the JSON object that the flag `name` holds."""
        text = getattr(self, name)
        try:
            value = json.loads(text)
        except ValueError as error:
            raise ArgumentError(f"--{name}: expected a JSON object, got {text!r} ({error})") from error
        if not isinstance(value, dict):
            raise ArgumentError(f"--{name}: expected a JSON object, got {text!r}; write {{...}}")
        return value


@dataclass(frozen=True)
class Arguments:
    """A whole run, as told.

    Attributes:
        run: Our own flags.
        training: Every other flag with its value, for `TrainingArguments`.
        given: The flags that were given, in the recipe or on the command line, with their values.
    """

    run: RunArguments
    training: dict[str, Any]
    given: dict[str, Any]

    def recipe(self, **chosen: Any) -> dict[str, Any]:
        """Return what repeats the run: the flags given, and what `auto` has `chosen`."""
        recipe = {**self.given, **chosen}
        return {name: recipe[name] for name in sorted(recipe) if name not in NOT_IN_RECIPE}


def with_defaults_of_recipe(arguments: Arguments, name: str) -> Arguments:
    """Return `arguments` completed by a recipe that ships, for what was not given."""
    parser = make_parser()
    path = find_recipe(name)
    return complete(arguments, _parse(parser, read_recipe(path, parser), f"{path}: "))


def complete(arguments: Arguments, flags: dict[str, Any]) -> Arguments:
    """Return `arguments` completed by `flags`, for what was not given."""
    return _make_arguments(flags | arguments.given)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ArgumentError(message)


def parse_arguments(argv: Sequence[str]) -> Arguments:
    """Return the run that a command line tells: `[RECIPE] [--flag value ...]`, where flags win over the recipe.

    Raises:
        ArgumentError: A flag, a key or a value is unknown or wrong.
    """
    parser = make_parser()
    words = list(argv)
    given: dict[str, Any] = {}
    if words and not words[0].startswith("-"):
        path = find_recipe(words.pop(0))
        given = _parse(parser, read_recipe(path, parser), f"{path}: ")
    given |= _parse(parser, words, "")
    return _make_arguments(given)


def _make_arguments(given: dict[str, Any]) -> Arguments:
    for name in sorted(given.keys() & REFUSED.keys()):
        raise ArgumentError(f"--{name}: not supported here; take {REFUSED[name]}")
    for name in sorted(given.keys() & MINIMUMS.keys()):
        if given[name] is not None and not given[name] >= MINIMUMS[name]:  # nan is neither less nor more
            raise ArgumentError(f"--{name}: expected at least {MINIMUMS[name]}, got {given[name]}; correct it")
    for name in sorted(given.keys() & {"seed", "split_seed"}):
        if given[name] > MOST_SEED:
            raise ArgumentError(f"--{name}: expected at most {MOST_SEED}, got {given[name]}; correct it")
    if given.get("push_to_hub") and not given.get("license"):
        raise ArgumentError(
            "--push_to_hub: expected --license, found none; name it: apache-2.0, mit, cc-by-4.0, other"
        )
    names = {entry.name for entry in dataclasses.fields(RunArguments)}
    run = RunArguments(**{name: value for name, value in given.items() if name in names})
    defaults = {name: value for name, (value, _) in TRAINING_DEFAULTS.items()}
    training = defaults | {name: value for name, value in given.items() if name not in names}
    if given.get("early_stopping_patience") and not training["load_best_model_at_end"]:
        raise ArgumentError(
            "--early_stopping_patience: expected --load_best_model_at_end True, found False; give both, or neither: "
            "the last model would be kept, which is not the best"
        )
    if run.streaming:
        training["accelerator_config"] = {"dispatch_batches": False}  # each process pads its own batches
        _check_streaming(training)
    return Arguments(run, training, given)


def _check_streaming(training: dict[str, Any]) -> None:
    for name, taken in (
        ("train_sampling_strategy", ("group_by_length", "random")),
        ("dataloader_num_workers", (0,)),
    ):
        value = training.get(name, taken[0])
        if value not in taken:
            raise ArgumentError(
                f"--streaming: expected --{name} {' or '.join(map(str, taken))}, got {value}; leave one of them out"
            )


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of `RunArguments` and `TrainingArguments`; it keeps only the flags that are given."""
    from transformers import HfArgumentParser, TrainingArguments

    class Parser(_Parser, HfArgumentParser):
        """Raises `ArgumentError` instead of printing its usage of several hundred lines."""

    dataclass_types: Any = [RunArguments, TrainingArguments]
    parser = Parser(dataclass_types, allow_abbrev=False, add_help=False)
    for action in parser._actions:
        action.default = argparse.SUPPRESS
    return parser


def _parse(parser: argparse.ArgumentParser, words: Sequence[str], where: str) -> dict[str, Any]:
    try:
        values, unknown = parser.parse_known_args(words)
    except ArgumentError as error:
        raise ArgumentError(f"{where}{error}; see --help") from error
    if unknown:
        raise ArgumentError(f"{where}expected flags, found {unknown[0]}{_suggest(parser, unknown[0])}; see --help")
    return vars(values)


def _suggest(parser: argparse.ArgumentParser, name: str) -> str:
    known = sorted({action.dest for action in parser._actions})
    close = difflib.get_close_matches(name.lstrip("-").replace("-", "_").partition("=")[0], known, n=1)
    return f" (did you mean --{close[0]}?)" if close else ""


def find_recipe(name: str) -> Path:
    """Return the recipe file `name`: a path, or the name of one that ships with the package.

    Raises:
        ArgumentError: There is none.
    """
    shipped_names = (name.removeprefix("recipes/"), f"{name}.yaml")
    for path in (Path(name), *(RECIPES / shipped for shipped in shipped_names if "/" not in shipped)):
        if path.is_file() and path.suffix in (".yaml", ".yml", ".json"):
            return path
    shipped = ", ".join(sorted(path.stem for path in RECIPES.glob("*.yaml")))
    raise ArgumentError(f"{name}: expected flags, or a recipe: a .yaml or .json file, or one of {shipped}; found none")


def read_recipe(path: Path, parser: argparse.ArgumentParser) -> list[str]:
    """Return the recipe at `path` as the flags it stands for, so that both are checked alike.

    `2e-5`, which YAML reads as text, is thereby the number it looks like.

    Raises:
        ArgumentError: It is no mapping, or has an unknown key.
    """
    try:
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ArgumentError(f"{path}: expected YAML or JSON, got {error}; correct the file") from error
    if not isinstance(recipe, dict) or not recipe:
        raise ArgumentError(f"{path}: expected `flag: value` lines, found {type(recipe).__name__}; correct the file")
    known = {action.dest for action in parser._actions}
    words: list[str] = []
    for key, value in recipe.items():
        if key not in known:
            raise ArgumentError(f"{path}: expected flags, found {key}{_suggest(parser, str(key))}; correct the key")
        if value is None:
            raise ArgumentError(f"{path}: {key}: expected a value, found none; write one or remove the line")
        words += [f"--{key}", *_to_words(value)]
    return words


def _to_words(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in value]
    return [json.dumps(value, ensure_ascii=False) if isinstance(value, bool | dict) else str(value)]


def make_training_arguments(values: dict[str, Any], *, precision: str, device: str) -> "TrainingArguments":
    """Return Trainer's own arguments from the values of the flags.

    Args:
        values: Name of a flag -> value.
        precision: `fp32`, `bf16` or `fp16`.
        device: `cuda` or `cpu`.

    Raises:
        ArgumentError: `TrainingArguments` refuses a value.
    """
    from transformers import TrainingArguments

    settings = dict(values)
    settings.pop("resume_from_checkpoint")
    settings.pop("push_to_hub", None)  # hf_rumor.hub pushes; Trainer would upload pickles too
    settings |= {"bf16": precision == "bf16", "fp16": precision == "fp16"}
    if device == "cpu":
        settings |= {"use_cpu": True, "dataloader_pin_memory": False}
    if settings["report_to"] in ("auto", ["auto"]):
        settings["report_to"] = _trackers()
    settings.setdefault("disable_tqdm", not sys.stderr.isatty())
    settings.setdefault("greater_is_better", _greater_is_better(settings["metric_for_best_model"]))
    if str(settings.get("lr_scheduler_type")) == "reduce_lr_on_plateau":
        kwargs = settings.get("lr_scheduler_kwargs") or {}
        kwargs = json.loads(kwargs) if isinstance(kwargs, str) else kwargs
        settings["lr_scheduler_kwargs"] = {"mode": "max" if settings["greater_is_better"] else "min"} | kwargs
    os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(Path(settings["output_dir"]) / "runs"))
    try:
        args = TrainingArguments(**settings)
        if args.n_gpu > 1:  # one process would train by nn.DataParallel, which RumorTrainer does not support
            logger.info("device: one of %d GPUs; accelerate launch uses them all", args.n_gpu)
            args._n_gpu = 1
    except (ValueError, TypeError, ImportError, RuntimeError, OSError) as error:
        raise ArgumentError(f"expected flags that go together, got: {error}") from error
    return args


def _greater_is_better(metric: str) -> bool:
    from hf_rumor.evaluation.metrics import METRICS

    name = metric.removeprefix("eval_")
    if name not in (*METRICS, "loss"):
        raise ArgumentError(
            f"--metric_for_best_model: expected {', '.join(METRICS)} or loss, got {metric}; choose one"
        )
    return name not in LOWER_IS_BETTER


def _trackers() -> list[str]:
    return ["tensorboard"] if importlib.util.find_spec("tensorboard") else []
