import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hf_rumor.cli import main as cli
from hf_rumor.errors import RunError
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.report.record import to_json
from hf_rumor.runs import benchmark
from hf_rumor.runs.benchmark import run_benchmark
from hf_rumor.runs.cells import make_plan
from hf_rumor.util.files import content_digest


SAMPLE = Path(__file__).parents[2] / "data" / "sample"


@pytest.fixture
def corpus(tmp_path):
    """Return a corpus, whose first four posts are the test posts of every run."""
    texts = [f"第{number}条 {'听说停水' if number % 2 else '今天晴'} {number * 7919}" for number in range(60)]
    rows = [{"id": str(number), "text": text, "label": number % 2} for number, text in enumerate(texts)]
    (tmp_path / "posts.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return tmp_path / "posts.jsonl"


@pytest.fixture
def plan_of(corpus):
    """Return a function that makes the plan of two seeds with these flags of hf-rumor train."""

    def make(*flags, recipe="mini", vary=None, seeds=2):
        return make_plan([recipe], ["grouped"], vary or {}, ["--data_path", str(corpus), *flags], seeds=seeds)

    return make


@pytest.fixture
def train(monkeypatch, make_report, corpus):
    """Let runs finish at once, with a report on the corpus as it is at first; return their commands."""
    commands, sha256 = [], content_digest(corpus)
    rows = [{"id": str(n), "label": LABEL_NAMES[n % 2], "rumor_probability": 0.4} for n in range(4)]

    def run(command):
        commands.append(command)
        folder = Path(command[-1])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_text(to_json(make_report(data={"sha256": sha256})), encoding="utf-8")
        (folder / "predictions.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        return 0

    monkeypatch.setattr(benchmark, "_wait", run)
    return commands


def test_a_run_that_fails_is_named(tmp_path, monkeypatch, plan_of):
    monkeypatch.setattr(benchmark, "_wait", lambda command: 1)
    with pytest.raises(RunError, match="mini-grouped-0 failed with exit status 1"):
        run_benchmark(plan_of(), tmp_path / "bench")


def test_a_finished_run_is_repeated_only_if_recipe_flags_or_corpus_changed(tmp_path, train, plan_of, corpus):
    recipe = tmp_path / "own.yaml"
    recipe.write_text("seed: 1", encoding="utf-8")
    for expected, flags in ((2, []), (2, []), (4, ["--max_length", "64"]), (4, ["--max_length", "64"])):
        run_benchmark(plan_of(*flags, recipe=str(recipe)), tmp_path / "bench")
        assert len(train) == expected
    recipe.write_text("seed: 2", encoding="utf-8")
    run_benchmark(plan_of(*flags, recipe=str(recipe)), tmp_path / "bench")
    assert len(train) == 6
    with corpus.open("a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(RunError, match="the corpus changed between runs"):
        run_benchmark(plan_of(*flags, recipe=str(recipe)), tmp_path / "bench")
    assert len(train) == 7


def test_every_variant_is_trained_with_its_values_and_every_file_is_written(tmp_path, train, plan_of):
    folder = tmp_path / "bench"
    run_benchmark(plan_of(vary={"loss": ["bce", "ce"]}), folder)
    assert [command[7] for command in train] == ["--loss=bce", "--loss=bce", "--loss=ce", "--loss=ce"]
    run_benchmark(plan_of(vary={"loss": ["bce", "ce", "focal"]}), folder)
    assert len(train) == 6
    table = (folder / "benchmark.csv").read_text("utf-8").splitlines()
    assert len(table) == 7
    assert table[0].startswith("recipe,loss,split,split_seed,seed,")
    assert "mini, loss=focal & 2 &" in (folder / "benchmark.tex").read_text("utf-8")
    assert json.loads((folder / "benchmark.json").read_text("utf-8"))[-1]["over_first"]["sign_test"] == 1.0
    assert sorted(path.name for path in (folder / "figures").iterdir()) == [
        f"{name}.{suffix}" for name in ("accuracy", "differences-grouped") for suffix in ("png", "svg")
    ]


def test_a_refused_run_does_not_make_an_older_result_count(tmp_path, train, monkeypatch, plan_of):
    run_benchmark(plan_of(seeds=1), tmp_path / "bench")
    monkeypatch.setattr(benchmark, "_wait", lambda command: 2)
    for _ in range(2):
        with pytest.raises(RunError, match="exit status 2"):
            run_benchmark(plan_of("--max_length", "64", seeds=1), tmp_path / "bench")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--splits", "grouped,shuffled"],
            "'shuffled' is not one of grouped, random, chronological, every_8th, column",
        ),
        (["--recipes", ","], "expected different names separated by commas"),
        (["--vary", "loss=bce,ce", "--vary", "loss=mse"], "--vary: a flag is named twice"),
        (["--seeds", "0"], "expected a whole number of at least 1, got '0'"),
        (["--recipes", "maxi"], "one of bert_base_chinese, chinese_bert_wwm_ext,"),
        (
            ["--split", "random"],
            "--split: set by the benchmark for each run. Use --splits, --seeds, --split_seeds",
        ),
        (["--fold", "1"], "--fold: set by the benchmark for each run"),
        (["--folds", "3", "--splits", "grouped,chronological"], "--split chronological has no folds"),
        (["--folds", "1"], "--folds 1: out of range. Use 2 to 20"),
        (["--leaning_rate", "1"], "did you mean --learning_rate?"),
    ],
)
def test_a_mistake_shows_before_the_first_run(tmp_path, monkeypatch, capsys, flags, message):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["benchmark", *flags]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


