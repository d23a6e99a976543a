"""Many runs, one table: recipes x splits x seeds (x folds), each a run of its own in a folder of its own."""

import json
import logging
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hf_rumor.config.parse import find_recipe
from hf_rumor.errors import RunError
from hf_rumor.evaluation.baseline import BASELINES
from hf_rumor.util.files import write_text


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cell:
    """One run of a benchmark; `fold` of so many `folds` is its test, None: the split as it is."""

    recipe: str
    split: str
    seed: int
    folds: int | None = None
    fold: int = 0

    @property
    def name(self) -> str:
        """Return the name of its folder."""
        fold = f"-fold{self.fold}of{self.folds}" if self.folds else ""
        return f"{Path(self.recipe).stem}-{self.split}-{self.seed}{fold}"

    def flags(self) -> list[str]:
        """Return the flags of `hf-rumor train` that make it this run."""
        fold = ["--folds", str(self.folds), "--fold", str(self.fold)] if self.folds else []
        return ["--split", self.split, "--split_seed", str(self.seed), "--seed", str(self.seed), *fold]


@dataclass(frozen=True)
class Row:
    """One model on one split, over all seeds and folds; metrics from 0 to 1.

    Attributes:
        model: Recipe, or baseline.
        split: Name of the split.
        num_runs: Seeds times folds.
        accuracy: Mean over the runs.
        accuracy_spread: Standard deviation over the runs; None for one run.
        accuracy_interval: Means of the bounds of the runs' 95 % intervals; None for a baseline.
        macro_f1: Mean over the runs.
        difference: Mean of how much better in accuracy than TF-IDF + SVM; None for a baseline.
        leakage: Mean share of test posts with a near-duplicate in training.
        seconds: Mean of the time that training took; None for a baseline.
    """

    model: str
    split: str
    num_runs: int
    accuracy: float
    accuracy_spread: float | None
    accuracy_interval: tuple[float, float] | None
    macro_f1: float
    difference: float | None
    leakage: float
    seconds: float | None


