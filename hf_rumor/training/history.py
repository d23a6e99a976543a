"""What Trainer logged -> the `train` part of the report."""

from datetime import datetime
from typing import Any

from transformers import TrainerState, TrainingArguments

from hf_rumor.training.trainer import RumorTrainer


def summarise_training(trainer: RumorTrainer, started_at: datetime, ended_at: datetime) -> dict[str, Any]:
    """Return times, speed, schedule, loss curve and the course of the epochs.

    Times and `posts_per_second` are of this session: after an interruption, since `resumed_at_step`.
    """
    state, args = trainer.state, trainer.args
    final = next((entry for entry in reversed(state.log_history) if "train_runtime" in entry), {})
    best = state.best_model_checkpoint
    seconds = (ended_at - started_at).total_seconds()
    return {
        "started_at": started_at.isoformat(timespec="seconds"),
        "ended_at": ended_at.isoformat(timespec="seconds"),
        "runtime_seconds": seconds,
        "resumed_at_step": trainer.resumed_at,
        "posts_per_second": final.get("train_samples_per_second", float("nan")),
        "epochs": state.epoch,
        "total_steps": state.global_step,
        "planned_steps": state.max_steps,
        "warmup_steps": warmup_steps(state, args),
        "schedule": schedule(args),
        "learning_rate": args.learning_rate,
        "batch_size": args.train_batch_size * args.gradient_accumulation_steps * args.world_size,
        "seed": args.seed,
        "chosen_by": args.metric_for_best_model,
        "best_metric": state.best_metric,
        "best_checkpoint": best.rpartition("/")[2] if best and args.load_best_model_at_end else None,
        "history": epochs(state),
        "curve": [
            {"step": entry["step"], "loss": entry["loss"], "learning_rate": entry["learning_rate"]}
            for entry in state.log_history
            if "loss" in entry
        ],
    }


def epochs(state: TrainerState) -> list[dict[str, float]]:
    """Return, for each validation, the mean training loss of the posts since the one before, and its results."""
    return [
        {
            "step": entry["step"],
            "epoch": entry["epoch"],
            "mean_loss": entry.get("mean_loss", float("nan")),
            "validation_loss": entry["eval_loss"],
            "validation_macro_f1": entry["eval_macro_f1"],
        }
        for entry in state.log_history
        if "eval_loss" in entry
    ]


def warmup_steps(state: TrainerState, args: TrainingArguments) -> int:
    """Return the steps of warm-up; none for the schedules that ignore it."""
    without = ("constant", "reduce_lr_on_plateau", "greedy")
    return 0 if schedule(args) in without else args.get_warmup_steps(state.max_steps)


def schedule(args: TrainingArguments) -> str:
    """Return the name of the learning rate schedule."""
    return str(getattr(args.lr_scheduler_type, "value", args.lr_scheduler_type))
