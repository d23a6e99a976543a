"""What a run stands on: words of the command line -> arguments -> corpus -> its parts, all of it checked."""

import logging
import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from transformers import TrainingArguments, set_seed

from hf_rumor import __version__
from hf_rumor.config.arguments import (
    Arguments,
    RunArguments,
    complete,
    make_training_arguments,
    parse_arguments,
    with_defaults_of_recipe,
)
from hf_rumor.config.epochs import enough_epochs
from hf_rumor.corpus.arrow import SplitCorpus, load_corpus, split_dataset, to_dataset_dict
from hf_rumor.corpus.findings import describe
from hf_rumor.corpus.near_duplicates import find_near_duplicates
from hf_rumor.corpus.readers import Columns
from hf_rumor.corpus.sources import name_of, resolve_corpus
from hf_rumor.errors import ArgumentError
from hf_rumor.models.encoders import MINI, freeze_embeddings, load_encoder, resolve_model
from hf_rumor.report.record import Environment
from hf_rumor.training.hardware import choose_precision, detect_hardware
from hf_rumor.training.losses import Loss, make_loss
from hf_rumor.training.run_folder import STATE_FILE, recipe_of_run


logger = logging.getLogger(__name__)

SPLIT_FLAGS = ("split", "split_seed", "folds", "fold")  # which posts are test posts
SEEDED_SPLITS = ("grouped", "random")  # of the others one flag says all


@dataclass(frozen=True)
class Setup:
    """A run before its model: everything that was told or chosen, and the data.

    Attributes:
        arguments: As told, completed by the recipe of `mini` where that is the model, and by what few posts want.
        args: Trainer's own arguments.
        environment: The part of the report.
        data: The corpus, cut.
        loss: What trains.
        chosen: What the flags that were left open stand for.
        auto: Those of them that the recipe and the command line leave open.
    """

    arguments: Arguments
    args: TrainingArguments
    environment: Environment
    data: SplitCorpus
    loss: Loss
    chosen: dict[str, Any]
    auto: list[str]

    def load_model(self) -> tuple[Any, Any]:
        """Return the model, fresh, and its tokenizer."""
        flags = self.arguments.run
        overrides = flags.parsed("config_overrides")
        name = self.chosen["model_name_or_path"]
        model, tokenizer = load_encoder(
            *(name, self.loss.activation, flags.max_length, overrides, flags.pooling, flags.model_revision)
        )
        if flags.freeze_embeddings:
            freeze_embeddings(model)
        return model, tokenizer

    def recipe(self) -> dict[str, Any]:
        """Return what repeats the run."""
        return self.arguments.recipe(**self.chosen)


def set_up(argv: Sequence[str]) -> Setup:
    """Return the run that a command line tells, all of it checked, with its data at hand.

    Raises:
        RumorError: The user has made a mistake.
    """
    arguments = parse_arguments(argv)
    flags = arguments.run
    make_loss(flags.loss, flags.parsed("loss_kwargs"), labels=[0, 1])  # a mistake shows before any work
    data_path = resolve_corpus(flags.data_path)
    model_name = resolve_model(flags.model_name_or_path)
    auto = [flag for flag in ("data_path", "model_name_or_path", "precision") if getattr(flags, flag) == "auto"]
    if model_name == MINI:
        arguments = with_defaults_of_recipe(arguments, MINI)
        flags = arguments.run
    args, environment = prepare_training(arguments)
    with args.main_process_first(local=False):
        data = load_and_split(data_path, flags)
    set_seed(args.seed)
    loss = make_loss(flags.loss, flags.parsed("loss_kwargs"), labels=data.dataset["train"]["label"][:])
    settings = f" {loss.kwargs}" if loss.kwargs else ""
    logger.info("loss: %s%s trains, outputs.loss does not; probability: %s", loss.formula, settings, loss.activation)
    chosen = {"data_path": name_of(data_path), "model_name_or_path": model_name, "precision": environment.precision}
    epochs = choose_epochs(arguments, args, num_posts=len(data.split.train))
    if epochs:
        arguments = complete(arguments, epochs)
        args.num_train_epochs = epochs["num_train_epochs"]
    return Setup(arguments, args, environment, data, loss, chosen | epochs, [*auto, *epochs])


def choose_epochs(arguments: Arguments, args: TrainingArguments, num_posts: int) -> dict[str, int]:
    """Return the flags that few training posts want where they were left open; none where there are posts enough.

    Steps are those of one process, so that a run is the same however many train it.
    """
    if "num_train_epochs" in arguments.given or args.max_steps > 0:
        return {}
    whole, rest = divmod(num_posts, args.train_batch_size)
    batches = whole if args.dataloader_drop_last else whole + bool(rest)
    steps_per_epoch = max(1, math.ceil(batches / args.gradient_accumulation_steps))
    usual, epochs = args.num_train_epochs, enough_epochs(args.num_train_epochs, steps_per_epoch)
    if epochs <= usual:
        return {}
    logger.info(
        "epochs: %d instead of %g: %d training posts give %d steps an epoch; --num_train_epochs decides otherwise",
        *(epochs, usual, num_posts, steps_per_epoch),
    )
    flags = {"num_train_epochs": int(epochs)}
    if args.load_best_model_at_end and "early_stopping_patience" not in arguments.given:
        flags["early_stopping_patience"] = round(arguments.run.early_stopping_patience * epochs / usual)
    return flags


