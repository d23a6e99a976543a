"""TensorBoard, trackio, Weights & Biases, MLflow: recipe and split at the start of a run, test metrics at its end."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers import Trainer, TrainerCallback
from transformers.integrations.integration_utils import TensorBoardCallback, get_reporting_integration_callbacks


FLATTEN = "MLFLOW_FLATTEN_PARAMS"  # without it, MLflow drops parameters of more than 250 characters


class Tracked(TrainerCallback):
    """Passes the events of a run to a tracker of transformers, except for the end of training.

    Trackers close their run when training ends, before the metrics on test posts are known.
    """

    def __init__(self, tracker: TrainerCallback) -> None:
        self.tracker = tracker

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Open the run; its configuration is that of Trainer and that of the model."""
        if isinstance(self.tracker, TensorBoardCallback) and self.tracker.logging_dir is None:
            self.tracker.logging_dir = str(Path(str(args.output_dir)) / "runs")  # also after an interruption
        self.tracker.on_train_begin(args, state, control, **kwargs)

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Pass on what Trainer logs."""
        self.tracker.on_log(args, state, control, **kwargs)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Let the tracker store the checkpoint, if it is configured to."""
        self.tracker.on_save(args, state, control, **kwargs)


@contextmanager
def tracked(trainer: Trainer, facts: Mapping[str, Any]) -> Iterator[None]:
    """Pass recipe and split (`facts`) of the run to the trackers of `--report_to`, and keep them open after it.

    The facts are added to the configuration of the model, which every tracker logs.
    """
    model: Any = trainer.model
    config = model.config
    for kind in get_reporting_integration_callbacks(trainer.args.report_to):  # type: ignore[no-untyped-call]
        tracker = trainer.pop_callback(kind)
        if tracker is not None:
            trainer.add_callback(Tracked(tracker))
    config.hf_rumor_run = dict(facts)
    is_unset = FLATTEN not in os.environ
    os.environ.setdefault(FLATTEN, "TRUE")
    try:
        yield
    finally:
        del config.hf_rumor_run
        if is_unset:
            del os.environ[FLATTEN]


def finish_tracking(trainer: Trainer, metrics: Mapping[str, Any]) -> None:
    """Log every number among the metrics on test posts as `test_...`, then close the runs of the trackers."""
    trainer.log({f"test_{name}": value for name, value in metrics.items() if isinstance(value, int | float)})
    for callback in trainer.callback_handler.callbacks:
        if isinstance(callback, Tracked):
            callback.tracker.on_train_end(trainer.args, trainer.state, trainer.control, model=trainer.model)
