import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from transformers import TrainerCallback

from hf_rumor.runs.train import run
from hf_rumor.training.trackers import Tracked, finish_tracking, tracked


SAMPLE = Path(__file__).parents[2] / "data" / "sample"
FLAGS = ["--data_path", str(SAMPLE), "--max_steps", "2", "--save_strategy", "no", "--eval_strategy", "no"]
FLAGS += ["--load_best_model_at_end", "false", "--logging_steps", "1", "--calibration", "none", "--run_name", "a-run"]


class Diary(TrainerCallback):
    """A tracker that records its events."""

    def __init__(self):
        self.events = []

    def on_train_begin(self, args, state, control, model=None, **kwargs):
        self.events.append(("begin", dict(model.config.hf_rumor_run)))

    def on_log(self, args, state, control, logs=None, **kwargs):
        self.events.append(("log", logs))

    def on_train_end(self, args, state, control, **kwargs):
        self.events.append(("end", None))


class Trainer(SimpleNamespace):
    """The part of `Trainer` that trackers use."""

    def pop_callback(self, kind):
        return self.callback_handler.callbacks.pop()

    def add_callback(self, callback):
        self.callback_handler.callbacks.append(callback)

    def log(self, values):
        for callback in self.callback_handler.callbacks:
            callback.on_log(self.args, self.state, self.control, logs=values)


def test_a_tracker_logs_the_recipe_first_and_the_test_metrics_last(monkeypatch):
    diary, config = Diary(), SimpleNamespace()
    trainer = Trainer(
        model=SimpleNamespace(config=config),
        args=SimpleNamespace(report_to=["diary"]),
        state=None,
        control=None,
        callback_handler=SimpleNamespace(callbacks=[diary]),
    )
    monkeypatch.setattr("hf_rumor.training.trackers.get_reporting_integration_callbacks", lambda names: [Diary])
    with tracked(trainer, {"split": "grouped"}):
        (callback,) = trainer.callback_handler.callbacks
        assert isinstance(callback, Tracked)
        callback.on_train_begin(None, None, None, model=trainer.model)
        callback.on_train_end(None, None, None)
    assert not hasattr(config, "hf_rumor_run")
    finish_tracking(trainer, {"accuracy": 0.75, "num_posts": 4, "confusion": [[1, 0], [0, 1]]})
    assert diary.events == [
        ("begin", {"split": "grouped"}),
        ("log", {"test_accuracy": 0.75, "test_num_posts": 4}),
        ("end", None),
    ]


def test_two_runs_of_one_process_have_separate_tensorboard_folders(make_trainer, tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    monkeypatch.delenv("TENSORBOARD_LOGGING_DIR", raising=False)
    environment = dict(os.environ)
    for name in ("one", "other"):
        trainer = make_trainer(report_to="tensorboard", max_steps=1, logging_steps=1, output_dir=str(tmp_path / name))
        with tracked(trainer, {}):
            trainer.train()
        finish_tracking(trainer, {})
        assert list((tmp_path / name / "runs").glob("events*"))
    assert dict(os.environ) == environment


@pytest.fixture
def flags(tiny_encoder, tmp_path):
    """Return the flags of a short run."""
    return ["mini", "--model_name_or_path", str(tiny_encoder), *FLAGS, "--output_dir", str(tmp_path / "out")]


def test_tensorboard_logs_recipe_split_and_test_metrics_in_the_folder_of_the_run(
    flags, tiny_encoder, tmp_path, monkeypatch
):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.delenv("TENSORBOARD_LOGGING_DIR", raising=False)
    finished = run([*flags, "--report_to", "tensorboard"])
    values, texts = {}, ""
    for path in (tmp_path / "out" / "runs").glob("events*"):
        events = EventAccumulator(str(path)).Reload()
        values |= {tag: events.Scalars(tag)[-1].value for tag in events.Tags()["scalars"]}
        for tag in events.Tags()["tensors"]:
            texts += "".join(event.tensor_proto.string_val[0].decode() for event in events.Tensors(tag))
    assert values["test/accuracy"] == pytest.approx(finished.report.test.accuracy, abs=1e-6)
    assert "train/loss" in values
    assert '"num_leaking_test_posts": 0' in texts
    assert f'"model_name_or_path": "{tiny_encoder}"' in texts
    assert "hf_rumor_run" not in json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))


def test_trackio_logs_recipe_split_and_test_metrics_in_one_run(flags, tmp_path, monkeypatch):
    trackio = pytest.importorskip("trackio")
    monkeypatch.setattr("trackio.sqlite_storage.TRACKIO_DIR", tmp_path / "trackio")
    finished = run([*flags, "--report_to", "trackio", "--project", "rumors"])
    assert list((tmp_path / "trackio").glob("rumors*"))
    (stored,) = trackio.Api().runs("rumors")
    assert stored.name == "a-run"
    assert stored.config["hf_rumor_run"]["split"]["name"] == "grouped"
    logged = trackio.sqlite_storage.SQLiteStorage.get_logs("rumors", "a-run")
    assert logged[-1]["test/accuracy"] == pytest.approx(finished.report.test.accuracy, abs=1e-6)
