"""Log lines of the training, early stopping, and what checkpoints store about their steps."""

import logging
import time
from pathlib import Path
from typing import Any

from transformers import (
    EarlyStoppingCallback,
    ProgressCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer_callback import ExportableState


logger = logging.getLogger(__name__)


class Progress(ProgressCallback):
    """The progress bar without the log lines of `ProgressCallback`: see `EpochLines`."""

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Print nothing."""


class StepFacts(TrainerCallback, ExportableState):
    """Saves `facts_of_steps` in each checkpoint, for `hf_rumor.training.checkpoints.check_steps`."""

    def __init__(self, facts: dict[str, Any] | None = None) -> None:
        self.facts = facts or {}

    def state(self) -> dict[str, Any]:
        """Return what Trainer saves."""
        return {"args": {}, "attributes": {"facts": self.facts}}


def facts_of_steps(args: TrainingArguments, *, posts: str, is_streaming: bool) -> dict[str, Any]:
    """Return everything that decides which posts are in which step; `posts` identifies the training posts."""
    return {
        "training posts": posts,
        "processes": args.world_size,
        "per_device_train_batch_size": args.per_device_train_batch_size,
        "gradient_accumulation_steps": args.gradient_accumulation_steps,
        "dataloader_drop_last": args.dataloader_drop_last,
        "train_sampling_strategy": str(args.train_sampling_strategy),
        "data_seed": args.seed if args.data_seed is None else args.data_seed,
        "streaming": is_streaming,
    }


class EpochLines(TrainerCallback):
    """Logs steps and warm-up at the start, the scores of each validation, and the checkpoint that is kept."""

    started = 0.0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: Any, **kwargs: Any) -> None:
        """Log the length of the run, as computed by Trainer."""
        self.started = time.monotonic()
        logger.info(
            "steps: %d in %g epochs, %d of them warm-up, schedule %s",
            state.max_steps,
            num_epochs(args, state),
            warmup_steps(state, args),
            schedule(args),
        )

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: Any, metrics: Any = None, **kwargs: Any
    ) -> None:
        """Log the training loss and the validation score."""
        logger.info(
            "epoch %.3g of %g: mean training loss %.4f, validation macro-F1 %.4f, %d s",
            state.epoch or 0.0,
            num_epochs(args, state),
            metrics.get("mean_loss", float("nan")),
            metrics.get("eval_macro_f1", float("nan")),
            time.monotonic() - self.started,
        )

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: Any, **kwargs: Any) -> None:
        """Log which checkpoint becomes the model."""
        if args.load_best_model_at_end and state.best_model_checkpoint:
            name = Path(state.best_model_checkpoint).name
            logger.info("kept: %s, validation %s %.4f", name, args.metric_for_best_model, state.best_metric)


def num_epochs(args: TrainingArguments, state: TrainerState) -> float:
    """Return the number of epochs of a run; if `--max_steps` ends it, started epochs count."""
    return float(state.num_train_epochs if args.max_steps > 0 else args.num_train_epochs)


class EarlyStopping(EarlyStoppingCallback):
    """Stops after a number of validations without a better metric, even if the run was interrupted right then.

    With its counter restored from a checkpoint, `EarlyStoppingCallback` would train one more epoch.
    """

    had_stopped = False

    def _is_out_of_patience(self) -> bool:
        return self.early_stopping_patience_counter >= self.early_stopping_patience

    def on_train_begin(self, args: Any, state: Any, control: TrainerControl, **kwargs: Any) -> None:
        """Stop at once if the run had stopped before it was interrupted."""
        super().on_train_begin(args, state, control, **kwargs)  # type: ignore[no-untyped-call]
        control.should_training_stop = self.had_stopped = self._is_out_of_patience()

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: Any, metrics: Any = None, **kwargs: Any
    ) -> None:
        """Log why the run ends here."""
        super().on_evaluate(args, state, control, metrics, **kwargs)  # type: ignore[no-untyped-call]
        if self._is_out_of_patience() and state.global_step < state.max_steps:  # at the last step it ends anyway
            logger.info(
                "stopped early: no improvement of %s in %d validations (--early_stopping_patience)",
                *(args.metric_for_best_model, self.early_stopping_patience_counter),
            )

    def on_epoch_end(self, args: Any, state: Any, control: TrainerControl, **kwargs: Any) -> None:
        """Neither validate nor save the step that Trainer takes before it reads the control."""
        if self.had_stopped:
            control.should_evaluate = control.should_save = False


def warmup_steps(state: TrainerState, args: TrainingArguments) -> int:
    """Return the number of warm-up steps; 0 for the schedules that ignore it."""
    without = ("constant", "reduce_lr_on_plateau", "greedy")
    return 0 if schedule(args) in without else args.get_warmup_steps(state.max_steps)


def schedule(args: TrainingArguments) -> str:
    """Return the name of the learning rate schedule."""
    return str(getattr(args.lr_scheduler_type, "value", args.lr_scheduler_type))
