import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hf_rumor.cli import main as cli
from hf_rumor.errors import RunError
from hf_rumor.evaluation.baseline import Baselines, Comparison
from hf_rumor.evaluation.intervals import Difference, Differences
from hf_rumor.report.record import to_json
from hf_rumor.runs import benchmark
from hf_rumor.runs.benchmark import Cell, run_benchmark, summarise, to_markdown


SAMPLE = Path(__file__).parents[2] / "data" / "sample"


@pytest.fixture
def report_of(make_report):
    """Return a function that makes the report of a run with this accuracy; that of the baseline is 0.5."""
    report = make_report()
    zero = Difference(0.0, 0.0, 0.0)

    def make(accuracy, leaking=0, resumed_at_step=None):
        differences = Differences(accuracy=Difference(accuracy - 0.5, 0.0, 0.0), macro_f1=zero)
        baseline = Comparison(0.5, 0.4, differences, sign_test=1.0)
        intervals = report.test.intervals | {"accuracy": (accuracy - 0.1, accuracy + 0.1)}
        return replace(
            report,
            data=replace(report.data, num_posts=360),
            split=replace(report.split, test=50, num_leaking_test_posts=leaking),
            train=replace(report.train, runtime_seconds=10.0 * accuracy, resumed_at_step=resumed_at_step),
            test=replace(report.test, accuracy=accuracy, macro_f1=accuracy, intervals=intervals),
            baseline=Baselines(tfidf_svm=baseline, majority=baseline),
        )

    return make


@pytest.fixture
def reports(report_of):
    cells = [Cell(recipe, split, seed) for recipe in ("a", "b") for split in ("grouped", "random") for seed in (0, 1)]
    accuracies = (0.6, 0.8, 0.8, 0.8, 0.5, 0.7, 0.6, 0.6)
    return {
        cell: report_of(accuracy, leaking=5 * (cell.split == "random"))
        for cell, accuracy in zip(cells, accuracies, strict=True)
    }


def test_a_row_is_the_mean_over_the_seeds(reports):
    rows = {(row.model, row.split): row for row in summarise(reports)}
    row = rows["a", "grouped"]
    assert (row.num_runs, row.accuracy, row.seconds) == (2, pytest.approx(0.7), pytest.approx(7.0))
    assert row.accuracy_spread == pytest.approx(0.2 / 2**0.5)
    assert row.accuracy_interval == pytest.approx((0.6, 0.8))
    assert row.difference == pytest.approx(0.2)
    assert rows["b", "random"].leakage == pytest.approx(0.1)
    assert rows["character TF-IDF + linear SVM", "grouped"].accuracy == 0.5
    assert len(rows) == 8


def test_the_time_of_an_interrupted_run_is_ignored(report_of):
    cells = [Cell("a", "grouped", seed) for seed in (0, 1)]
    for steps, expected in (((40, None), pytest.approx(8.0)), ((40, 60), None)):
        runs = [report_of(accuracy, resumed_at_step=step) for accuracy, step in zip((0.6, 0.8), steps, strict=True)]
        assert summarise(dict(zip(cells, runs, strict=True)))[2].seconds == expected


def test_one_seed_has_no_spread(reports, report_of):
    rows = summarise({cell: report for cell, report in reports.items() if cell.seed == 0})
    assert {row.accuracy_spread for row in rows} == {None}
    assert "±" not in to_markdown(rows, report_of(0.6)).splitlines()[2]


def test_the_table_has_a_cell_for_each_column(reports, report_of):
    text = to_markdown(summarise(reports), report_of(0.6))
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table} == {10}
    assert "| grouped | a | 2 | 0.700 ± 0.141 | [0.600, 0.800] | 0.700 | +20.0 pp | 0.0% | 7 |" in text
    assert "360 posts, SHA-256 `5ca1ab1e`" in text


