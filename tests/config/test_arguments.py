import json

import pytest
from hf_rumor.config.arguments import (
    RECIPES,
    TRAINING_DEFAULTS,
    RunArguments,
    make_training_arguments,
    parse_arguments,
    with_defaults_of_recipe,
)

from hf_rumor.errors import ArgumentError


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_without_flags_the_defaults_hold_and_nothing_was_given():
    arguments = parse_arguments([])
    assert arguments.run == RunArguments()
    assert arguments.training == {name: default for name, (default, _) in TRAINING_DEFAULTS.items()}
    assert arguments.given == {}


def test_a_recipe_is_the_flags_it_stands_for(tmp_path):
    recipe = write(
        tmp_path / "r.yaml", "learning_rate: 2e-5\nsplit: random\ngradient_accumulation_steps: 4\nbf16: true\n"
    )
    flags = ["--learning_rate", "2e-5", "--split", "random", "--gradient_accumulation_steps", "4", "--bf16", "true"]
    assert parse_arguments([recipe]) == parse_arguments(flags)
    assert parse_arguments([recipe]).training["learning_rate"] == 2e-5  # which YAML reads as text


def test_json_recipes_and_nested_values_are_read(tmp_path):
    recipe = {"loss_kwargs": {"gamma": 3}, "report_to": ["none"], "lr_scheduler_kwargs": {"num_cycles": 2}}
    arguments = parse_arguments([write(tmp_path / "r.json", json.dumps(recipe))])
    assert arguments.run.parsed("loss_kwargs") == {"gamma": 3}
    assert arguments.training["report_to"] in ("none", ["none"])
    assert json.loads(arguments.training["lr_scheduler_kwargs"]) == {"num_cycles": 2}


def test_flags_win_over_the_recipe_wherever_they_agree_on_nothing(tmp_path):
    recipe = write(tmp_path / "r.yaml", "learning_rate: 1.0e-5\nseed: 7\n")
    training = parse_arguments([recipe, "--learning-rate", "3e-5"]).training
    assert (training["learning_rate"], training["seed"]) == (3e-5, 7)


@pytest.mark.parametrize("recipe", sorted(path.stem for path in RECIPES.glob("*.yaml")))
def test_every_recipe_that_ships_can_be_named_and_differs_from_the_defaults(recipe):
    arguments = parse_arguments([recipe])
    assert arguments.given
    same = [name for name, value in arguments.given.items() if TRAINING_DEFAULTS.get(name, (None,))[0] == value]
    assert same == []


def test_a_recipe_completes_what_was_not_given():
    arguments = with_defaults_of_recipe(parse_arguments(["--learning_rate", "1e-3"]), "mini")
    assert arguments.training["learning_rate"] == 1e-3
    assert arguments.run.pooling == "mean"


