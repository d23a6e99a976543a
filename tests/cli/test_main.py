import contextlib
import json
import logging
import os
import subprocess
import sys

import pytest

from hf_rumor.cli import main as cli
from hf_rumor.cli.arguments import open_posts
from hf_rumor.corpus.columns import Columns
from hf_rumor.corpus.rows import read_items


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


def test_help_of_train_lists_flags_defaults_and_recipes(capsys):
    assert cli.main(["train", "--help"]) == 0
    printed = capsys.readouterr().out
    words = ("--data_path", "--loss", "[grouped]", "--learning_rate", "mini", "--help_all")
    assert all(word in printed for word in words)
    assert cli.main(["train", "--help_all"]) == 0
    assert "--gradient_accumulation_steps" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nonsense"], "nonsense: not a command. See hf-rumor --help."),
        (["audit", "--no_such_flag"], "--no_such_flag"),
        (["audit", "--data_path", "nowhere.zip"], "nowhere.zip"),
        (["audit", "--data_path="], "--data_path: the value is empty"),
        (["audit", "--text_column=a=", "--data_path", "POSTS"], "a="),  # a value that ends like a flag without one
        (["describe", "/no/such/folder"], "/no/such/folder"),
        (["data"], "COMMAND: missing. See hf-rumor data --help."),
        (["predct"], "predct: not a command (did you mean predict?)"),
        (
            ["predict", "out", "a.csv", "--out"],
            "--out: not a flag (did you mean --output?). See hf-rumor predict --help",
        ),
        (["predict", "out", "--batch_size", "0"], "--batch_size: expected a whole number of at least 1, got '0'. See"),
        (["describe", "out", "extra"], "extra: unexpected argument"),
        (["audit", "posts.csv"], "posts.csv: unexpected argument; a corpus is passed as --data_path posts.csv"),
        (["train", "--no_such_flag"], "--no_such_flag"),
        (["train", "--loss", "nonsense"], "--loss nonsense"),
        (["train", "nowhere.yaml"], "nowhere.yaml"),
        (["train", "--data_path", "nowhere"], "nowhere"),
        (["train", "--fp16", "--use_cpu", "--data_path", "POSTS", "--model_name_or_path", "mini"], "fp16"),
        (["train", "--seed", "4294967296"], "--seed"),
        (["train", "--dataloader_num_workers", "-1"], "--dataloader_num_workers"),
        (["train", "--num_train_epochs", "nan"], "--num_train_epochs"),
        (["train", "--precision", "fp32", "--bf16", "--data_path", "POSTS", "--model_name_or_path", "mini"], "bf16"),
        (["predict", "out", "posts.csv", "--output="], "--output: the value is empty"),
        (
            ["predict", "out", "posts.csv"],
            "posts.csv: no such file. Check the path; to classify a text, pass it on stdin",
        ),
        (["predict", "out", "听说停水", "--resume", "--output", "x"], "--resume: INPUT must be a file"),
        (["explain", "out", "微博.csv"], "微博.csv: no such file"),
        (["serve", "out", "--threshold", "1"], "--threshold: expected a number between 0 and 1, got '1'"),
        (["decide", "out", "--decision", "f1"], "--decision f1: not a threshold or a rule"),
        (["explain", "out", "停水", "--faithfulness", "5"], "--faithfulness"),
        (["serve", "out", "--host", ""], "--host: the value is empty"),
    ],
    ids=str,
)
def test_a_mistake_is_one_line_on_stderr_and_status_2(words, message, capsys, posts):
    assert cli.main([posts if word == "POSTS" else word for word in words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()[-1].startswith("hf-rumor: error: ")
    assert message in printed.err.splitlines()[-1]
    assert "Traceback" not in printed.err


def test_an_interruption_is_status_130(monkeypatch, capsys):
    def interrupted(words):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.train, "run", interrupted)
    assert cli.main(["train"]) == 130
    assert "rerun the same command to resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["predict", "model", "posts.jsonl", "--output", "out.jsonl"], "; rerun it with --resume"),
        (["predict", "model", "posts.jsonl"], ""),
        (["predict", "model", "--output", "out.jsonl"], ""),
        (["benchmark"], "; rerun the same command to resume"),
        (["audit"], ""),
    ],
)
def test_an_interrupted_command_prints_how_to_resume(monkeypatch, capsys, tmp_path, words, hint):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    (tmp_path / "posts.jsonl").touch()
    monkeypatch.setattr(getattr(cli, words[0]), "run", interrupted)
    assert cli.main(words) == 130
    assert capsys.readouterr().err == f"hf-rumor: interrupted{hint}\n"


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


