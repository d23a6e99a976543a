import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from transformers import TrainerCallback, TrainerControl, TrainerState

from hf_rumor.runs.train import run
from hf_rumor.training import interruption
from hf_rumor.training.interruption import Interrupted, interruptible


SAMPLE = Path(__file__).parents[2] / "data" / "sample"
ARGS = SimpleNamespace(world_size=1, device="cpu")
STEPS = ["--max_steps", "200", "--eval_strategy", "steps", "--eval_steps", "50"]
STEPS += ["--save_strategy", "steps", "--save_steps", "50", "--report_to", "none", "--precision", "fp32"]
FLAGS = slice(4, None)  # of a command, behind `python -m hf_rumor train`


class Trainer:
    """The part of `Trainer` that an interruption uses."""

    def __init__(self):
        self.callbacks = []
        self.state = TrainerState(global_step=7)
        self.add_callback = self.callbacks.append
        self.remove_callback = self.callbacks.remove

    def step(self):
        control = TrainerControl()
        for callback in self.callbacks:
            callback.on_step_end(ARGS, self.state, control)
        return control.should_save and control.should_training_stop


def test_without_a_signal_nothing_happens():
    trainer = Trainer()
    with interruptible(trainer):
        assert not trainer.step()
    assert trainer.callbacks == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_after_a_signal_the_step_is_saved_and_the_run_stops(number):
    trainer, before = Trainer(), signal.getsignal(number)
    with pytest.raises(Interrupted) as caught, interruptible(trainer):
        os.kill(os.getpid(), number)
        assert trainer.step()
    assert (caught.value.number, caught.value.step) == (number, 7)
    assert signal.getsignal(number) is before


def test_a_signal_that_a_launcher_forwards_is_ignored():
    trainer = Trainer()
    with pytest.raises(Interrupted) as caught, interruptible(trainer):
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert trainer.step()
    assert caught.value.step == 7


def test_a_second_signal_stops_the_run_at_once(monkeypatch):
    monkeypatch.setattr(interruption, "SAME_SIGNAL_SECONDS", -1.0)
    with pytest.raises(Interrupted) as caught, interruptible(Trainer()):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("not stopped")
    assert caught.value.step is None


def test_in_another_thread_signals_are_not_handled():
    def train():
        with interruptible(trainer):
            callbacks.append(list(trainer.callbacks))

    trainer, callbacks = Trainer(), []
    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert callbacks == [[]]


class Signals(TrainerCallback):
    """Sends a signal in a step, as a job scheduler does."""

    def __init__(self, step):
        self.step = step

    def on_step_begin(self, args, state, control, **kwargs):
        if state.global_step == self.step - 1:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("step", [7, 10])  # in the middle of an epoch, and at its end
def test_an_interrupted_run_resumes_to_the_same_weights(make_trainer, tiny_model, tmp_path, step):
    def make(name):
        return make_trainer(
            model=tiny_model(hidden_dropout_prob=0.3),
            output_dir=str(tmp_path / name),
            per_device_train_batch_size=2,
            num_train_epochs=3,
            eval_strategy="epoch",
            save_strategy="epoch",
            metric_for_best_model="loss",
        )

    whole = make("whole")
    whole.train()
    stopped = make("stopped")
    stopped.add_callback(Signals(step))
    with pytest.raises(Interrupted), interruptible(stopped):
        stopped.train()
    assert [row["step"] for row in stopped.state.log_history if "eval_loss" in row] == [5, 10][: step // 5]
    resumed = make("stopped")
    resumed.train_from(tmp_path / "stopped" / f"checkpoint-{step}")
    assert [row["step"] for row in resumed.state.log_history if "eval_loss" in row] == [5, 10, 15]
    for one, other in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.fixture
def command(tiny_encoder):
    """Return the words of a run of a small encoder, up to the folder."""
    words = [sys.executable, "-m", "hf_rumor", "train", "mini", "--model_name_or_path", str(tiny_encoder)]
    return [*words, "--data_path", str(SAMPLE), *STEPS, "--output_dir"]


def stop_by_signal(command, folder, number):
    """Start a run and send it a signal once it has a checkpoint; return its exit status and its log."""
    run = subprocess.Popen([*command, str(folder)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while not any(folder.glob("checkpoint-*/trainer_state.json")):
        assert run.poll() is None, run.stderr.read()
        time.sleep(0.05)
    run.send_signal(number)
    _, log = run.communicate(timeout=600)
    return run.returncode, log


@pytest.mark.slow
def test_sigterm_saves_a_checkpoint_and_ends_the_run_with_one_line(command, tmp_path):
    status, log = stop_by_signal(command, tmp_path / "out", signal.SIGTERM)
    assert status == 128 + signal.SIGTERM, log
    assert "is saved; rerun the same command to resume" in log.splitlines()[-1]
    assert "Traceback" not in log


@pytest.mark.slow
def test_a_run_stopped_by_ctrl_c_resumes_to_the_same_result(command, tmp_path, caplog):
    status, log = stop_by_signal(command, tmp_path / "out", signal.SIGINT)
    assert status == 128 + signal.SIGINT, log
    with caplog.at_level("INFO", logger="hf_rumor"):
        run([*command[FLAGS], str(tmp_path / "out")])
    assert "resumes the interrupted run" in caplog.text
    run([*command[FLAGS], str(tmp_path / "whole")])
    for name in ("model.safetensors", "predictions.jsonl"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
