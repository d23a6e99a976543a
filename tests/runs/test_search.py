import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from hf_rumor.cli import main as cli
from hf_rumor.config.parse import parse_arguments
from hf_rumor.corpus.splits import PostsToSplit, split_posts
from hf_rumor.errors import ArgumentError
from hf_rumor.runs import search
from hf_rumor.runs.search import Search, check_space, to_text


SPACE = {"learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}, "per_device_train_batch_size": [4, 20]}


def write(path, posts):
    rows = ({"id": post.post_id, "text": post.text, "label": int(post.is_rumor)} for post in posts)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def posts(tmp_path, make_posts):
    """Return a corpus of 60 synthetic posts: 43 training, 5 validation posts."""
    path = tmp_path / "posts.jsonl"
    write(path, make_posts(60))
    return path


@pytest.fixture
def words(tmp_path, posts, tiny_encoder):
    """Return the words of a search that takes a second a trial."""
    flags = ["--data_path", str(posts), "--model_name_or_path", str(tiny_encoder), "--num_train_epochs", "1"]
    flags += ["--use_cpu", "--report_to", "none", "--metric_for_best_model", "log_loss"]
    return ["search", *flags, "--space", json.dumps(SPACE), "--output_dir", str(tmp_path / "search")]


def trials_in(folder):
    return json.loads((folder / "search.json").read_text(encoding="utf-8"))["trials"]


def test_a_search_resumes_and_its_recipe_can_be_trained(words, tmp_path, capsys, caplog):
    caplog.set_level("INFO", logger="hf_rumor")
    folder = tmp_path / "search"
    assert cli.main([*words, "--trials", "2"]) == 0
    first = trials_in(folder)
    assert cli.main([*words, "--trials", "4"]) == 0
    trials = trials_in(folder)
    assert trials[:2] == first
    assert [trial["number"] for trial in trials] == [0, 1, 2, 3]
    assert len({trial["learning_rate"] for trial in trials}) == 4
    assert cli.main([*words, "--trials", "3"]) == 0  # as many are done already
    assert trials_in(folder) == trials

    best = min((trial for trial in trials if trial["state"] == "complete"), key=lambda trial: trial["value"])
    recipe = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
    assert {flag: recipe[flag] for flag in SPACE} == {flag: best[flag] for flag in SPACE}
    assert not {"save_strategy", "load_best_model_at_end", "early_stopping_patience", "output_dir"} & recipe.keys()
    assert parse_arguments([str(folder / "recipe.yaml")]).training["learning_rate"] == best["learning_rate"]
    assert f"The best, trial {best['number']}, is in" in capsys.readouterr().out

    # The batch size of a trial is the one that trains: 46 posts are 12 batches of 4, or 3 of 20.
    steps = [int(line.split()[1]) for line in caplog.messages if line.startswith("steps: ")]
    assert steps == [{4: 12, 20: 3}[trial["per_device_train_batch_size"]] for trial in trials]


@pytest.mark.parametrize("flag", ["num_train_epochs", "max_steps", "learning_rate"])
def test_epochs_are_chosen_for_few_posts_unless_the_length_of_a_run_is_varied(words, tmp_path, caplog, flag):
    caplog.set_level("INFO", logger="hf_rumor")
    given = words.index("--num_train_epochs")
    del words[given : given + 2]
    words[words.index("--space") + 1] = json.dumps({flag: [1e-3 if flag == "learning_rate" else 2]})
    assert cli.main([*words, "--trials", "1"]) == 0
    recipe = yaml.safe_load((tmp_path / "search" / "recipe.yaml").read_text(encoding="utf-8"))
    expected = {"num_train_epochs": {"num_train_epochs": 2}, "max_steps": {"max_steps": 2}}
    lengths = {name: value for name, value in recipe.items() if name in ("num_train_epochs", "max_steps")}
    assert lengths == expected.get(flag, {"num_train_epochs": 20})
    assert ("instead of 4" in caplog.text) == (flag == "learning_rate")


def test_a_trial_that_diverges_is_pruned_and_the_others_continue(words, tmp_path, capsys):
    words[words.index("--space") + 1] = json.dumps({"learning_rate": [1e-3, 1e30]})
    words[words.index("--num_train_epochs") + 1] = "3"
    assert cli.main([*words, "--trials", "4"]) == 0
    states = {trial["learning_rate"]: trial["state"] for trial in trials_in(tmp_path / "search")}
    assert states == {1e-3: "complete", 1e30: "pruned"}
    assert "Traceback" not in capsys.readouterr().err


def test_a_search_without_a_completed_trial_is_an_error(words, capsys):
    words[words.index("--space") + 1] = json.dumps({"learning_rate": [1e29, 1e30]})
    words[words.index("--num_train_epochs") + 1] = "3"
    for _ in range(2):
        assert cli.main([*words, "--trials", "2"]) == 2
        assert "none of 2 trials completed" in capsys.readouterr().err.splitlines()[-1]


def test_a_choice_that_trainer_refuses_is_one_line(words, capsys):
    words[words.index("--space") + 1] = json.dumps({"optim": ["adamw_bnb_8bit"]})
    assert cli.main([*words, "--trials", "1"]) == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert "a trial cannot start (ImportError" in message
    assert message.endswith("Change --space and --output_dir.")


def test_a_search_uses_no_test_post(words, tmp_path, make_posts):
    posts = make_posts(60)
    groups = np.arange(60)  # none is a near-duplicate of another
    labels, times = [int(post.is_rumor) for post in posts], [None] * 60
    ids = [post.post_id for post in posts]
    columns = PostsToSplit(ids, ids, np.array(labels), times, groups, [None] * len(ids))
    split = split_posts("random", columns, seed=0)
    noise = [replace(post, text=f"噪声{n}") if n in split.test else post for n, post in enumerate(posts)]
    trials = []
    for name, corpus in (("as_it_is", posts), ("noise", noise)):
        write(path := tmp_path / f"{name}.jsonl", corpus)
        flags = ["--split", "random", "--data_path", str(path), "--output_dir", str(tmp_path / name)]
        assert cli.main([*words, "--trials", "2", *flags]) == 0
        trials.append(trials_in(tmp_path / name))
    assert trials[0] == trials[1]


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"leaning_rate": [1e-4]}, "did you mean --learning_rate?"),
        ({"learning_rate": []}, "Use a list of choices, or"),
        ({"learning_rate": {"low": 1e-4}}, "Use a list of choices, or"),
        ({"learning_rate": {"low": 1e-3, "high": 1e-4}}, "Use numbers with low < high"),
        ({"weight_decay": {"low": 0.0, "high": 0.1, "log": True}}, "low < high, above 0 for log"),
        ({"per_device_train_batch_size": [0]}, "--per_device_train_batch_size 0: must be at least 1"),
        ({"lr_scheduler_type": ["linear", "linar"]}, "linar"),
        ({"pooling": ["mean"]}, "pooling is not a flag of TrainingArguments"),
    ],
)
def test_a_wrong_space_is_refused_before_any_trial(space, message):
    with pytest.raises(ArgumentError) as caught:
        check_space(space, [], parse_arguments([]))
    assert message in str(caught.value)


