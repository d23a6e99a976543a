"""What Trainer logged, as the part `train` of the report."""

import dataclasses
import math
from datetime import datetime
from typing import Any

from transformers import TrainerState, TrainingArguments

from hf_rumor.config.flags import RunArguments
from hf_rumor.config.rules import OF_THE_CORPUS
from hf_rumor.report.record import Epoch, Step, Training
from hf_rumor.training.callbacks import schedule, warmup_steps
from hf_rumor.training.trainer import RumorTrainer


# Our flags that are not hyperparameters.
PLACES = (*OF_THE_CORPUS, "model_name_or_path", "model_revision", "license", "language")
# Flags of Trainer that change the model.
TRAINER_FLAGS = (
    *("num_train_epochs", "max_steps", "per_device_train_batch_size", "gradient_accumulation_steps"),
    *("learning_rate", "lr_scheduler_type", "lr_scheduler_kwargs", "warmup_steps"),
    *("optim", "optim_args", "weight_decay", "adam_beta1", "adam_beta2", "adam_epsilon", "max_grad_norm"),
    *("seed", "data_seed", "train_sampling_strategy", "dataloader_drop_last", "neftune_noise_alpha"),
    *("eval_strategy", "eval_steps", "load_best_model_at_end", "metric_for_best_model"),
)


def summarize_training(trainer: RumorTrainer, flags: RunArguments, started_at: datetime) -> Training:
    """Return times, speed, schedule, hyperparameters and the course of a training that has just ended."""
    ended_at = datetime.now().astimezone()
    state, args = trainer.state, trainer.args
    last = next((entry for entry in reversed(state.log_history) if "train_runtime" in entry), {})
    best = state.best_model_checkpoint
    return Training(
        started_at=started_at.isoformat(timespec="seconds"),
        ended_at=ended_at.isoformat(timespec="seconds"),
        runtime_seconds=(ended_at - started_at).total_seconds(),
        resumed_at_step=trainer.resumed_at,
        posts_per_second=last.get("train_samples_per_second", math.nan),
        epochs=math.nan if state.epoch is None else state.epoch,
        total_steps=state.global_step,
        planned_steps=state.max_steps,
        warmup_steps=warmup_steps(state, args),
        schedule=schedule(args),
        learning_rate=args.learning_rate,
        batch_size=args.train_batch_size * args.gradient_accumulation_steps * args.world_size,
        chosen_by=args.metric_for_best_model,
        best_metric=state.best_metric,
        best_checkpoint=best.rpartition("/")[2] if best and args.load_best_model_at_end else None,
        hyper_parameters=hyper_parameters(flags, args, trainer.plain_model().config.to_dict()),
        history=epochs(state),
        curve=tuple(
            Step(int(entry["step"]), entry["loss"], entry["learning_rate"])
            for entry in state.log_history
            if "loss" in entry
        ),
    )


def hyper_parameters(flags: RunArguments, args: TrainingArguments, config: dict[str, Any]) -> dict[str, Any]:
    """Return every flag that can change the model with its value, and the dropout of the model's configuration."""
    ours = {name: value for name, value in dataclasses.asdict(flags).items() if name not in PLACES}
    theirs = {name: getattr(args, name) for name in TRAINER_FLAGS}
    dropout = {name: value for name, value in config.items() if "drop" in name and isinstance(value, float)}
    return {name: getattr(value, "value", value) for name, value in (ours | theirs | dropout).items()}


def epochs(state: TrainerState) -> tuple[Epoch, ...]:
    """Return, for each validation, the mean training loss since the one before, and its results."""
    return tuple(
        Epoch(
            step=int(entry["step"]),
            epoch=entry["epoch"],
            mean_loss=entry.get("mean_loss", math.nan),
            validation_loss=entry["eval_loss"],
            validation_macro_f1=entry["eval_macro_f1"],
        )
        for entry in state.log_history
        if "eval_loss" in entry
    )
