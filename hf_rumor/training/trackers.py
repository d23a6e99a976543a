"""TensorBoard, trackio, Weights & Biases, MLflow: what a run is goes in at its start, what it is worth at its end."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.integrations.integration_utils import get_reporting_integration_callbacks


class Tracked(TrainerCallback):
    """Passes on the events of a run to a tracker, but for the end of training.

    Trackers close their run when training ends; the metrics on test posts come after that.

    Args:
        tracker: The callback of transformers for one tracker.
    """

    def __init__(self, tracker: TrainerCallback) -> None:
        self.tracker = tracker

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Open the run; its configuration is that of Trainer and that of the model."""
        self.tracker.on_train_begin(args, state, control, **kwargs)

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Pass on what Trainer logs."""
        self.tracker.on_log(args, state, control, **kwargs)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Let the tracker keep the checkpoint, if it was told to."""
        self.tracker.on_save(args, state, control, **kwargs)


@contextmanager
def tracked(trainer: Trainer, facts: Mapping[str, Any]) -> Iterator[None]:
    """Let the trackers of `--report_to` know the run that trains inside, and wait for its last numbers.

    Args:
        trainer: Has not trained yet.
        facts: What the run is: recipe and split. They go where every tracker looks, the configuration of the model.
    """
    os.environ.setdefault("MLFLOW_FLATTEN_PARAMS", "TRUE")  # it drops parameters of more than 250 characters
    model: Any = trainer.model
    config = model.config
    for kind in get_reporting_integration_callbacks(trainer.args.report_to):  # type: ignore[no-untyped-call]
        tracker = trainer.pop_callback(kind)
        if tracker is not None:
            trainer.add_callback(Tracked(tracker))
    config.hf_rumor_run = dict(facts)
    try:
        yield
    finally:
        del config.hf_rumor_run


def finish_tracking(trainer: Trainer, metrics: Mapping[str, Any]) -> None:
    """Log every number among the metrics on test posts as `test_...`, then close the runs of the trackers."""
    numbers = {f"test_{name}": value for name, value in metrics.items() if isinstance(value, int | float)}
    trainer.log(numbers)
    for callback in trainer.callback_handler.callbacks:
        if isinstance(callback, Tracked):
            callback.tracker.on_train_end(trainer.args, trainer.state, trainer.control, model=trainer.model)