RUN = """
import signal, sys, time
def end(number, frame):
    time.sleep(0.6)  # to save a checkpoint; longer than subprocess.run waits
    open(sys.argv[1] + ".saved", "w").close()
    sys.exit(128 + number)
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGINT, end)
open(sys.argv[1], "w").close()
time.sleep(60)
"""
WAITING = """
import sys
from hf_rumor.cli.arguments import exit_on_sigterm
from hf_rumor.runs import benchmark
exit_on_sigterm()
benchmark._wait([sys.executable, "-c", sys.argv[2], sys.argv[1]])
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_saves_its_checkpoint_when_the_benchmark_is_ended(tmp_path, number):
    started = tmp_path / "started"
    command = [sys.executable, "-c", WAITING, str(started), RUN]
    with subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True) as waiting:
        while not started.exists():
            assert waiting.poll() is None, waiting.stderr.read()
            time.sleep(0.01)
        if number == signal.SIGINT:
            os.killpg(waiting.pid, number)  # as a terminal does
        else:
            waiting.send_signal(number)
        waiting.wait(30)
    assert (tmp_path / "started.saved").exists()


@pytest.mark.slow
def test_a_killed_benchmark_resumes(tiny_encoder, tmp_path):
    command = [sys.executable, "-m", "hf_rumor", "benchmark", "--splits", "random,chronological", "--seeds", "1"]
    command += ["--output_dir", "bench", "--data_path", str(SAMPLE), "--max_steps", "2", "--report_to", "none"]
    command += [
        "--model_name_or_path",
        str(tiny_encoder),
        "--eval_strategy",
        "steps",
        "--eval_steps",
        "1",
        "--save_strategy",
        "steps",
        "--save_steps",
        "1",
    ]
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True)
        note = tmp_path / "bench" / "mini-random-0.json"
        while not note.exists():
            assert running.poll() is None
            time.sleep(0.05)
        time.sleep(0.5)  # in the midst of whatever comes next
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    first = tmp_path / "bench" / "mini-random-0" / "report.json"
    written = first.stat().st_mtime_ns
    assert not (tmp_path / "bench" / "benchmark.md").exists()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert first.stat().st_mtime_ns == written
    assert done.stdout == (tmp_path / "bench" / "benchmark.md").read_text(encoding="utf-8")
    assert {row["split"] for row in json.loads((tmp_path / "bench" / "benchmark.json").read_text("utf-8"))} == {
        *("random", "chronological"),
    }
