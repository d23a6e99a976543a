import json
import logging
import os
import subprocess
import sys

import pytest

from hf_rumor.cli import main as cli


@pytest.fixture
def posts(tmp_path):
    path = tmp_path / "posts.jsonl"
    rows = [
        {"id": str(n), "text": f"第{n}条 {'听说停水' if n % 2 else '今天晴'} {n * 7919}", "label": n % 2}
        for n in range(60)
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_help_lists_the_verbs(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--help"])
    assert caught.value.code == 0
    printed = capsys.readouterr().out
    assert all(verb in printed for verb in ("train", "audit", "data", "describe"))


def test_help_of_train_tells_flags_defaults_and_recipes(capsys):
    assert cli.main(["train", "--help"]) == 0
    printed = capsys.readouterr().out
    assert all(
        word in printed for word in ("--data_path", "--loss", "[grouped]", "--learning_rate", "mini", "--help_all")
    )
    assert cli.main(["train", "--help_all"]) == 0
    assert "--gradient_accumulation_steps" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        [],
        ["audit", "--no_such_flag"],
        ["audit", "--data_path", "nowhere.zip"],
        ["describe", "/no/such/folder"],
        ["data"],
        ["train", "--no_such_flag"],
        ["train", "--loss", "nonsense"],
        ["train", "nowhere.yaml"],
        ["train", "--data_path", "nowhere"],
        ["train", "--fp16", "--use_cpu", "--data_path", "SAMPLE", "--model_name_or_path", "mini"],
        ["audit", "--data_path="],
        ["predict", "out", "posts.csv", "--output="],
        ["serve", "out", "--host", ""],
        ["train", "--seed", "4294967296"],
        ["train", "--dataloader_num_workers", "-1"],
        ["train", "--num_train_epochs", "nan"],
        ["explain", "out", "停水", "--faithfulness", "5"],
        ["train", "--precision", "fp32", "--bf16", "--data_path", "SAMPLE", "--model_name_or_path", "mini"],
    ],
    ids=" ".join,
)
def test_a_mistake_is_one_line_on_stderr_and_status_2(words, capsys, posts):
    status = cli.main([posts if word == "SAMPLE" else word for word in words])
    printed = capsys.readouterr()
    assert status == 2
    assert printed.out == ""
    assert printed.err.splitlines()[-1].startswith("hf-rumor: error: ")
    assert "Traceback" not in printed.err


def test_an_interruption_is_status_130(monkeypatch, capsys):
    def interrupted(words):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_train", interrupted)
    assert cli.main(["train"]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["posts.jsonl", "--output", "out.jsonl"], "interrupted; it goes on with --resume"),
        (["posts.jsonl"], "interrupted"),
        (["--output", "out.jsonl"], "interrupted"),
    ],
)
def test_only_a_job_from_a_file_into_a_file_goes_on(monkeypatch, capsys, words, told):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setitem(cli.VERBS, "predict", interrupted)
    assert cli.main(["predict", "model", *words]) == 130
    assert capsys.readouterr().err == f"hf-rumor: {told}\n"


@pytest.mark.parametrize(("verb", "goes_on"), [("audit", False), ("benchmark", True)])
def test_a_verb_that_starts_over_does_not_say_that_it_goes_on(monkeypatch, capsys, verb, goes_on):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setitem(cli.VERBS, verb, interrupted)
    assert cli.main([verb]) == 130
    assert ("it goes on" in capsys.readouterr().err) == goes_on


def test_audit_prints_text_or_json(posts, capsys):
    assert cli.main(["audit", "--data_path", posts]) == 0
    assert "30 rumor, 30 non-rumor" in capsys.readouterr().out
    assert cli.main(["audit", "--data_path", posts, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["posts"] == {"non-rumor": 30, "rumor": 30}


def test_export_writes_four_files_and_names_them(posts, tmp_path, capsys):
    assert cli.main(["data", "export", "--data_path", posts, "--output_dir", str(tmp_path / "lists")]) == 0
    names = [os.path.basename(line) for line in capsys.readouterr().out.splitlines()]
    assert names == ["all_data.txt", "dict.txt", "train_list.txt", "eval_list.txt"]
    assert sorted(os.listdir(tmp_path / "lists")) == sorted(names)


def test_only_the_first_process_tells_what_it_does(monkeypatch):
    monkeypatch.setenv("RANK", "1")
    cli._be_quiet()
    assert not logging.getLogger("hf_rumor").isEnabledFor(logging.INFO)
    monkeypatch.setenv("RANK", "0")
    cli._be_quiet()
    assert logging.getLogger("hf_rumor").isEnabledFor(logging.INFO)


@pytest.mark.parametrize("command", [["-m", "hf_rumor"], ["run_rumor.py"]])
def test_both_doors_lead_to_the_same_house(command, request):
    words = ["--version"] if command == ["-m", "hf_rumor"] else ["--help"]
    done = subprocess.run(
        [sys.executable, *command, *words], cwd=request.config.rootpath, capture_output=True, text=True, check=True
    )
    assert "hf_rumor" in done.stdout or "hf-rumor train" in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["audit", "--data_path="], "--data_path: expected a value, found an empty one"),
        (["serve", "out", "--host", ""], "--host: expected a value, found an empty one"),
        (["audit", "--text_column=a="], "a="),  # a value that ends like a flag without one
    ],
)
def test_an_empty_value_is_told_with_its_flag(words, told, capsys, posts):
    assert cli.main([*words, "--data_path", posts] if "a=" in words[-1] else words) == 2
    assert told in capsys.readouterr().err


def test_a_folder_without_a_model_is_not_pushed_and_gets_no_card(tmp_path, capsys):
    (tmp_path / "report.json").write_text("{}", encoding="utf-8")
    assert cli.main(["push", str(tmp_path), "user/model", "--license", "mit", "--dry_run"]) == 2
    assert "found no model in it" in capsys.readouterr().err
    assert not (tmp_path / "README.md").exists()