def test_the_recipe_of_a_run_repeats_it(tmp_path):
    flags = [
        "--output_dir",
        "here",
        "--split",
        "every_8th",
        "--seed",
        "3",
        "--loss_kwargs",
        '{"label_smoothing": 0.1}',
    ]
    recipe = parse_arguments(flags).recipe(model_name_or_path="mini")
    assert "output_dir" not in recipe
    again = parse_arguments([write(tmp_path / "r.json", json.dumps(recipe)), "--output_dir", "there"])
    assert again.recipe() == recipe


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--learning_rat", "1"], "did you mean --learning_rate?"),
        (["--no-such-flag"], "expected flags, found --no-such-flag"),
        (["--learning_rate", "fast"], "invalid float value: 'fast'"),
        (["--lr_scheduler_type", "wavy"], "wavy"),
        (["--split", "lucky"], "invalid choice: 'lucky'"),
        (["nowhere.yaml"], "or one of bert_base_chinese"),
        (["mini", "stray"], "found stray"),
        (["--max_length", "2"], "expected at least 3"),
        (["--split_seed", "-1"], "expected at least 0"),
        (["--per_device_train_batch_size", "0"], "expected at least 1"),
        (["--push_to_hub"], "expected --license"),
        (["nowhere/mini.yaml"], "found none"),
        (["--early_stopping_patience", "-1"], "expected at least 0"),
        (["--streaming", "--dataloader_num_workers", "2"], "--streaming: expected --dataloader_num_workers 0, got 2"),
        (
            ["--streaming", "--train_sampling_strategy", "sequential"],
            "--streaming: expected --train_sampling_strategy group_by_length or random, got sequential",
        ),
        (["--layer_lr_decay", "0"], "expected a share in (0, 1]"),
        (["--loss_kwargs", "gamma=2"], "expected a JSON object"),
        (["--loss_kwargs", "[1]"], "expected a JSON object"),
        (["--config_overrides", "dropout=0"], "--config_overrides: expected a JSON object"),
        (["--label_smoothing_factor", "0.1"], "--loss_kwargs"),
        (["--hub_token", "secret"], "HF_TOKEN"),
        (["--eval_do_concat_batches", "False"], "the metrics need all validation posts"),
        (["mini", "--early_stopping_patience", "1"], "expected --load_best_model_at_end True, found False"),
    ],
)
def test_a_mistake_on_the_command_line_is_told(words, said):
    with pytest.raises(ArgumentError) as caught:
        parse_arguments(words)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("learning_rat: 1.0e-5", "found learning_rat (did you mean --learning_rate?)"),
        ("learning_rate: fast", "invalid float value: 'fast'"),
        ("learning_rate:", "learning_rate: expected a value, found none"),
        ("- learning_rate", "found list"),
        ("", "found NoneType"),
        ("a: [", "expected YAML or JSON"),
        ("split: lucky", "invalid choice: 'lucky'"),
    ],
)
def test_a_mistake_in_a_recipe_is_told_with_the_file(tmp_path, text, said):
    path = write(tmp_path / "r.yaml", text)
    with pytest.raises(ArgumentError) as caught:
        parse_arguments([path])
    assert said in str(caught.value)
    assert str(caught.value).startswith(path)


def make(words, tmp_path, **settings):
    arguments = parse_arguments([*words, "--output_dir", str(tmp_path / "out"), "--use_cpu"])
    return make_training_arguments(arguments.training, **{"precision": "fp32", "device": "cpu", **settings})


def test_training_arguments_hold_what_was_told_and_decided(tmp_path, monkeypatch):
    monkeypatch.delenv("TENSORBOARD_LOGGING_DIR", raising=False)
    args = make(["--learning_rate", "1e-3", "--report_to", "none"], tmp_path, precision="bf16")
    assert (args.learning_rate, args.bf16, args.fp16, args.use_cpu, args.report_to) == (1e-3, True, False, True, [])
    assert args.metric_for_best_model == "macro_f1"
    assert not (tmp_path / "out").exists()


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
def test_flags_that_do_not_go_together_are_told(tmp_path, words):
    with pytest.raises(ArgumentError):
        make(words, tmp_path)


@pytest.mark.parametrize(
    ("metric", "better"), [("macro_f1", True), ("eval_accuracy", True), ("loss", False), ("ece", False)]
)
def test_the_best_checkpoint_is_best_in_the_right_direction(tmp_path, metric, better):
    assert make(["--metric_for_best_model", metric], tmp_path).greater_is_better is better


def test_a_plateau_is_looked_for_in_the_right_direction(tmp_path):
    assert make(["--lr_scheduler_type", "reduce_lr_on_plateau"], tmp_path).lr_scheduler_kwargs == {"mode": "max"}


def test_of_several_gpus_one_process_takes_one(tmp_path, monkeypatch, caplog):
    from transformers import TrainingArguments

    monkeypatch.setattr(TrainingArguments, "_setup_devices", property(lambda self: setattr(self, "_n_gpu", 2)))
    with caplog.at_level("INFO", logger="hf_rumor"):
        args = make([], tmp_path)
    assert args._n_gpu == 1
    assert "accelerate launch uses them all" in caplog.text


def test_tensorboard_is_used_where_it_is_installed(tmp_path, monkeypatch):
    from hf_rumor.config import arguments

    monkeypatch.setattr(arguments.importlib.util, "find_spec", lambda name: None)
    assert arguments._trackers() == []
    monkeypatch.setattr(arguments.importlib.util, "find_spec", lambda name: name)
    assert arguments._trackers() == ["tensorboard"]