def test_folds_are_runs_of_one_row(report_of):
    cells = [Cell("a", "grouped", 0, folds=2, fold=fold) for fold in (0, 1)]
    assert [cell.name for cell in cells] == ["a-grouped-0-fold0of2", "a-grouped-0-fold1of2"]
    assert cells[1].flags()[-4:] == ["--folds", "2", "--fold", "1"]
    *_, row = summarise(dict(zip(cells, [report_of(0.6), report_of(0.8)], strict=True)))
    assert (row.num_runs, row.accuracy) == (2, pytest.approx(0.7))


def test_a_run_that_fails_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark, "_wait", lambda command: 1)
    with pytest.raises(RunError, match="mini-grouped-0 failed with exit status 1"):
        run_benchmark([Cell("mini", "grouped", 0)], tmp_path, [], "5ca1ab1e")


@pytest.fixture
def train(monkeypatch, report_of):
    """Let runs finish at once, with a report on the corpus "5ca1ab1e"; return their commands."""
    commands = []

    def run(command):
        commands.append(command)
        folder = Path(command[-1])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_text(to_json(report_of(0.6)), encoding="utf-8")
        return 0

    monkeypatch.setattr(benchmark, "_wait", run)
    return commands


def test_a_finished_run_is_repeated_only_if_recipe_flags_or_corpus_changed(tmp_path, train):
    recipe = tmp_path / "own.yaml"
    recipe.write_text("seed: 1", encoding="utf-8")
    cells = [Cell(str(recipe), "grouped", seed) for seed in (0, 1)]
    for expected, flags in ((2, []), (2, []), (4, ["--max_length", "64"]), (4, ["--max_length", "64"])):
        run_benchmark(cells, tmp_path / "bench", flags, "5ca1ab1e")
        assert len(train) == expected
    recipe.write_text("seed: 2", encoding="utf-8")
    run_benchmark(cells, tmp_path / "bench", flags, "5ca1ab1e")
    assert len(train) == 6
    with pytest.raises(RunError, match="the corpus changed between runs"):
        run_benchmark(cells, tmp_path / "bench", flags, "another")
    assert len(train) == 7


def test_a_refused_run_does_not_make_an_older_result_count(tmp_path, train, monkeypatch):
    cell = Cell("mini", "grouped", 0)
    run_benchmark([cell], tmp_path, [], "5ca1ab1e")
    monkeypatch.setattr(benchmark, "_wait", lambda command: 2)
    for _ in range(2):
        with pytest.raises(RunError, match="exit status 2"):
            run_benchmark([cell], tmp_path, ["--max_length", "64"], "5ca1ab1e")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--splits", "grouped,shuffled"],
            "expected some of grouped, random, chronological, every_8th, column, got 'shuffled'",
        ),
        (["--recipes", ","], "expected different names separated by commas"),
        (["--recipes", "mini,mini"], "expected different names separated by commas"),
        (["--seeds", "0"], "expected a number of at least 1, got '0'"),
        (["--recipes", "maxi"], "one of bert_base_chinese, chinese_bert_wwm_ext, me5_small, mini."),
        (["--split", "random"], "--split: set by the benchmark for each run. Use --splits, --seeds and --folds"),
        (["--fold", "1"], "--fold: set by the benchmark for each run"),
        (["--folds", "3", "--splits", "grouped,chronological"], "--split chronological has no folds"),
        (["--folds", "1"], "--folds 1: not a number of folds. Use 2 to 20"),
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
def test_a_killed_benchmark_resumes(tmp_path):
    command = [sys.executable, "-m", "hf_rumor", "benchmark", "--splits", "random,chronological", "--seeds", "1"]
    command += ["--output_dir", "bench", "--data_path", str(SAMPLE), "--max_steps", "2", "--report_to", "none"]
    command += ["--eval_strategy", "steps", "--eval_steps", "1", "--save_strategy", "steps", "--save_steps", "1"]
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
    assert (tmp_path / "bench" / "benchmark.svg").read_text(encoding="utf-8").startswith("<svg")
