"""What a run stands on."""

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from hf_rumor.config.arguments import parse_arguments
from hf_rumor.runs.prepare import choose_epochs, prepare_training, requested_precision, set_up

from hf_rumor.errors import ArgumentError


SAMPLE = Path(__file__).parents[2] / "data" / "sample"
FLAGS = ["mini", "--data_path", str(SAMPLE)]


def test_the_launcher_may_choose_the_precision_but_not_another_one(monkeypatch):
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    assert requested_precision(parse_arguments([])) == "bf16"
    with pytest.raises(ArgumentError, match="bf16 by --mixed_precision of accelerate"):
        requested_precision(parse_arguments(["--precision", "fp32"]))


def test_a_precision_that_was_declined_is_not_taken(monkeypatch, tmp_path):
    monkeypatch.setattr("hf_rumor.runs.prepare.choose_precision", lambda requested, hardware: ("bf16", "auto: it can"))
    flags = ["--output_dir", str(tmp_path), "--use_cpu", "--bf16", "False"]
    args, environment = prepare_training(parse_arguments(flags))
    assert (args.bf16, environment["precision"], environment["precision_reason"]) == (
        *(False, "fp32"),
        "auto: --bf16 False",
    )


def test_a_launcher_that_starts_one_process_is_told(tmp_path, monkeypatch, caplog):
    arguments = parse_arguments([*FLAGS, "--use_cpu", "--output_dir", str(tmp_path)])
    with caplog.at_level(logging.INFO):
        prepare_training(arguments)
        assert "launcher" not in caplog.text
        monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
        prepare_training(arguments)
    assert "accelerate launch started one process" in caplog.text


FEW = [*FLAGS, "--use_cpu"]  # 259 training posts: 17 steps an epoch


def test_few_posts_are_met_more_often_and_the_recipe_says_so(tmp_path, caplog):
    caplog.set_level("INFO", logger="hf_rumor")
    setup = set_up([*FEW, "--load_best_model_at_end", "True"])
    chosen = {"num_train_epochs": 9, "early_stopping_patience": 4}
    assert setup.args.num_train_epochs == 9
    assert setup.arguments.run.early_stopping_patience == 4
    assert "epochs: 9 instead of 4: 259 training posts give 17 steps an epoch" in caplog.text
    assert chosen.items() <= setup.recipe().items()
    assert set(setup.auto) == {"precision", *chosen}  # data and model are named
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(setup.recipe()))
    again = set_up([str(recipe), "--use_cpu"])
    assert again.recipe() == setup.recipe()
    assert again.auto == []


@pytest.mark.parametrize(
    ("flags", "epochs"),
    [
        (["--num_train_epochs", "2"], 2),
        (["--max_steps", "6"], 4),
        (["--max_steps", "-1"], 9),
        (["--dataloader_drop_last", "True"], 10),
        (["--per_device_train_batch_size", "4"], 4),
        (["--per_device_train_batch_size", "4", "--gradient_accumulation_steps", "4"], 9),
    ],
)
def test_epochs_that_are_given_or_enough_stay(flags, epochs):
    setup = set_up([*FEW, *flags])
    assert setup.args.num_train_epochs == epochs
    assert ("num_train_epochs" in setup.auto) == (epochs >= 9)


def test_epochs_do_not_depend_on_how_many_processes_train():
    arguments = parse_arguments(["mini"])
    args = {"max_steps": -1, "num_train_epochs": 4.0, "gradient_accumulation_steps": 1, "train_batch_size": 16}
    args |= {"dataloader_drop_last": False, "load_best_model_at_end": False}
    chosen = [choose_epochs(arguments, SimpleNamespace(**args, world_size=size), 259) for size in (1, 4)]
    assert chosen == [{"num_train_epochs": 9}] * 2


def test_a_patience_that_is_given_stays():
    setup = set_up([*FEW, "--load_best_model_at_end", "True", "--early_stopping_patience", "1"])
    assert (setup.args.num_train_epochs, setup.arguments.run.early_stopping_patience) == (9, 1)
