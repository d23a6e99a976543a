"""What Trainer logged -> the `train` part of the report."""

from datetime import datetime
from typing import Any

from transformers import TrainerState

from hf_rumor.training.trainer import RumorTrainer


def summarise_training(trainer: RumorTrainer, started_at: datetime, ended_at: datetime) -> dict[str, Any]:
    """Return times, speed, schedule, loss curve and the course of the epochs.

    `posts_per_second` counts the posts of this session: after an interruption, only those since.
    """
    state, args = trainer.state, trainer.args
    final = next((entry for entry in reversed(state.log_history) if "train_runtime" in entry), {})
    seconds = (ended_at - started_at).total_seconds()
    return {
        "started_at": started_at.isoformat(timespec="seconds"),
        "ended_at": ended_at.isoformat(timespec="seconds"),
        "runtime_seconds": seconds,
        "posts_per_second": final.get("train_samples_per_second", float("nan")),
        "epochs": state.epoch,
        "total_steps": state.max_steps,
        "warmup_steps": args.get_warmup_steps(state.max_steps),
        "schedule": str(getattr(args.lr_scheduler_type, "value", args.lr_scheduler_type)),
        "learning_rate": args.learning_rate,
        "batch_size": args.train_batch_size * args.gradient_accumulation_steps * args.world_size,
        "seed": args.seed,
        "best_macro_f1": state.best_metric,
        "best_checkpoint": state.best_model_checkpoint and state.best_model_checkpoint.rpartition("/")[2],
        "history": epochs(state),
        "curve": [
            {"step": entry["step"], "loss": entry["loss"], "learning_rate": entry["learning_rate"]}
            for entry in state.log_history
            if "loss" in entry
        ],
    }


def epochs(state: TrainerState) -> list[dict[str, float]]:
    """Return, for each validation, the mean of the training losses logged since the one before, and its results."""
    history = []
    losses: list[float] = []
    for entry in state.log_history:
        if "loss" in entry:
            losses.append(entry["loss"])
        elif "eval_loss" in entry:
            history.append(
                {
                    "epoch": entry["epoch"],
                    "mean_loss": sum(losses) / len(losses) if losses else float("nan"),
                    "validation_loss": entry["eval_loss"],
                    "validation_macro_f1": entry["eval_macro_f1"],
                }
            )
            losses = []
    return history
