"""What a run tells while it trains."""

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


logger = logging.getLogger(__name__)


class Progress(ProgressCallback):
    """The progress bar alone: the logs that `ProgressCallback` mixes into it go to `EpochLines`."""

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Print nothing."""


class EpochLines(TrainerCallback):
    """One line at the start with steps and warm-up, and one after each validation."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Tell how long the run will be, as Trainer computed it."""
        self.started = time.monotonic()
        logger.info(
            "steps: %d in %g epochs, %d of them warm-up, schedule %s",
            state.max_steps,
            num_epochs(args, state),
            warmup_steps(state, args),
            schedule(args),
        )

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Tell how the epoch went."""
        metrics = metrics or {}
        logger.info(
            "epoch %.3g of %g: mean training loss %.4f, validation macro-F1 %.4f, %d s",
            state.epoch or 0.0,
            num_epochs(args, state),
            metrics.get("mean_loss", float("nan")),
            metrics.get("eval_macro_f1", float("nan")),
            time.monotonic() - self.started,
        )

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Tell which checkpoint becomes the model."""
        if args.load_best_model_at_end and state.best_model_checkpoint:
            name = Path(state.best_model_checkpoint).name
            logger.info("kept: %s, validation %s %.4f", name, args.metric_for_best_model, state.best_metric)


def num_epochs(args: TrainingArguments, state: TrainerState) -> float:
    """Return how many epochs a run has, begun ones included where `--max_steps` ends it."""
    return float(state.num_train_epochs if args.max_steps > 0 else args.num_train_epochs)


class EarlyStopping(EarlyStoppingCallback):
    """Stops after so many validations without a better metric, also where the run was interrupted right then.

    With its counter restored from a checkpoint, `EarlyStoppingCallback` would train on for an epoch before it looks.
    """

    def __init__(self, early_stopping_patience: int = 1, early_stopping_threshold: float | None = 0.0) -> None:
        super().__init__(early_stopping_patience, early_stopping_threshold)
        self.had_stopped = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Stop at once if the run had stopped before it was interrupted."""
        super().on_train_begin(args, state, control, **kwargs)  # type: ignore[no-untyped-call]
        self.had_stopped = self.early_stopping_patience_counter >= self.early_stopping_patience
        control.should_training_stop = self.had_stopped

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, metrics: Any = None, **kwargs: Any
    ) -> None:
        """Say why the run ends here."""
        super().on_evaluate(args, state, control, metrics, **kwargs)  # type: ignore[no-untyped-call]
        has_stopped = self.early_stopping_patience_counter >= self.early_stopping_patience
        if has_stopped and state.global_step < state.max_steps:  # at its last step it ends anyway
            logger.info(
                "stopped early: no better %s in %d validations (--early_stopping_patience)",
                *(args.metric_for_best_model, self.early_stopping_patience_counter),
            )

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Neither validate nor save the step that Trainer takes before it looks at the control."""
        if self.had_stopped:
            control.should_evaluate = control.should_save = False


def warmup_steps(state: TrainerState, args: TrainingArguments) -> int:
    """Return the number of warm-up steps; 0 for the schedules that ignore it."""
    without = ("constant", "reduce_lr_on_plateau", "greedy")
    return 0 if schedule(args) in without else args.get_warmup_steps(state.max_steps)


def schedule(args: TrainingArguments) -> str:
    """Return the name of the learning rate schedule."""
    return str(getattr(args.lr_scheduler_type, "value", args.lr_scheduler_type))
