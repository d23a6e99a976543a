"""Every flag that is left open is decided once."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from datasets import Dataset
from transformers import TrainingArguments

from hf_rumor.config.parse import parse_arguments
from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.corpus.parts import split_corpus
from hf_rumor.errors import ArgumentError, CorpusError
from hf_rumor.runs import resolve as module
from hf_rumor.runs.resolve import choose_epochs, resolve, steps_per_epoch


SAMPLE = Path(__file__).parents[2] / "data" / "sample"
FLAGS = ["mini", "--data_path", str(SAMPLE), "--use_cpu", "--report_to", "none"]  # 259 training posts, batches of 16


def decide(*flags, data=None):
    return resolve(parse_arguments([*FLAGS, *flags]), data)


@pytest.fixture
def posts(tmp_path, make_posts):
    """Return a corpus in memory: 60 synthetic posts."""
    return Dataset.from_list([{"text": post.text, "label": int(post.is_rumor)} for post in make_posts(60)])


def test_small_corpora_train_for_more_epochs_and_the_recipe_repeats_it(tmp_path, caplog):
    caplog.set_level("INFO", logger="hf_rumor")
    run = decide("--load_best_model_at_end", "True")
    chosen = {"num_train_epochs": 9, "early_stopping_patience": 4}
    assert run.args.num_train_epochs == 9
    assert run.flags.early_stopping_patience == 4
    assert (
        "batch: 16 posts per step (16 per device x 1 process(es) x 1 accumulated); 17 steps per epoch" in caplog.text
    )
    assert "epochs: 9 instead of 4" in caplog.text
    assert chosen.items() <= run.recipe.items()
    assert {*run.auto} == {"precision", *chosen}  # data and model are given
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(run.recipe))
    again = resolve(parse_arguments([str(recipe), "--use_cpu"]))
    assert again.recipe == run.recipe
    assert again.auto == {}


def test_training_arguments_have_their_final_values_when_they_are_built(monkeypatch):
    built = []
    make = module.make_training_arguments

    def record(values, **settings):
        args = make(values, **settings)
        built.append((args, dict(vars(args))))
        return args

    monkeypatch.setattr(module, "make_training_arguments", record)
    run = decide()
    args, values = built[-1]
    assert run.args is args
    assert {name: getattr(args, name) for name in values} == values
    assert args.num_train_epochs == 9


def test_wrong_training_arguments_are_refused_before_the_corpus_is_read(monkeypatch):
    monkeypatch.setattr(module, "load_corpus", lambda *args, **kwargs: pytest.fail("read"))
    with pytest.raises(ArgumentError, match="TrainingArguments"):
        decide("--tf32", "True")


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
def test_epochs_that_are_given_or_enough_are_kept(flags, epochs):
    run = decide(*flags)
    assert run.args.num_train_epochs == epochs
    assert ("num_train_epochs" in run.auto) == (epochs >= 9)


def test_a_patience_that_is_given_is_kept():
    run = decide("--load_best_model_at_end", "True", "--early_stopping_patience", "1")
    assert (run.args.num_train_epochs, run.flags.early_stopping_patience) == (9, 1)


def test_the_identity_of_a_run_depends_neither_on_the_path_of_its_corpus_nor_on_the_processes(tmp_path, monkeypatch):
    (tmp_path / "moved").symlink_to(SAMPLE)
    run = decide()
    assert run.identity == decide("--data_path", str(tmp_path / "moved")).identity
    assert run.identity != decide("--num_train_epochs", "17").identity
    assert run.identity != decide("--learning_rate", "1e-5").identity
    monkeypatch.setattr(TrainingArguments, "world_size", 2)
    other = decide()
    assert other.identity == run.identity
    assert (run.recipe["num_train_epochs"], other.recipe["num_train_epochs"]) == (9, 17)


ARGS = {"max_steps": -1, "num_train_epochs": 4.0, "gradient_accumulation_steps": 1, "train_batch_size": 16}
ARGS |= {"dataloader_drop_last": False, "load_best_model_at_end": False, "world_size": 1}


@pytest.mark.parametrize(("num_processes", "epochs"), [(1, 9), (2, 17), (4, 20), (260, 20)])
def test_epochs_give_150_steps_of_all_processes_together(num_processes, epochs):
    args = SimpleNamespace(**ARGS | {"world_size": num_processes})
    assert choose_epochs(parse_arguments(["mini"]), args, 259) == {"num_train_epochs": epochs}


@pytest.mark.parametrize(("num_posts", "usual"), [(16 * 38, 4), (16 * 488, 4), (1, 30)])
def test_enough_steps_or_more_epochs_by_default_are_kept(num_posts, usual):
    assert (
        choose_epochs(parse_arguments(["mini"]), SimpleNamespace(**ARGS | {"num_train_epochs": usual}), num_posts)
        == {}
    )


@pytest.mark.parametrize("num_posts", [1, 15, 16, 17, 33, 64])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("accumulation", [1, 3])
def test_the_steps_of_an_epoch_are_those_of_trainer(make_trainer, tiny_posts, num_posts, drop_last, accumulation):
    posts = tiny_posts.select([row % 10 for row in range(num_posts)])
    settings = {"per_device_train_batch_size": 16, "gradient_accumulation_steps": accumulation, "num_train_epochs": 1}
    trainer = make_trainer(training=posts, dataloader_drop_last=drop_last, **settings)
    steps = steps_per_epoch(num_posts, trainer.args)
    assert steps == -(-len(trainer.get_train_dataloader()) // accumulation)
    if not steps:
        with pytest.raises(ArgumentError, match="do not fill a batch"):
            choose_epochs(parse_arguments([]), trainer.args, num_posts)


def test_a_run_without_a_step_is_refused():
    with pytest.raises(ArgumentError, match="training posts do not fill a batch"):
        decide("--dataloader_drop_last", "--per_device_train_batch_size", "360")
    with pytest.raises(ArgumentError, match="--num_train_epochs 0: no training step would run"):
        decide("--num_train_epochs", "0")


def test_the_bundled_model_brings_its_recipe_and_the_log_shows_it(caplog):
    caplog.set_level("INFO", logger="hf_rumor")
    run = resolve(parse_arguments([*FLAGS[1:], "--model_name_or_path", "mini", "--learning_rate", "1e-3"]))
    [line] = [line for line in caplog.messages if line.startswith("recipe: ")]
    assert "recipe: mini sets adversarial_radius, config_overrides," in line
    assert "learning_rate" not in line
    assert (run.flags.pooling, run.args.learning_rate) == ("mean", 1e-3)


def test_a_recipe_that_is_tuned_for_another_model_is_logged(caplog, tiny_encoder):
    caplog.set_level("INFO", logger="hf_rumor")
    decide("--model_name_or_path", str(tiny_encoder), "--max_length", "64")
    assert f"recipe: tuned for mini, but the model is {tiny_encoder}" in caplog.messages
    caplog.clear()
    decide()
    assert not any(line.startswith("recipe: ") for line in caplog.messages)


@pytest.mark.parametrize("flag", ["--torch_compile", "--torch_compile_mode=default"])
def test_adversarial_training_cannot_be_compiled(flag):
    with pytest.raises(ArgumentError, match=r"--adversarial_radius 0\.3\) cannot be compiled"):
        decide(flag)


def test_a_corpus_in_memory_has_no_path_in_the_recipe(posts, caplog):
    caplog.set_level("INFO", logger="hf_rumor")
    run = decide(data=posts)  # whatever --data_path is
    assert "data_path" not in run.recipe | run.auto
    assert len(run.data.corpus.posts) == 60
    assert "corpus: in-memory, 60 posts, 30 rumors" in caplog.messages
    assert decide(data=load_corpus(posts)).identity == run.identity


def test_a_loaded_corpus_keeps_its_path_in_the_recipe():
    run = decide(data=load_corpus(SAMPLE))
    assert (run.recipe["data_path"], run.auto.keys() & {"data_path"}) == (str(SAMPLE), set())


def test_a_split_corpus_is_used_as_it_is_split(posts):
    corpus = split_corpus(load_corpus(posts), "random", seed=3, folds=4, fold=1)
    run = decide(data=corpus)
    assert run.data is corpus
    assert {"split": "random", "split_seed": 3, "folds": 4, "fold": 1}.items() <= run.recipe.items()
    with pytest.raises(ArgumentError, match="split_seed: the corpus is already split"):
        decide("--split_seed", "3", data=corpus)


def test_a_missing_corpus_is_an_error(tmp_path):
    with pytest.raises(CorpusError, match="nowhere"):
        resolve(parse_arguments(["mini", "--use_cpu", "--data_path", str(tmp_path / "nowhere")]))


TWO = """
import logging, sys
logging.basicConfig(level=logging.INFO, format="%(message)s")
from hf_rumor.config.parse import parse_arguments
from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.corpus.parts import split_corpus
from hf_rumor.runs.resolve import resolve
run = resolve(parse_arguments(sys.argv[1:]))
assert run.args.world_size == 2
print(run.args.num_train_epochs, run.environment.num_processes)
"""


@pytest.mark.slow
def test_two_processes_read_the_corpus_at_the_same_time_and_decide_the_same(tmp_path):
    script = tmp_path / "two.py"
    script.write_text(TWO)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", str(script)]
    done = subprocess.run([*command, *FLAGS], env=os.environ, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["17", "2"] * 2