def test_only_the_first_process_logs(monkeypatch):
    for name in ("WORLD_SIZE", "MASTER_ADDR"):
        monkeypatch.setenv(name, "2")
    for rank, logs in (("1", False), ("0", True)):
        monkeypatch.setenv("RANK", rank)
        cli._set_up_logging()
        assert logging.getLogger("hf_rumor").isEnabledFor(logging.INFO) == logs


def test_an_error_of_another_process_names_its_rank(monkeypatch, capsys):
    for name, value in {"RANK": "3", "WORLD_SIZE": "4", "MASTER_ADDR": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(cli, "LAUNCHER_SECONDS", 0)
    assert cli.main(["audit", "--data_path", "nowhere.zip"]) == 2
    assert capsys.readouterr().err.startswith("hf-rumor: error: process 3: --data_path nowhere.zip")


def test_without_a_verb_the_verbs_are_listed(capsys):
    assert cli.main([]) == 0
    assert "train" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [[verb.__name__.rpartition(".")[2]] for verb in cli.VERBS] + [["data", "export"], ["data", "push"]],
    ids=str,
)
def test_the_help_of_a_verb_has_its_summary_and_an_example(words, capsys):
    with contextlib.suppress(SystemExit):
        cli.main([*words, "--help"])
    printed = capsys.readouterr().out
    summary = next(line for line in printed.split("\n\n")[1].splitlines() if line)
    assert summary[0].isupper()
    assert summary.endswith(".")
    assert words == ["data"] or f"Example:\n  hf-rumor {' '.join(words)} " in printed


@pytest.mark.parametrize(
    "text",
    ["听说停水，速转！", "~雪", "breaking news", "两行\n一条", "长" * 300],
    ids=["plain", "home", "ascii", "lines", "long"],
)
def test_an_argument_that_is_no_file_is_a_text(text):
    with open_posts(text) as source:
        assert [item.post.text for item in read_items(source, Columns())] == [text]


def test_an_argument_that_names_a_file_is_that_file(posts):
    with open_posts(posts) as source:
        assert len(list(read_items(source, Columns()))) == 60


@pytest.mark.parametrize(("is_terminal", "printed"), [(True, b"\\u542c"), (False, "听".encode())])
def test_a_character_that_a_stream_cannot_encode_is_no_error(is_terminal, printed):
    code = (
        "import sys; from hf_rumor.cli.main import main; sys.stderr.isatty = lambda: bool(int(sys.argv[1])); "
        "main(['audit', '--data_path', '听'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(int(is_terminal))],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        check=False,
    )
    assert printed in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "printed"),
    [(["-m", "hf_rumor", "--version"], "hf_rumor "), (["run_rumor.py", "--help"], "usage: hf-rumor train")],
)
def test_the_module_is_the_command_and_the_script_its_verb_train(words, printed, request):
    words = [sys.executable, *words]
    done = subprocess.run(words, cwd=request.config.rootpath, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(printed)


def test_a_folder_without_a_model_is_not_pushed_and_gets_no_card(tmp_path, capsys):
    (tmp_path / "report.json").write_text("{}", encoding="utf-8")
    assert cli.main(["push", str(tmp_path), "user/model", "--license", "mit", "--dry_run"]) == 2
    assert "not a folder with a model" in capsys.readouterr().err
    assert not (tmp_path / "README.md").exists()
