"""The experiment as one page: arguments -> corpus -> dataset -> model -> trainer -> report."""

import errno
import logging
import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict
from transformers import (
    DataCollatorWithPadding,
    PrinterCallback,
    ProgressCallback,
    TrainingArguments,
    set_seed,
)

from hf_rumor import __version__
from hf_rumor.arguments import (
    Arguments,
    RunArguments,
    make_training_arguments,
    parse_arguments,
    with_defaults_of_recipe,
)
from hf_rumor.corpus.dataset import SplitCorpus, load_corpus, split_dataset, to_dataset_dict
from hf_rumor.corpus.files import write_text
from hf_rumor.corpus.findings import describe
from hf_rumor.corpus.near_duplicates import find_near_duplicates
from hf_rumor.corpus.post import LABEL_NAMES
from hf_rumor.corpus.readers import Columns
from hf_rumor.corpus.sources import name_of, resolve_corpus
from hf_rumor.errors import ArgumentError, OutputError, RumorError
from hf_rumor.evaluation.markdown import recipe_text
from hf_rumor.evaluation.measure import predictions
from hf_rumor.evaluation.report import Report, write_report
from hf_rumor.inference.attention import attend_shortly
from hf_rumor.inference.shortcuts import narrow_last_layer
from hf_rumor.outcome import Outcome, conclude, make_report, model_facts, split_facts
from hf_rumor.sharing.background import PushCheckpoints
from hf_rumor.sharing.card import check_license, write_card
from hf_rumor.sharing.push import Target, check_target
from hf_rumor.training.calibrate import find_head
from hf_rumor.training.callbacks import EarlyStopping, EpochLines, Progress
from hf_rumor.training.hardware import choose_precision, detect_hardware, keep_freed_memory
from hf_rumor.training.history import summarise_training
from hf_rumor.training.interruption import interruptible
from hf_rumor.training.losses import Loss, make_loss
from hf_rumor.training.models import MINI, freeze_embeddings, load_model, resolve_model, save_model
from hf_rumor.training.run_folder import (
    STATE_FILE,
    check_folder,
    claim_folder,
    finish_folder,
    locked,
    recipe_of_run,
    remove_leftovers,
)
from hf_rumor.training.streaming import PostStream
from hf_rumor.training.tokenization import num_truncated, tokenize
from hf_rumor.training.trackers import finish_tracking, tracked
from hf_rumor.training.trainer import RumorTrainer, ValidationMetrics


logger = logging.getLogger(__name__)

SPLIT_FLAGS = ("split", "split_seed", "folds", "fold")  # which posts are test posts
SEEDED_SPLITS = ("grouped", "random")  # of the others one flag says all


@dataclass(frozen=True)
class Finished:
    """A finished run.

    Attributes:
        report: What came of it.
        folder: Where it lies.
        is_pushed: Whether it is on the Hub; None where that was not asked for.
    """

    report: Report
    folder: Path
    is_pushed: bool | None = None


@dataclass(frozen=True)
class Setup:
    """A run before its model: everything that was told or chosen, and the data.

    Attributes:
        arguments: As told, completed by the recipe of `mini` where that is the model.
        args: Trainer's own arguments.
        environment: The part of the report.
        data: The corpus, cut.
        loss: What trains.
        chosen: What the flags that can be `auto` stand for.
        auto: Those of them that were.
    """

    arguments: Arguments
    args: TrainingArguments
    environment: dict[str, Any]
    data: SplitCorpus
    loss: Loss
    chosen: dict[str, str]
    auto: list[str]

    def load_model(self) -> tuple[Any, Any]:
        """Return the model, fresh, and its tokenizer."""
        flags = self.arguments.run
        overrides = flags.parsed("config_overrides")
        name = self.chosen["model_name_or_path"]
        model, tokenizer = load_model(
            *(name, self.loss.activation, flags.max_length, overrides, flags.pooling, flags.model_revision)
        )
        if flags.freeze_embeddings:
            freeze_embeddings(model)
        if self.args.device.type == "cpu" and self.args.bf16:
            attend_shortly(model)
        if self.args.device.type == "cpu" and not self.args.torch_compile:
            narrow_last_layer(model)
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
    chosen = {"data_path": name_of(data_path), "model_name_or_path": model_name, "precision": environment["precision"]}
    return Setup(arguments, args, environment, data, loss, chosen, auto)