@pytest.mark.parametrize("space", ["learning_rate", "[1]", "{}"])
def test_a_space_that_is_no_object_is_an_error(space, capsys):
    assert cli.main(["search", "--space", space]) == 2
    assert "expected" in capsys.readouterr().err


def test_a_folder_with_other_files_is_refused(words, tmp_path, capsys):
    (tmp_path / "search").mkdir()
    (tmp_path / "search" / "thesis.tex").touch()
    assert cli.main([*words, "--trials", "1"]) == 2
    assert "contains files that are not from a search" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "search").iterdir()] == ["thesis.tex"]


def test_another_search_is_not_mixed_with_the_one_in_the_folder(words, capsys):
    assert cli.main([*words, "--trials", "1"]) == 0
    assert cli.main([*words, "--trials", "2", "--space", '{"weight_decay": [0.0, 0.1]}']) == 2
    assert "contains a search with another space" in capsys.readouterr().err


def test_without_optuna_the_error_names_the_package(words, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert cli.main([*words, "--trials", "1"]) == 2
    assert "pip install optuna" in capsys.readouterr().err


def test_the_table_has_the_best_trial_first_and_marks_pruned_ones(tmp_path):
    rows = [
        {"number": 0, "state": "complete", "value": 0.5, "learning_rate": 1e-4, "num_train_epochs": 3},
        {"number": 1, "state": "pruned", "value": 0.4, "learning_rate": 2e-4, "num_train_epochs": 3},
        {"number": 2, "state": "complete", "value": 0.75, "learning_rate": 3e-4, "num_train_epochs": 4},
        {"number": 3, "state": "fail", "value": None, "learning_rate": 3e-4, "num_train_epochs": 4},
    ]
    lines = to_text(Search("macro_f1", rows, rows[2], tmp_path / "recipe.yaml")).splitlines()
    assert lines[2:5] == [
        "| 2 | 0.7500 | 0.0003 | 4 |",
        "| 0 | 0.5000 | 0.0001 | 3 |",
        "| 1 | 0.4000 (pruned) | 0.0002 | 3 |",
    ]
    assert {line.count("|") for line in lines[:5]} == {5}


def test_a_launcher_with_several_processes_is_refused(words, monkeypatch, capsys):
    monkeypatch.setattr(search, "resolve", lambda arguments: SimpleNamespace(args=SimpleNamespace(world_size=2)))
    assert cli.main([*words, "--trials", "1"]) == 2
    assert "runs in one process, not in 2" in capsys.readouterr().err
