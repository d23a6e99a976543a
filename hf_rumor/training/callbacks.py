"""What a run tells while it trains."""

import logging
import time
from typing import Any

from transformers import ProgressCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments


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
            args.num_train_epochs,
            args.get_warmup_steps(state.max_steps),
            getattr(args.lr_scheduler_type, "value", args.lr_scheduler_type),
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
        losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
        logger.info(
            "epoch %.3g of %g: training loss %s, validation macro-F1 %.4f, %d s",
            state.epoch or 0.0,
            args.num_train_epochs,
            f"{losses[-1]:.4f}" if losses else "not logged",
            (metrics or {}).get("eval_macro_f1", float("nan")),
            time.monotonic() - self.started,
        )