def run(argv: Sequence[str]) -> Finished | None:
    """Do the run that a command line tells; None on all processes but the first.

    Raises:
        RumorError: The user has made a mistake; nothing is half-written.
        Interrupted: SIGINT or SIGTERM came while it trained; a checkpoint is saved.
    """
    setup = set_up(argv)
    pusher = make_pusher(setup.arguments)
    folder = Path(setup.arguments.training["output_dir"])
    check_folder(folder, setup.recipe(), setup.data.corpus.sha256)
    check_start(setup)
    model, tokenizer = setup.load_model()
    with locked(folder, wanted=setup.args.process_index == 0), told_if_full(folder):
        trainer, started_at = train(setup, folder, model, tokenizer, pusher)
        if not trainer.is_world_process_zero():
            trainer.part()
            return None
        report = finish(setup, folder, trainer, started_at)
        trainer.part()
    return Finished(report, folder, pusher.finish(folder, report) if pusher else None)


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


def train(
    setup: Setup, folder: Path, model: Any, tokenizer: Any, pusher: PushCheckpoints | None
) -> tuple[RumorTrainer, datetime]:
    """Train in `folder`, from the checkpoint there if the run was interrupted; return when it started."""
    args, data, flags, recipe = setup.args, setup.data, setup.arguments.run, setup.recipe()
    posts = DatasetDict({name: part for name, part in data.dataset.items() if name != "train" or not flags.streaming})
    with args.main_process_first(local=False):
        encoded = tokenize(posts, tokenizer, max_length=flags.max_length)
    of = "validation and test " if flags.streaming else ""
    logger.info("tokens: %d %sposts are cut off at %d", num_truncated(encoded), of, flags.max_length)
    training = stream(setup, tokenizer) if flags.streaming else encoded["train"]
    trainer = make_trainer(model, tokenizer, args, training, encoded["validation"], setup.loss, flags)
    if pusher:
        trainer.add_callback(pusher)
    with args.main_process_first(
        local=False
    ):  # the first process claims the folder, the others then find the same claim
        resume = setup.arguments.training["resume_from_checkpoint"]
        num_processes = None if args.save_on_each_node else args.world_size
        claim = claim_folder(folder, recipe, data.corpus.sha256, resume, num_processes)
        if args.process_index == 0:
            remove_leftovers(folder)
    logger.info("run: %s %s", folder, claim.note)
    started_at = datetime.now().astimezone()
    with tracked(trainer, {"recipe": recipe, "split": split_facts(data)}), interruptible(trainer):
        trainer.train_from(claim.checkpoint)
    return trainer, started_at


def stream(setup: Setup, tokenizer: Any) -> PostStream:
    """Return the training posts as they are met with `--streaming`."""
    args = setup.args
    return PostStream(
        setup.data.dataset["train"],
        tokenizer,
        max_length=setup.arguments.run.max_length,
        batch_size=args.train_batch_size * args.gradient_accumulation_steps * args.world_size,
        grouped=args.train_sampling_strategy == "group_by_length",
        seed=args.seed if args.data_seed is None else args.data_seed,
    )


def finish(setup: Setup, folder: Path, trainer: RumorTrainer, started_at: datetime) -> Report:
    """Calibrate the trained model, choose its threshold, score the test posts, write everything."""
    data, flags, recipe = setup.data, setup.arguments.run, setup.recipe()
    summary = summarise_training(trainer, started_at, datetime.now().astimezone())
    outcome = conclude(trainer, data, flags)
    report = make_report(
        data,
        setup.loss,
        outcome,
        model=model_facts(setup.chosen["model_name_or_path"], trainer.plain_model(), flags),
        train=summary,
        environment=setup.environment,
        recipe=recipe,
        auto={flag: setup.chosen[flag] for flag in sorted(setup.auto)},
    )
    write_results(folder, trainer, report, outcome, data.dataset["test"])
    write_card(folder, report, flags.license)
    finish_tracking(trainer, report.test)
    finish_folder(folder, recipe, data.corpus.sha256)
    return report


@contextmanager
def told_if_full(folder: Path) -> Iterator[None]:
    """Tell a full disk as what it is; torch and safetensors raise kinds of their own, with words of the system."""
    try:
        yield
    except Exception as error:
        full = [os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)]
        if isinstance(error, RumorError) or not any(words in str(error) for words in (*full, "file write failed")):
            raise
        raise OutputError(
            f"--output_dir {folder}: expected room for checkpoints and results, got {error}; make room, then the same "
            "command goes on"
        ) from error


