import enum
import json

import pytest

from hf_rumor.config.flags import TRAINING_DEFAULTS, RunArguments
from hf_rumor.config.parse import bundled_recipes, parse_arguments, recipe_flags, words_of
from hf_rumor.corpus.splits import SPLITS
from hf_rumor.errors import ArgumentError


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_without_flags_all_values_are_defaults():
    arguments = parse_arguments([])
    assert arguments.run == RunArguments()
    assert arguments.training == {name: default for name, (default, _) in TRAINING_DEFAULTS.items()}
    assert arguments.given == {}


def test_a_recipe_equals_its_flags(tmp_path):
    text = "learning_rate: 2e-5\nsplit: random\ngradient_accumulation_steps: 4\nbf16: true\n"
    recipe = write(tmp_path / "r.yaml", text)
    flags = ["--learning_rate", "2e-5", "--split", "random", "--gradient_accumulation_steps", "4", "--bf16", "true"]
    assert parse_arguments([recipe]) == parse_arguments(flags)
    assert parse_arguments([recipe]).training["learning_rate"] == 2e-5  # which YAML reads as text


class Strategy(enum.Enum):
    EPOCH = "epoch"


def test_keywords_equal_their_flags():
    keywords = {
        "learning_rate": 2e-5,
        "loss_kwargs": {"gamma": 3},
        "bf16": True,
        "eval_strategy": Strategy.EPOCH,
        "include_num_input_tokens_seen": "no",
        "report_to": ["none"],
        "text_column": None,  # not given
        "run_name": "-x",
    }
    flags = ["--learning_rate", "2e-5", "--loss_kwargs", '{"gamma": 3}', "--bf16", "--eval_strategy", "epoch"]
    flags += ["--include_num_input_tokens_seen", "no", "--report_to", "none", "--run_name=-x"]
    assert parse_arguments(words_of(keywords)) == parse_arguments(flags)


def test_json_recipes_and_nested_values_are_read(tmp_path):
    recipe = {"loss_kwargs": {"gamma": 3}, "report_to": ["none"], "lr_scheduler_kwargs": {"num_cycles": 2}}
    arguments = parse_arguments([write(tmp_path / "r.json", json.dumps(recipe))])
    assert arguments.run.parsed("loss_kwargs") == {"gamma": 3}
    assert arguments.training["report_to"] in ("none", ["none"])
    assert json.loads(arguments.training["lr_scheduler_kwargs"]) == {"num_cycles": 2}


def test_flags_override_the_recipe(tmp_path):
    recipe = write(tmp_path / "r.yaml", "learning_rate: 1.0e-5\nseed: 7\nmodel_name_or_path: mini\n")
    arguments = parse_arguments([recipe, "--learning-rate", "3e-5", "--model_name_or_path", "other"])
    assert (arguments.training["learning_rate"], arguments.training["seed"]) == (3e-5, 7)
    assert (arguments.recipe_model, arguments.run.model_name_or_path) == ("mini", "other")


def test_a_recipe_key_without_a_value_must_be_named_on_the_command_line(tmp_path):
    recipe = write(tmp_path / "r.yaml", "learning_rate:\nseed: 7\n")
    assert parse_arguments([recipe, "--learning_rate", "3e-5"]).given == {"seed": 7, "learning_rate": 3e-5}
    with pytest.raises(ArgumentError, match=r"learning_rate has no value\. Add --learning_rate VALUE"):
        parse_arguments([recipe])


@pytest.mark.parametrize("recipe", bundled_recipes().split(", "))
def test_every_bundled_recipe_names_its_model_or_requires_one_and_repeats_no_default(recipe):
    flags = recipe_flags(recipe)
    if "model_name_or_path" not in flags:
        with pytest.raises(ArgumentError, match="model_name_or_path has no value"):
            parse_arguments([recipe])
    assert parse_arguments([recipe, "--model_name_or_path", "some/model"]).recipe_model != "some/model"
    assert [name for name, value in flags.items() if TRAINING_DEFAULTS.get(name, (None,))[0] == value] == []


def test_resolved_flags_override_those_given():
    resolved = parse_arguments(["--learning_rate", "1e-3", "--seed", "7"]).resolved(recipe_flags("mini"))
    assert (resolved.training["learning_rate"], resolved.run.pooling) == (3e-4, "mean")
    assert resolved.training["seed"] == 7


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
    recipe = parse_arguments(flags).resolved({"model_name_or_path": "mini"}).recipe()
    assert "output_dir" not in recipe
    again = parse_arguments([write(tmp_path / "r.json", json.dumps(recipe)), "--output_dir", "there"])
    assert again.recipe() == recipe


