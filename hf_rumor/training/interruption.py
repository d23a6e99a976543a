"""Ctrl-C and SIGTERM while a run trains: one more checkpoint, then the end."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments


STEPS_BETWEEN_LOOKS = 8  # of several processes
SAME_SIGNAL_SECONDS = 1.0


class Interrupted(BaseException):
    """A run was told to end; like `KeyboardInterrupt` it is no error.

    Attributes:
        number: Of the signal.
        step: At which the checkpoint was saved, None if there is none.
    """

    def __init__(self, number: int, step: int | None = None) -> None:
        super().__init__(number)
        self.number = number
        self.step = step


class SaveAndStop(TrainerCallback):
    """Saves a checkpoint and stops after the step in which a signal came."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.since = 0.0

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Look whether a signal has come; several processes look together, or some would wait for ever."""
        if args.world_size > 1:
            if state.global_step % STEPS_BETWEEN_LOOKS:
                return
            number = torch.tensor(self.number or 0, device=args.device)
            torch.distributed.all_reduce(number, torch.distributed.ReduceOp.MAX)
            self.number = int(number) or None
        if self.number is not None:
            control.should_save = control.should_training_stop = True

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Validate no epoch that was stopped half-way: it would count in early stopping, and move random numbers."""
        epoch = state.epoch or 0.0
        if self.number is not None and state.global_step < state.max_steps and abs(epoch - round(epoch)) > 1e-6:
            control.should_evaluate = control.should_save = False  # what the step came to is saved already


@contextmanager
def interruptible(trainer: Trainer) -> Iterator[None]:
    """Let SIGINT and SIGTERM end the training inside after its step; a second one, later, ends it at once.

    One that follows within a second is the same: a launcher passes on what its processes have got already.

    Raises:
        Interrupted: A signal came.
    """
    if threading.current_thread() is not threading.main_thread():  # where Python takes no signals
        yield
        return
    callback = SaveAndStop()

    def note(number: int, frame: FrameType | None) -> None:
        if callback.number is None:
            callback.number, callback.since = number, time.monotonic()
        elif time.monotonic() - callback.since > SAME_SIGNAL_SECONDS:
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
