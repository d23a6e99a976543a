"""Many runs, one table: recipes x splits x seeds (x folds), each in its own process and folder."""

import json
import logging
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from hf_rumor.config.parse import find_recipe
from hf_rumor.errors import ModelError, RunError
from hf_rumor.evaluation.baseline import BASELINES, Comparison
from hf_rumor.evaluation.measure import Measured
from hf_rumor.report.markdown import table_text
from hf_rumor.report.plots import draw_benchmark
from hf_rumor.report.record import REPORT_FILE, Report, read_report
from hf_rumor.report.section import table
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
        """Return its flags of `hf-rumor train`."""
        fold = ["--folds", str(self.folds), "--fold", str(self.fold)] if self.folds else []
        return ["--split", self.split, "--split_seed", str(self.seed), "--seed", str(self.seed), *fold]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One recipe or baseline on one split; means over all seeds and folds."""

    model: str
    split: str
    num_runs: int
    accuracy: float
    accuracy_spread: float | None  # standard deviation over the runs; None for one run
    accuracy_interval: tuple[float, float] | None = None  # means of the bounds, 95%; None for a baseline
    macro_f1: float
    difference: float | None = None  # in accuracy, to TF-IDF + SVM; None for a baseline
    leakage: float  # share of test posts with a near-duplicate in training
    seconds: float | None = None  # of training; None for a baseline, or if all runs were interrupted


def run_benchmark(cells: Sequence[Cell], folder: Path, flags: Sequence[str], sha256: str) -> list[Row]:
    """Do the runs that are not done yet, then write the table.

    Args:
        cells: What to run.
        folder: For a folder of each run, and `benchmark.md`, `benchmark.json` and `benchmark.svg`.
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
    accuracies = {(row.model, row.split): (row.accuracy, row.accuracy_spread or 0.0) for row in rows}
    write_text(folder / "benchmark.svg", draw_benchmark(accuracies))
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
    # Not before: an older result in the folder would count as the result of a run that was refused.
    write_text(note, json.dumps(identity, ensure_ascii=False, indent=2) + "\n")


def _wait(command: Sequence[str]) -> int:
    """Return the exit status of a run; if this process is interrupted, wait until the run has saved its checkpoint."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
        try:
            return running.wait()
        except BaseException as error:
            if not isinstance(error, KeyboardInterrupt):  # the run receives Ctrl-C too
                running.terminate()
            running.wait()
            raise


def _report_of(cell: Cell, folder: Path) -> Report:
    return read_report(folder / cell.name / REPORT_FILE)


def summarise(reports: dict[Cell, Report]) -> list[Row]:
    """Return the rows: for each split, first the baselines, then the recipes, in the order of the cells."""
    by_split: dict[str, dict[str, list[Report]]] = {}
    for cell, report in reports.items():
        by_split.setdefault(cell.split, {}).setdefault(cell.recipe, []).append(report)
    rows = []
    for split, by_recipe in by_split.items():
        # Equal seeds and folds give equal splits, so that the baselines of one recipe are those of all.
        first = next(iter(by_recipe.values()))
        for name, model in BASELINES.items():
            rows.append(_row(model, split, first, [getattr(report.baseline, name) for report in first]))
        rows += [_recipe_row(Path(recipe).stem, split, runs) for recipe, runs in by_recipe.items()]
    return rows


def _row(model: str, split: str, reports: list[Report], scores: list[Comparison] | list[Measured]) -> Row:
    accuracies = [score.accuracy for score in scores]
    return Row(
        model=model,
        split=split,
        num_runs=len(reports),
        accuracy=mean(accuracies),
        accuracy_spread=stdev(accuracies) if len(accuracies) > 1 else None,
        macro_f1=mean(score.macro_f1 for score in scores),
        leakage=mean((report.split.num_leaking_test_posts or 0) / report.split.test for report in reports),
    )


def _recipe_row(model: str, split: str, reports: list[Report]) -> Row:
    intervals = [report.test.intervals["accuracy"] for report in reports]
    uninterrupted = [report.train.runtime_seconds for report in reports if report.train.resumed_at_step is None]
    svms = [report.baseline.tfidf_svm for report in reports]
    return replace(
        _row(model, split, reports, [report.test for report in reports]),
        accuracy_interval=(mean(low for low, _ in intervals), mean(high for _, high in intervals)),
        difference=mean(svm.difference.accuracy.difference for svm in svms if svm is not None),
        seconds=mean(uninterrupted) if uninterrupted else None,
    )


def to_markdown(rows: Sequence[Row], report: Report) -> str:
    """Return the table; `report` is that of any of its runs, for corpus, hardware and versions."""
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