def test_the_home_folder_is_expanded_in_paths(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", "/home/someone")
    recipe = write(tmp_path / "r.yaml", "output_dir: ~/out\ndata_path: ~/posts.csv\nmodel_name_or_path: ~/model\n")
    arguments = parse_arguments([recipe, "--resume_from_checkpoint", "~/out/checkpoint-3"])
    assert arguments.training["output_dir"] == "/home/someone/out"
    assert arguments.training["resume_from_checkpoint"] == "/home/someone/out/checkpoint-3"
    assert arguments.run.data_path == ["/home/someone/posts.csv"]
    assert arguments.recipe()["data_path"] == "/home/someone/posts.csv"
    assert arguments.run.model_name_or_path == "/home/someone/model"


def test_splits_have_one_list():
    for name in SPLITS:
        assert parse_arguments(["--split", name]).run.split == name
    assert parse_arguments(["--split", "leave_out:weibo17"]).run.split == "leave_out:weibo17"
    assert RunArguments.split in SPLITS


def test_several_corpora_are_a_list_in_the_recipe(tmp_path):
    arguments = parse_arguments(["--data_path", "a.csv", "b c.csv"])
    assert arguments.run.data_path == arguments.recipe()["data_path"] == ["a.csv", "b c.csv"]
    recipe = write(tmp_path / "r.yaml", "data_path: [a.csv, b c.csv]")
    assert parse_arguments([recipe]).run.data_path == ["a.csv", "b c.csv"]
    assert parse_arguments([recipe, "--data_path", "d.csv"]).run.data_path == ["d.csv"]
    assert parse_arguments([]).run.data_path == ["auto"]


@pytest.mark.parametrize(
    ("flag", "ours"),
    [
        ("--lr", "learning_rate"),
        ("--epochs", "num_train_epochs"),
        ("--batch_size", "per_device_train_batch_size"),
        ("--batch-size=8", "per_device_train_batch_size"),
        ("--max_seq_length", "max_length"),
        ("--train_file", "data_path"),
        ("--dataset_name", "data_path"),
        ("--torch_dtype", "precision"),
        ("--validation_file", "split"),
        ("--learning_rat", "learning_rate"),
    ],
)
def test_a_flag_of_another_tool_suggests_ours(flag, ours):
    with pytest.raises(ArgumentError) as caught:
        parse_arguments([flag, "1"])
    assert f"did you mean --{ours}?" in str(caught.value)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--no-such-flag"], "--no-such-flag: not a flag"),
        (["--learning_rate", "fast"], "invalid float value: 'fast'"),
        (["--lr_scheduler_type", "wavy"], "wavy"),
        (["--split", "lucky"], "'lucky' is not one of grouped"),
        (["nowhere.yaml"], "one of bert_base_chinese"),
        (["mini", "stray"], "stray: unexpected argument; a recipe must come first"),
        (["--max_length", "2"], "--max_length 2: must be at least 3"),
        (["--split_seed", "-1"], "must be at least 0"),
        (["--data_seed", "4294967296"], "must be at most 4294967295"),
        (["--per_device_train_batch_size", "0"], "must be at least 1"),
        (["--adversarial_radius", "nan"], "must be at least 0"),
        (["--push_to_hub"], "--push_to_hub: needs --license"),
        (["--hub_model_id", "me/model"], "--hub_model_id: needs --push_to_hub"),
        (["nowhere/mini.yaml"], "nowhere/mini.yaml: no such file"),
        (["--streaming", "--dataloader_num_workers", "2"], "--streaming: needs --dataloader_num_workers 0, not 2"),
        (
            ["--streaming", "--train_sampling_strategy", "sequential"],
            "--streaming: needs --train_sampling_strategy group_by_length or random, not sequential",
        ),
        (["--streaming", "--accelerator_config", "{}"], "--streaming: needs --accelerator_config None"),
        (["--label_smoothing_factor", "0.1"], "--loss_kwargs"),
        (["--hub_token", "secret"], "HF_TOKEN"),
        (["--eval_do_concat_batches", "False"], "the metrics need all validation posts"),
        (["--bf16_full_eval"], "posts are always scored in float32"),
        (["--do_predict"], "a run always trains, validates and tests"),
        (["--fsdp", "full_shard"], "Choose FSDP 2 or plain multi-GPU"),
        (["--enable_jit_checkpoint"], "SIGTERM and Ctrl-C always save a checkpoint"),
        (["mini", "--early_stopping_patience", "1"], "needs --load_best_model_at_end True"),
    ],
)
def test_a_wrong_command_line_is_one_line(words, message):
    with pytest.raises(ArgumentError) as caught:
        parse_arguments(words)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("learning_rat: 1.0e-5", "learning_rat: not a flag (did you mean --learning_rate?)"),
        ("lr: 1.0e-5", "lr: not a flag (did you mean --learning_rate?)"),
        ("learning_rate: fast", "invalid float value: 'fast'"),
        ("- learning_rate", "not a recipe. Write lines"),
        ("", "not a recipe. Write lines"),
        ("a: [", "not valid YAML or JSON"),
        ("split: lucky", "'lucky' is not one of grouped"),
    ],
)
def test_a_wrong_recipe_is_one_line_with_its_path(tmp_path, text, message):
    path = write(tmp_path / "r.yaml", text)
    with pytest.raises(ArgumentError) as caught:
        parse_arguments([path])
    assert message in str(caught.value)
    assert str(caught.value).startswith(path)
