"""Posts -> tokens -> a trainer -> a trained model in the folder of the run."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from datasets import Dataset, DatasetDict
from torch import Tensor
from transformers import DataCollatorWithPadding, PrinterCallback, ProgressCallback

from hf_rumor.corpus.arrow import posts_of
from hf_rumor.corpus.seen import write_seen
from hf_rumor.errors import ArgumentError, OutputError, RumorError
from hf_rumor.models.inputs import InputConfig
from hf_rumor.models.lora import classifier_in
from hf_rumor.models.positions import num_positions
from hf_rumor.runs.environment import check_sharding, is_fsdp_chosen
from hf_rumor.runs.outcome import split_facts
from hf_rumor.runs.resolve import Run
from hf_rumor.training.callbacks import EarlyStopping, EpochLines, Progress, StepFacts
from hf_rumor.training.checkpoints import remove_leftovers
from hf_rumor.training.interruption import interruptible
from hf_rumor.training.run_folder import claim_folder
from hf_rumor.training.scoring import score_together
from hf_rumor.training.sharding import name_layers
from hf_rumor.training.streaming import PostStream
from hf_rumor.training.tokenization import log_tokens, padding_multiple, tokenize
from hf_rumor.training.trackers import tracked
from hf_rumor.training.trainer import RumorTrainer
from hf_rumor.training.validation import ValidationMetrics


def encode(run: Run, tokenizer: Any) -> tuple[Dataset | PostStream, Dataset]:
    """Return training and validation posts as tokens; with `--streaming`, training posts are tokenized on the fly."""
    flags, args, parts = run.flags, run.args, run.data.dataset
    names = ("validation",) if flags.streaming else ("train", "validation")
    config = InputConfig(flags.max_length)
    encoded = tokenize(DatasetDict({name: parts[name] for name in names}), tokenizer, config)
    log_tokens(encoded, flags.max_length)
    if not flags.streaming:
        training = encoded["train"]
        if run.teacher is not None:
            unlabeled = run.teacher.unlabeled_posts(parts["train"])
            more = unlabeled and tokenize(DatasetDict({"unlabeled": unlabeled}), tokenizer, config)["unlabeled"]
            training = run.teacher.with_logits(training, more)
        return training.select(run.epoch), encoded["validation"]
    stream = PostStream(
        parts["train"].select(run.epoch),
        tokenizer,
        config,
        batch_size=args.train_batch_size * args.gradient_accumulation_steps * args.world_size,
        grouped=args.train_sampling_strategy == "group_by_length",
        seed=args.seed if args.data_seed is None else args.data_seed,
    )
    return stream, encoded["validation"]


def make_trainer(run: Run, model: Any, tokenizer: Any) -> RumorTrainer:
    """Tokenize the posts of a run; return a trainer on them that has computed one batch.

    Raises:
        ArgumentError: Trainer, its optimizer, its schedule or the model fails with these flags.
    """
    flags, args = run.flags, run.args
    training, validation = encode(run, tokenizer)
    if is_fsdp_chosen():
        name_layers(classifier_in(model))
    try:
        trainer = RumorTrainer(
            model,
            args,
            DataCollatorWithPadding(
                tokenizer, pad_to_multiple_of=padding_multiple(args.device, flags.max_length, num_positions(model))
            ),
            train_dataset=training,
            eval_dataset=validation,
            processing_class=tokenizer,
            compute_metrics=ValidationMetrics(run.loss.activation),
            callbacks=[EpochLines(), StepFacts(run.steps)],
            loss=run.loss,
            layer_lr_decay=flags.layer_lr_decay,
            adversarial_radius=flags.adversarial_radius,
            distillation=run.distillation,
        )
        trainer.rehearse(flags.max_length)
    except OSError as error:
        raise OutputError(f"--output_dir {run.folder}: cannot be written ({error}). Use another one.") from error
    except RumorError:
        raise
    except Exception as error:  # of any library that a flag can choose
        other = "" if run.environment.precision == "fp32" else ", such as --precision fp32,"
        raise ArgumentError(
            f"training: cannot start with these flags ({type(error).__name__}: {error}). Change flags{other} or model."
        ) from error
    check_sharding(is_sharded=trainer.is_fsdp_enabled)
    trainer.remove_callback(PrinterCallback if args.disable_tqdm else ProgressCallback)
    if not args.disable_tqdm:
        trainer.add_callback(Progress())
    if flags.early_stopping_patience and args.load_best_model_at_end:
        trainer.add_callback(EarlyStopping(flags.early_stopping_patience))
    return trainer


@dataclass(frozen=True)
class Fitted:
    """What a training leaves beside the model of the trainer."""

    started_at: datetime
    logits: dict[str, Tensor]  # of the validation and the test posts, before calibration


def fit(run: Run, trainer: RumorTrainer) -> Fitted:
    """Train in the folder of the run, from its checkpoint after an interruption; score validation and test posts.

    Raises:
        OutputError: The folder contains something else.
        Interrupted: SIGINT or SIGTERM arrived; a checkpoint is saved.
    """
    args, folder = run.args, run.folder
    with args.main_process_first(local=False):  # the first process claims the folder, then the others
        checkpoint = claim_folder(folder, run.identity, run.resume_from, run.steps)
        if args.process_index == 0:
            remove_leftovers(folder)
            write_seen(folder, run.seen)
    started_at = datetime.now().astimezone()
    with tracked(trainer, {"recipe": run.recipe, "split": asdict(split_facts(run.data))}), interruptible(trainer):
        trainer.train_from(checkpoint)
    trainer.make_plain()
    config, parts = InputConfig(run.flags.max_length), run.data.dataset
    logits = {part: score_together(trainer, posts_of(parts[part][:]), config) for part in ("validation", "test")}
    trainer.leave_processes()  # so that the others need not wait while the first one writes the report
    return Fitted(started_at, logits)