def make_pusher(arguments: Arguments) -> PushCheckpoints | None:
    """Return what pushes checkpoints and result; None unless `--push_to_hub`.

    Raises:
        ArgumentError: The licence or the repository cannot be one, or there is no token.
    """
    training, license_id = arguments.training, arguments.run.license
    check_license(license_id)
    if not training.get("push_to_hub") or license_id is None:  # arguments.py asks for it
        return None
    repo_id = training.get("hub_model_id") or Path(training["output_dir"]).resolve().name
    target = Target(repo_id, private=training.get("hub_private_repo"), revision=training.get("hub_revision"))
    check_target(target)
    strategy = str(training.get("hub_strategy", "every_save"))
    return PushCheckpoints(target, strategy, license_id, always=training.get("hub_always_push", False))


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


def prepare_training(arguments: Arguments) -> tuple[TrainingArguments, dict[str, Any]]:
    """Return Trainer's arguments with precision and device decided, and the `environment` part of the report."""
    requested = requested_precision(arguments)
    hardware = detect_hardware(use_cpu=arguments.training.get("use_cpu", False))
    precision, reason = choose_precision(requested, hardware)
    if requested == "auto" and arguments.given.get(precision) is False:
        precision, reason = "fp32", f"auto: --{precision} False"
    args = make_training_arguments(arguments.training, precision=precision, device=hardware.device)
    if hardware.device == "cpu":
        keep_freed_memory()
    logger.info("device: %s; precision %s (%s); %d process(es)", hardware.name, precision, reason, args.world_size)
    if "ACCELERATE_USE_CPU" in os.environ and args.world_size == 1:  # set by accelerate launch
        logger.info("launcher: accelerate launch started one process; for several, also on CPUs, it needs --multi_gpu")
    packages = ("torch", "transformers", "datasets", "evaluate", "accelerate", "scikit-learn")
    return args, {
        "versions": {
            "hf_rumor": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in packages},
        },
        "platform": platform.platform(),
        "device": hardware.name,
        "precision": precision,
        "precision_reason": reason,
        "num_processes": args.world_size,
    }


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


def make_trainer(
    model: Any,
    tokenizer: Any,
    args: TrainingArguments,
    training: Dataset | PostStream,
    validation: Dataset,
    loss: Loss,
    flags: RunArguments,
) -> RumorTrainer:
    """Return a trainer on tokenized posts that stops early where validation no longer gets better.

    Raises:
        ArgumentError: Trainer, its optimizer or its schedule refuses the flags.
        ModelError: Its head cannot be calibrated.
    """
    if flags.calibration == "platt":
        find_head(model, len(LABEL_NAMES))  # what would fail after training shows before it
    try:
        trainer = RumorTrainer(
            loss=loss,
            layer_lr_decay=flags.layer_lr_decay,
            adversarial_radius=flags.adversarial_radius,
            model=model,
            args=args,
            # GPUs multiply whole tiles; a CPU pays for each token.
            data_collator=DataCollatorWithPadding(tokenizer, pad_to_multiple_of=2 if args.device.type == "cpu" else 8),
            train_dataset=training,
            eval_dataset=validation,
            processing_class=tokenizer,
            compute_metrics=ValidationMetrics(loss.activation),
            callbacks=[EpochLines()],
        )
        trainer.check_schedule()
    except OSError as error:
        raise OutputError(f"--output_dir: expected a folder that can be written, got {error}; give another") from error
    except (ValueError, TypeError, ImportError, RuntimeError, ArithmeticError) as error:
        raise ArgumentError(f"expected flags that Trainer takes, got {type(error).__name__}: {error}") from error
    trainer.remove_callback(PrinterCallback if args.disable_tqdm else ProgressCallback)
    if not args.disable_tqdm:
        trainer.add_callback(Progress())
    if flags.early_stopping_patience and args.load_best_model_at_end:
        trainer.add_callback(EarlyStopping(flags.early_stopping_patience))
    return trainer


def write_results(folder: Path, trainer: RumorTrainer, report: Report, outcome: Outcome, test: Dataset) -> None:
    """Write model, recipe, report and predictions."""
    facts = {
        "version": __version__,
        **report.loss,
        "threshold": outcome.threshold,
        "abstain_below": outcome.abstain_below,
        "calibration": report.calibration["method"],
        "max_length": report.model["max_length"],
        "pooling": report.model["pooling"],
    }
    save_model(trainer.plain_model(), trainer.processing_class, folder, facts)
    write_text(folder / "recipe.yaml", recipe_text(report))
    told = predictions(outcome.scored["test"], outcome.threshold, outcome.abstain_below)
    mistaken = {mistake["id"] for mistake in report.mistakes}
    texts = {
        post_id: text for post_id, text in zip(test["id"][:], test["text"][:], strict=True) if post_id in mistaken
    }
    write_report(folder, report, told, texts)
