import json
from pathlib import Path

import pytest

from hf_rumor.cli import main as cli
from hf_rumor.config.corpora import read_corpora
from hf_rumor.config.parse import parse_arguments
from hf_rumor.report.record import to_json
from hf_rumor.runs import benchmark
from hf_rumor.runs.transfer import plan_transfer


PATHS = {name: Path(f"{name}.csv") for name in "abc"}


def test_each_corpus_is_tested_after_each_other_one_and_after_all_others_with_and_without_copies():
    pairs = plan_transfer("mini", PATHS, seeds=2)
    tested = [(pair.trained_on, pair.tested_on, pair.cells[0].keep_copies) for pair in pairs]
    for target in PATHS:
        others = [name for name in PATHS if name != target]
        for trained_on in (*others, " + ".join(others)):
            assert (trained_on, target, False) in tested
            assert (trained_on, target, True) in tested
        assert (target, target, False) in tested
    assert len(tested) == len(set(tested)) == 3 * (1 + 2 * 3)
    names = [cell.name for pair in pairs for cell in pair.cells]
    assert len(set(names)) == len(names) == 2 * len(tested)


def test_the_tested_corpus_is_the_first_one_so_that_all_its_posts_stay():
    for pair in plan_transfer("mini", PATHS, seeds=1):
        [cell] = pair.cells
        assert cell.corpora[0] == f"{pair.tested_on}.csv"
        assert cell.split == ("grouped" if pair.trained_on == pair.tested_on else f"leave_out:{pair.tested_on}")


def test_two_corpora_have_no_other_ones_to_join():
    pairs = plan_transfer("mini", {name: PATHS[name] for name in "ab"}, seeds=1)
    assert [pair.trained_on for pair in pairs if pair.tested_on == "a"] == ["a", "b", "b"]


@pytest.fixture
def corpora(tmp_path):
    for name in "ab":
        rows = "".join(f"{name}{'听说停水' if n % 2 else '今天晴'}{n * 7919},{n % 2}\n" for n in range(40))
        (tmp_path / f"{name}.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    return [str(tmp_path / f"{name}.csv") for name in "ab"]


def test_the_verb_runs_what_is_not_done_and_prints_both_tables(corpora, tmp_path, make_report, monkeypatch, capsys):
    commands = []

    def run(command):
        """Read the corpora as the run would, and write a report on them."""
        commands.append(command)
        arguments = parse_arguments(command[command.index("train") + 1 :])
        folder = Path(arguments.training["output_dir"])
        folder.mkdir(parents=True)
        report = make_report(data={"sha256": read_corpora(arguments.run).sha256})
        (folder / "report.json").write_text(to_json(report), encoding="utf-8")
        return 0

    monkeypatch.setattr(benchmark, "_wait", run)
    words = ["benchmark", "--transfer", "--data_path", *corpora, "--seeds", "2", "--output_dir", str(tmp_path / "out")]
    for _ in ("first", "again"):
        assert cli.main(words) == 0
        assert len(commands) == 2 * 2 * (1 + 2)
    printed = capsys.readouterr().out
    assert "removed from training" in printed
    assert "kept in training" in printed
    rows = json.loads((tmp_path / "out" / "transfer.json").read_text("utf-8"))
    assert {(row["trained_on"], row["tested_on"], row["with_copies"]) for row in rows} == {
        ("a", "a", False),
        ("b", "b", False),
        *(("a", "b", copies) for copies in (False, True)),
        *(("b", "a", copies) for copies in (False, True)),
    }
    assert (tmp_path / "out" / "transfer.csv").read_text("utf-8").count("\n") == 1 + len(rows)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--data_path", "a.csv"], "needs the paths of two or more corpora"),
        (["--data_path", "corpora.yaml", "b.csv"], "needs the paths of two or more corpora"),
        (["--recipes", "mini,me5_small"], "takes one recipe"),
        (["--folds", "5"], "the splits are fixed. Remove --folds"),
        (["--splits", "random", "--vary", "loss=ce"], "Remove --vary, --splits"),
    ],
)
def test_what_cannot_be_transferred_is_one_line(words, message, capsys):
    assert cli.main(["benchmark", "--transfer", *words]) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
