"""The experiment as one page: preparation -> model -> trainer -> report (-> push)."""

import errno
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict
from transformers import DataCollatorWithPadding, PrinterCallback, ProgressCallback, TrainingArguments

from hf_rumor import __version__
from hf_rumor.config.arguments import Arguments, RunArguments
from hf_rumor.corpus.arrow import posts_of
from hf_rumor.errors import ArgumentError, OutputError, RumorError
from hf_rumor.evaluation.measure import predict_posts
from hf_rumor.hub.background import PushCheckpoints
from hf_rumor.hub.push import Target, check_target
from hf_rumor.models.check import check_saved
from hf_rumor.models.head import find_head
from hf_rumor.models.inputs import InputConfig
from hf_rumor.models.positions import num_positions
from hf_rumor.models.save import save_model
from hf_rumor.report.card import check_license, write_card
from hf_rumor.report.record import Report
from hf_rumor.report.view import recipe_text
from hf_rumor.report.write import write_report
from hf_rumor.runs.history import summarize_training
from hf_rumor.runs.outcome import Outcome, conclude, make_report, model_facts, split_facts
from hf_rumor.runs.prepare import Setup, check_start, set_up
from hf_rumor.training.callbacks import EarlyStopping, EpochLines, Progress
from hf_rumor.training.interruption import interruptible
from hf_rumor.training.losses import Loss
from hf_rumor.training.run_folder import check_folder, claim_folder, finish_folder, locked, remove_leftovers
from hf_rumor.training.streaming import PostStream
from hf_rumor.training.tokenization import log_tokens, padding_multiple, tokenize
from hf_rumor.training.trackers import finish_tracking, tracked
from hf_rumor.training.trainer import RumorTrainer, ValidationMetrics
from hf_rumor.util.files import write_text


logger = logging.getLogger(__name__)

NUM_CHECKED = 16  # test posts that the saved model scores again


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
    if setup.arguments.given.get("calibration") == "platt":
        find_head(model)  # what would fail after training fails before it
    with locked(folder, wanted=setup.args.process_index == 0), told_if_full(folder):
        trainer, started_at = train(setup, folder, model, tokenizer, pusher)
        if not trainer.is_world_process_zero():
            trainer.part()
            return None
        report = finish(setup, folder, trainer, started_at)
        trainer.part()
    return Finished(report, folder, pusher.finish(folder, report) if pusher else None)


def train(
    setup: Setup, folder: Path, model: Any, tokenizer: Any, pusher: PushCheckpoints | None
) -> tuple[RumorTrainer, datetime]:
    """Train in `folder`, from the checkpoint there if the run was interrupted; return when it started."""
    args, data, flags, recipe = setup.args, setup.data, setup.arguments.run, setup.recipe()
    posts = DatasetDict({name: part for name, part in data.dataset.items() if name != "train" or not flags.streaming})
    with args.main_process_first(local=False):
        encoded = tokenize(posts, tokenizer, InputConfig(flags.max_length))
    log_tokens(encoded, flags.max_length)
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
    with tracked(trainer, {"recipe": recipe, "split": asdict(split_facts(data))}), interruptible(trainer):
        trainer.train_from(claim.checkpoint)
    return trainer, started_at


def stream(setup: Setup, tokenizer: Any) -> PostStream:
    """Return the training posts as they are met with `--streaming`."""
    args = setup.args
    return PostStream(
        setup.data.dataset["train"],
        tokenizer,
        InputConfig(setup.arguments.run.max_length),
        batch_size=args.train_batch_size * args.gradient_accumulation_steps * args.world_size,
        grouped=args.train_sampling_strategy == "group_by_length",
        seed=args.seed if args.data_seed is None else args.data_seed,
    )


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
    """
    try:
        trainer = RumorTrainer(
            loss=loss,
            layer_lr_decay=flags.layer_lr_decay,
            adversarial_radius=flags.adversarial_radius,
            model=model,
            args=args,
            data_collator=DataCollatorWithPadding(
                tokenizer, pad_to_multiple_of=padding_multiple(args.device, flags.max_length, num_positions(model))
            ),
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


def finish(setup: Setup, folder: Path, trainer: RumorTrainer, started_at: datetime) -> Report:
    """Calibrate the trained model, choose its threshold, score the test posts, write everything."""
    data, flags, recipe = setup.data, setup.arguments.run, setup.recipe()
    summary = summarize_training(trainer, flags, started_at, datetime.now().astimezone())
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
    finish_tracking(trainer, asdict(report.test))
    finish_folder(folder, recipe, data.corpus.sha256)
    return report


def write_results(folder: Path, trainer: RumorTrainer, report: Report, outcome: Outcome, test: Dataset) -> None:
    """Write model, recipe, report and predictions."""
    facts = {
        "version": __version__,
        **asdict(report.loss),
        "threshold": report.decision.threshold,
        "abstain_below": report.decision.abstain_below,
        "calibration": report.calibration.method,
        "inputs": asdict(InputConfig(report.model.max_length)),
        "pooling": report.model.pooling,
    }
    save_model(trainer.plain_model(), trainer.processing_class, folder, facts)
    check_saved(folder, posts_of(test[:NUM_CHECKED]), outcome.scored["test"].probabilities[:NUM_CHECKED])
    write_text(folder / "recipe.yaml", recipe_text(report))
    predictions = predict_posts(outcome.scored["test"], report.decision.threshold, report.decision.abstain_below)
    write_report(folder, report, predictions, dict(zip(test["id"][:], test["text"][:], strict=True)))


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