def run_benchmark(cells: Sequence[Cell], folder: Path, flags: Sequence[str], sha256: str) -> list[Row]:
    """Do every run that is not done yet, then write the table; the same command goes on where it was interrupted.

    Args:
        cells: What to run.
        folder: Holds a folder for each run, and `benchmark.md`, `benchmark.json` and `benchmark.svg`.
        flags: Of `hf-rumor train`, for every run.
        sha256: Digest of the corpus that the runs will find.

    Raises:
        RunError: A run ended with an error, which it has told itself.
    """
    for number, cell in enumerate(cells, 1):
        logger.info("benchmark: run %d of %d: %s", number, len(cells), cell.name)
        if is_done(cell, folder, flags, sha256):
            logger.info("benchmark: done before")
        else:
            _run(cell, folder, flags)
            if (found := _read_report(folder / cell.name)["data"]["sha256"]) != sha256:
                raise RunError(
                    f"benchmark: expected one corpus for all runs, found it changed ({sha256[:12]} before, "
                    f"{found[:12]} in {cell.name}); start it again"
                )
    reports = {cell: _read_report(folder / cell.name) for cell in cells}
    rows = summarise(reports)
    write_text(folder / "benchmark.md", to_markdown(rows, next(iter(reports.values()))))
    write_text(folder / "benchmark.json", json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    write_text(folder / "benchmark.svg", draw(rows))
    return rows


def is_done(cell: Cell, folder: Path, flags: Sequence[str], sha256: str) -> bool:
    """Return whether a run finished before, of the same recipe, flags and corpus."""
    try:
        noted = json.loads((folder / f"{cell.name}.json").read_text(encoding="utf-8"))
        return bool(noted == _identity(cell, flags) and _read_report(folder / cell.name)["data"]["sha256"] == sha256)
    except (OSError, ValueError):
        return False


def _identity(cell: Cell, flags: Sequence[str]) -> dict[str, Any]:
    return {"recipe": find_recipe(cell.recipe).read_text(encoding="utf-8"), "flags": list(flags)}


def _run(cell: Cell, folder: Path, flags: Sequence[str]) -> None:
    note = folder / f"{cell.name}.json"
    note.unlink(missing_ok=True)
    identity = _identity(cell, flags)
    told = [*flags, *cell.flags(), "--output_dir", str(folder / cell.name)]
    status = _wait([sys.executable, "-m", "hf_rumor", "train", cell.recipe, *told])
    if status:
        raise RunError(f"benchmark: expected {cell.name} to finish, got exit status {status}; see above")
    # Only now: a run that was refused must not make the result of an older one count as its own.
    write_text(note, json.dumps(identity, ensure_ascii=False, indent=2) + "\n")


def _wait(command: Sequence[str]) -> int:
    """Return the exit status of a run; if this process is to end, wait until the run has saved its checkpoint."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
        try:
            return running.wait()
        except KeyboardInterrupt:  # Ctrl-C, of which the run knows too
            running.wait()
            raise
        except BaseException:
            running.terminate()
            running.wait()
            raise


def _read_report(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return report


def summarise(reports: dict[Cell, dict[str, Any]]) -> list[Row]:
    """Return the rows: for each split, first the baselines, then the recipes, in the order of the cells."""
    splits = list(dict.fromkeys(cell.split for cell in reports))
    recipes = list(dict.fromkeys(cell.recipe for cell in reports))
    rows = []
    for split in splits:
        of_split = {cell: report for cell, report in reports.items() if cell.split == split}
        # Equal seeds and folds give equal splits, so that the baselines of one recipe are those of all.
        first = [report for cell, report in of_split.items() if cell.recipe == recipes[0]]
        rows += [_baseline_row(name, split, first) for name in BASELINES]
        for recipe in recipes:
            rows.append(_row(recipe, split, [report for cell, report in of_split.items() if cell.recipe == recipe]))
    return rows


def _baseline_row(name: str, split: str, reports: list[dict[str, Any]]) -> Row:
    parts = [report["baseline"][name] for report in reports]
    return Row(
        model=BASELINES[name],
        split=split,
        num_runs=len(reports),
        accuracy=statistics.mean(part["accuracy"] for part in parts),
        accuracy_spread=_spread([part["accuracy"] for part in parts]),
        accuracy_interval=None,
        macro_f1=statistics.mean(part["macro_f1"] for part in parts),
        difference=None,
        leakage=_leakage(reports),
        seconds=None,
    )


def _row(recipe: str, split: str, reports: list[dict[str, Any]]) -> Row:
    tests = [report["test"] for report in reports]
    low, high = (statistics.mean(test["intervals"]["accuracy"][bound] for test in tests) for bound in (0, 1))
    whole = [report["train"] for report in reports if report["train"].get("resumed_at_step") is None]
    differences = [report["baseline"]["tfidf_svm"]["difference"]["accuracy"]["difference"] for report in reports]
    return Row(
        model=Path(recipe).stem,
        split=split,
        num_runs=len(reports),
        accuracy=statistics.mean(test["accuracy"] for test in tests),
        accuracy_spread=_spread([test["accuracy"] for test in tests]),
        accuracy_interval=(low, high),
        macro_f1=statistics.mean(test["macro_f1"] for test in tests),
        difference=statistics.mean(differences),
        leakage=_leakage(reports),
        seconds=statistics.mean(train["runtime_seconds"] for train in whole) if whole else None,
    )


def _spread(values: list[float]) -> float | None:
    return statistics.stdev(values) if len(values) > 1 else None


def _leakage(reports: list[dict[str, Any]]) -> float:
    splits = [report["split"] for report in reports]
    return statistics.mean(float(split["num_leaking_test_posts"] / split["test"]) for split in splits)


def to_markdown(rows: Sequence[Row], report: dict[str, Any]) -> str:
    """Return the table, and what it was measured on, as told by the `report` of one of its runs."""
    lines = [
        "| split | model | runs | accuracy | 95 % interval | macro-F1 | points over the SVM | leakage | seconds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        spread = "" if row.accuracy_spread is None else f" ± {row.accuracy_spread:.3f}"
        interval = "" if row.accuracy_interval is None else "{:.3f} to {:.3f}".format(*row.accuracy_interval)
        difference = "" if row.difference is None else f"{100 * row.difference:+.1f}"
        seconds = "" if row.seconds is None else f"{row.seconds:.0f}"
        lines.append(
            f"| {row.split} | {row.model} | {row.num_runs} | {row.accuracy:.3f}{spread} | {interval} "
            f"| {row.macro_f1:.3f} | {difference} | {row.leakage:.1%} | {seconds} |"
        )
    data, environment = report["data"], report["environment"]
    versions = ", ".join(f"{name} {version}" for name, version in environment["versions"].items())
    return (
        "\n".join(lines)
        + "\n\nAccuracy: mean ± standard deviation over the runs (seeds of split and training, folds); interval: "
        "means of the runs' bounds; leakage: test posts with a near-duplicate in training; seconds: of runs that were "
        "not interrupted.\n"
        f"Data: {data['num_posts']:,} posts, SHA-256 `{data['sha256'][:12]}`. {environment['device']}, "
        f"{environment['precision']}, {environment['platform']}; {versions}.\n"
    )


def draw(rows: Sequence[Row]) -> str:
    """Return the accuracies as an SVG picture: a line for each model, a column for each split."""
    from hf_rumor.report.plots import draw_benchmark

    splits = list(dict.fromkeys(row.split for row in rows))
    models = list(dict.fromkeys(row.model for row in rows))
    table = {(row.model, row.split): row for row in rows}
    return draw_benchmark(
        splits,
        {
            model: [(table[model, split].accuracy, table[model, split].accuracy_spread or 0.0) for split in splits]
            for model in models
        },
    )
