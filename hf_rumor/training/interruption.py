"""Ctrl-C and SIGTERM during training: save a checkpoint, then stop."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments


STEPS_BETWEEN_CHECKS = 8  # if there are several processes
SAME_SIGNAL_SECONDS = 1.0


class Interrupted(KeyboardInterrupt):
    """The signal `number` stopped a run; a checkpoint was saved at `step`, unless that is None."""

    def __init__(self, number: int, step: int | None = None) -> None:
        super().__init__(number)
        self.number = number
        self.step = step


class SaveAndStop(TrainerCallback):
    """Saves a checkpoint and stops after the step in which a signal arrived."""

    number: int | None = None
    arrived_at = 0.0

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Stop if a signal has arrived. All processes stop at the same step, or some would wait forever."""
        if args.world_size > 1:
            if state.global_step % STEPS_BETWEEN_CHECKS:
                return
            number = torch.tensor(self.number or 0, device=args.device)
            torch.distributed.all_reduce(number, torch.distributed.ReduceOp.MAX)
            self.number = int(number) or None
        if self.number is not None:
            control.should_save = control.should_training_stop = True

    def on_epoch_end(self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Do not validate an incomplete epoch: it would count for early stopping, and consume random numbers."""
        epoch = state.epoch or 0.0
        if self.number is not None and state.global_step < state.max_steps and abs(epoch - round(epoch)) > 1e-6:
            control.should_evaluate = control.should_save = False  # the step is saved already


@contextmanager
def interruptible(trainer: Trainer) -> Iterator[None]:
    """Let SIGINT and SIGTERM stop the training after the current step, and a second signal stop it at once.

    A second signal within `SAME_SIGNAL_SECONDS` is ignored: launchers forward signals that the processes already have.

    Raises:
        Interrupted: A signal arrived.
    """
    if threading.current_thread() is not threading.main_thread():  # Python delivers signals to the main thread only
        yield
        return
    callback = SaveAndStop()

    def note(number: int, frame: FrameType | None) -> None:
        if callback.number is None:
            callback.number, callback.arrived_at = number, time.monotonic()
        elif time.monotonic() - callback.arrived_at > SAME_SIGNAL_SECONDS:
            raise Interrupted(number)

    trainer.add_callback(callback)
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        trainer.remove_callback(callback)
    if callback.number is not None:
        raise Interrupted(callback.number, trainer.state.global_step)