def prepare_training(arguments: Arguments) -> tuple[TrainingArguments, Environment]:
    """Return Trainer's arguments with precision and device decided, and the `environment` part of the report."""
    requested = requested_precision(arguments)
    hardware = detect_hardware(use_cpu=arguments.training.get("use_cpu", False))
    precision, reason = choose_precision(requested, hardware)
    if requested == "auto" and arguments.given.get(precision) is False:
        precision, reason = "fp32", f"auto: --{precision} False"
    args = make_training_arguments(arguments.training, precision=precision, device=hardware.device)
    logger.info("device: %s; precision %s (%s); %d process(es)", hardware.name, precision, reason, args.world_size)
    if "ACCELERATE_USE_CPU" in os.environ and args.world_size == 1:  # set by accelerate launch
        logger.info("launcher: accelerate launch started one process; for several, also on CPUs, it needs --multi_gpu")
    packages = ("torch", "transformers", "datasets", "evaluate", "accelerate", "scikit-learn")
    versions = {name: version(name) for name in packages}
    return args, Environment(
        versions={"hf_rumor": __version__, "python": platform.python_version(), **versions},
        platform=platform.platform(),
        device=hardware.name,
        precision=precision,
        precision_reason=reason,
        num_processes=args.world_size,
    )


def requested_precision(arguments: Arguments) -> str:
    """Return what `--precision`, `--bf16`, `--fp16` and the launcher ask for together.

    Raises:
        ArgumentError: They ask for different things.
    """
    asked: dict[str, str] = {"--precision": arguments.run.precision} if arguments.run.precision != "auto" else {}
    asked |= {f"--{flag}": flag for flag in ("bf16", "fp16") if arguments.training.get(flag)}
    launched = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")  # set by accelerate launch
    asked |= {"--mixed_precision of accelerate": launched} if launched in ("bf16", "fp16") else {}
    if len(set(asked.values())) > 1:
        found = " and ".join(f"{value} by {source}" for source, value in asked.items())
        raise ArgumentError(f"expected one precision, got {found}; keep one of them")
    return next(iter(asked.values()), "auto")


def load_and_split(data_path: Path, flags: RunArguments) -> SplitCorpus:
    """Read the corpus, find its near-duplicates, cut it; tell what was odd and what leaks."""
    corpus = load_corpus(data_path, Columns(flags.text_column, flags.label_column, flags.id_column))
    posts = corpus.posts
    logger.info("corpus: %s, %s posts, %s rumors", data_path, f"{len(posts):,}", f"{sum(posts['label'][:]):,}")
    for line in describe(corpus.findings):
        logger.info("corpus: %s", line)
    near_duplicates = find_near_duplicates(posts["text"][:])
    split = split_dataset(posts, flags.split, flags.split_seed, near_duplicates.groups, flags.folds, flags.fold)
    num_leaking = len(near_duplicates.leaking(split.test, split.development()))
    logger.info(
        "split: %s, seed %d%s: %d training, %d validation, %d test posts, %d with a near-duplicate in the rest",
        *(split.name, split.seed, f", fold {split.fold}" if split.fold else ""),
        *(len(split.train), len(split.validation), len(split.test)),
        num_leaking,
    )
    return SplitCorpus(corpus, near_duplicates.groups, split, num_leaking, to_dataset_dict(posts, split))


def check_start(setup: Setup) -> None:
    """Refuse to start from a run on the same corpus with other test posts: it was trained on some that are test here.

    Raises:
        ArgumentError: The checkpoint, or the model, is of such a run.
    """
    resume, model = str(setup.arguments.training["resume_from_checkpoint"]), setup.chosen["model_name_or_path"]
    flags = setup.arguments.run
    ours = {name: getattr(flags, name) for name in (SPLIT_FLAGS if flags.split in SEEDED_SPLITS else SPLIT_FLAGS[:1])}
    for flag, given, no_folder in (
        ("--resume_from_checkpoint", resume, "auto"),
        ("--model_name_or_path", model, MINI),
    ):
        if given == no_folder:
            continue
        place = Path(given).resolve()
        is_checkpoint = (place / STATE_FILE).is_file()  # it lies in the folder of its run
        folder = place.parent if is_checkpoint else place
        told = recipe_of_run(folder, setup.data.corpus.sha256)
        theirs = None if told is None else {name: told.get(name, getattr(RunArguments, name)) for name in ours}
        if theirs not in (None, ours):
            there, here = (" ".join(f"--{name} {value}" for name, value in of.items()) for of in (theirs, ours))
            raise ArgumentError(
                f"{flag} {given}: expected a run with the test posts of this one ({here}), found one with others "
                f"({there}): it was trained on posts that are test posts here; give its flags, or another start"
            )
