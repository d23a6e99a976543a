import importlib.util
import os

import pytest
from transformers import TrainingArguments

from hf_rumor.config.parse import parse_arguments
from hf_rumor.config.training_arguments import make_training_arguments
from hf_rumor.errors import ArgumentError


def make(words, tmp_path, **settings):
    arguments = parse_arguments([*words, "--output_dir", str(tmp_path / "out"), "--use_cpu"])
    return make_training_arguments(arguments.training, **{"precision": "fp32", "device": "cpu", **settings})


def test_training_arguments_have_the_flags_and_what_was_decided(tmp_path):
    args = make(["--learning_rate", "1e-3", "--report_to", "none"], tmp_path, precision="bf16")
    assert (args.learning_rate, args.bf16, args.fp16, args.use_cpu, args.report_to) == (1e-3, True, False, True, [])
    assert args.metric_for_best_model == "macro_f1"
    assert not (tmp_path / "out").exists()


def test_nothing_is_left_behind_in_the_environment(tmp_path):
    before = dict(os.environ)
    make(["--report_to", "tensorboard"], tmp_path)
    assert {name: value for name, value in os.environ.items() if "TENSORBOARD" in name} == {
        name: value for name, value in before.items() if "TENSORBOARD" in name
    }


@pytest.mark.parametrize(
    "words",
    [
        ["--metric_for_best_model", "macro_f2"],
        ["--save_strategy", "no"],
        ["--tf32", "true"],
        ["--optim", "adamw_hf"],
        ["--eval_strategy", "steps"],
    ],
)
def test_flags_that_contradict_each_other_are_refused(tmp_path, words):
    with pytest.raises(ArgumentError):
        make(words, tmp_path)


@pytest.mark.parametrize(
    ("metric", "better"), [("macro_f1", True), ("eval_accuracy", True), ("loss", False), ("ece", False)]
)
def test_the_best_checkpoint_is_selected_in_the_right_direction(tmp_path, metric, better):
    assert make(["--metric_for_best_model", metric], tmp_path).greater_is_better is better


def test_a_plateau_is_detected_in_the_right_direction(tmp_path):
    assert make(["--lr_scheduler_type", "reduce_lr_on_plateau"], tmp_path).lr_scheduler_kwargs == {"mode": "max"}


def test_one_process_uses_one_of_several_gpus(tmp_path, monkeypatch):
    monkeypatch.setattr(TrainingArguments, "_setup_devices", property(lambda self: setattr(self, "_n_gpu", 2)))
    args = make([], tmp_path)
    assert (args.n_gpu, args.train_batch_size) == (1, 16)


@pytest.mark.parametrize("is_installed", [True, False])
def test_tensorboard_is_used_if_it_is_installed(tmp_path, monkeypatch, is_installed):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: is_installed or None if name == "tensorboard" else find_spec(name)
    )
    assert make([], tmp_path).report_to == (["tensorboard"] if is_installed else [])
