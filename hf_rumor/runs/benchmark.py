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
from hf_rumor.errors import ModelError, RunError
from hf_rumor.evaluation.baseline import BASELINES, Comparison
from hf_rumor.report.markdown import table_text
from hf_rumor.report.record import REPORT_FILE, Report, read_report
from hf_rumor.report.view import table
from hf_rumor.util.files import write_text


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cell:
    """One run of a benchmark; `folds` is None without cross-validation, else `fold` is the test part."""

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
        accuracy_interval: Means of the bounds of the runs' 95% intervals; None for a baseline.
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
    """Do every run that is not done yet, then write the table; rerun the same command to resume.

    Args:
        cells: What to run.
        folder: Holds a folder for each run, and `benchmark.md`, `benchmark.json` and `benchmark.svg`.
        flags: Of `hf-rumor train`, for every run.
        sha256: Digest of the corpus of the runs.

    Raises:
        RunError: A run failed, after it printed its error, or the corpus changed.
    """
    for number, cell in enumerate(cells, 1):
        logger.info("benchmark: run %d of %d: %s", number, len(cells), cell.name)
        if is_done(cell, folder, flags, sha256):
            logger.info("benchmark: already done")
        else:
            _run(cell, folder, flags)
            if (digest := _report_of(cell, folder).data.sha256) != sha256:
                raise RunError(
                    f"benchmark: the corpus changed between runs ({sha256[:12]} before, {digest[:12]} in "
                    f"{cell.name}). Rerun the same command."
                )
    reports = {cell: _report_of(cell, folder) for cell in cells}
    rows = summarise(reports)
    write_text(folder / "benchmark.md", to_markdown(rows, next(iter(reports.values()))))
    write_text(folder / "benchmark.json", json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    write_text(folder / "benchmark.svg", draw(rows))
    return rows


def is_done(cell: Cell, folder: Path, flags: Sequence[str], sha256: str) -> bool:
    """Return whether a run with the same recipe, flags and corpus has finished."""
    try:
        noted = json.loads((folder / f"{cell.name}.json").read_text(encoding="utf-8"))
        return bool(noted == _identity(cell, flags) and _report_of(cell, folder).data.sha256 == sha256)
    except (OSError, ValueError, ModelError):
        return False


def _identity(cell: Cell, flags: Sequence[str]) -> dict[str, Any]:
    return {"recipe": find_recipe(cell.recipe).read_text(encoding="utf-8"), "flags": list(flags)}


def _run(cell: Cell, folder: Path, flags: Sequence[str]) -> None:
    note = folder / f"{cell.name}.json"
    note.unlink(missing_ok=True)
    identity = _identity(cell, flags)
    words = [cell.recipe, *flags, *cell.flags(), "--output_dir", str(folder / cell.name)]
    status = _wait([sys.executable, "-m", "hf_rumor", "train", *words])
    if status:
        raise RunError(f"benchmark: {cell.name} failed with exit status {status}. Fix the error printed above.")
    # Only now: a run that was refused must not make an older result in its folder count as its own.
    write_text(note, json.dumps(identity, ensure_ascii=False, indent=2) + "\n")


def _wait(command: Sequence[str]) -> int:
    """Return the exit status of a run; if this process is to end, wait until the run has saved its checkpoint."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
        try:
            return running.wait()
        except KeyboardInterrupt:  # Ctrl-C, which the run receives too
            running.wait()
            raise
        except BaseException:
            running.terminate()
            running.wait()
            raise


def _report_of(cell: Cell, folder: Path) -> Report:
    return read_report(folder / cell.name / REPORT_FILE)


def summarise(reports: dict[Cell, Report]) -> list[Row]:
    """Return the rows: for each split, first the baselines, then the recipes, in the order of the cells."""
    splits = list(dict.fromkeys(cell.split for cell in reports))
    recipes = list(dict.fromkeys(cell.recipe for cell in reports))
    rows = []
    for split in splits:
        by_recipe = {
            recipe: [report for cell, report in reports.items() if (cell.split, cell.recipe) == (split, recipe)]
            for recipe in recipes
        }
        # Equal seeds and folds give equal splits, so that the baselines of one recipe are those of all.
        rows += [_baseline_row(name, split, by_recipe[recipes[0]]) for name in BASELINES]
        rows += [_row(recipe, split, of_recipe) for recipe, of_recipe in by_recipe.items()]
    return rows


def _baseline_row(name: str, split: str, reports: list[Report]) -> Row:
    baselines: list[Comparison] = [getattr(report.baseline, name) for report in reports]
    return Row(
        model=BASELINES[name],
        split=split,
        num_runs=len(reports),
        accuracy=statistics.mean(baseline.accuracy for baseline in baselines),
        accuracy_spread=_spread([baseline.accuracy for baseline in baselines]),
        accuracy_interval=None,
        macro_f1=statistics.mean(baseline.macro_f1 for baseline in baselines),
        difference=None,
        leakage=_leakage(reports),
        seconds=None,
    )


def _row(recipe: str, split: str, reports: list[Report]) -> Row:
    tests = [report.test for report in reports]
    low, high = (statistics.mean(test.intervals["accuracy"][bound] for test in tests) for bound in (0, 1))
    uninterrupted = [report.train.runtime_seconds for report in reports if report.train.resumed_at_step is None]
    svms = [report.baseline.tfidf_svm for report in reports]
    return Row(
        model=Path(recipe).stem,
        split=split,
        num_runs=len(reports),
        accuracy=statistics.mean(test.accuracy for test in tests),
        accuracy_spread=_spread([test.accuracy for test in tests]),
        accuracy_interval=(low, high),
        macro_f1=statistics.mean(test.macro_f1 for test in tests),
        difference=statistics.mean(svm.difference.accuracy.difference for svm in svms if svm is not None),
        leakage=_leakage(reports),
        seconds=statistics.mean(uninterrupted) if uninterrupted else None,
    )


def _spread(values: list[float]) -> float | None:
    return statistics.stdev(values) if len(values) > 1 else None


def _leakage(reports: list[Report]) -> float:
    splits = [report.split for report in reports]
    return statistics.mean((split.num_leaking_test_posts or 0) / split.test for split in splits)


def to_markdown(rows: Sequence[Row], report: Report) -> str:
    """Return the table; the `report` of one of its runs names corpus, hardware and versions."""
    cells = [
        (
            *(row.split, row.model, str(row.num_runs)),
            f"{row.accuracy:.3f}" + ("" if row.accuracy_spread is None else f" ± {row.accuracy_spread:.3f}"),
            "" if row.accuracy_interval is None else "[{:.3f}, {:.3f}]".format(*row.accuracy_interval),
            f"{row.macro_f1:.3f}",
            "" if row.difference is None else f"{100 * row.difference:+.1f} pp",
            f"{row.leakage:.1%}",
            "" if row.seconds is None else f"{row.seconds:.0f}",
        )
        for row in rows
    ]
    data, environment = report.data, report.environment
    versions = ", ".join(f"{name} {version}" for name, version in environment.versions.items())
    note = (
        "Accuracy: mean ± standard deviation over the runs (seeds of split and training, folds). 95% CI: means of "
        "the bounds of the runs. Over SVM: mean difference in accuracy. Leakage: test posts with a near-duplicate in "
        "training. Seconds: of runs that were not interrupted.\n"
        f"Data: {data.num_posts:,} posts, SHA-256 `{data.sha256[:12]}`. {environment.device}, "
        f"{environment.precision}, {environment.platform}; {versions}.\n"
    )
    titles = "split|model|#runs|#accuracy|#95% CI|#macro-F1|#over SVM|#leakage|#seconds"
    return table_text(table(titles, cells, note))


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
