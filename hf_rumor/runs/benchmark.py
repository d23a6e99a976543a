"""Many runs, one table: each cell of a plan in its own process and folder, then the files that compare them."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hf_rumor.config.corpora import corpus_files, read_corpora
from hf_rumor.config.parse import find_recipe
from hf_rumor.corpus.arrow import joint_digest
from hf_rumor.corpus.sources import resolve_corpus
from hf_rumor.errors import ModelError, RunError
from hf_rumor.report.benchmark import draw_figures, to_latex, to_markdown
from hf_rumor.report.drawing import write_figures
from hf_rumor.report.record import REPORT_FILE, Report, read_report, without_nan
from hf_rumor.runs.cells import Cell, Plan
from hf_rumor.runs.summary import csv_rows, read_result, summarize
from hf_rumor.util.files import content_digest, write_csv, write_text


logger = logging.getLogger(__name__)


def run_benchmark(plan: Plan, folder: Path) -> None:
    """Do the runs that are not done yet, then write the files that compare them.

    Args:
        plan: What to run.
        folder: For a folder of each run, `benchmark.md`, `.json`, `.csv` and `.tex`, and `figures`.

    Raises:
        RunError: A run failed, after it printed its error, or the corpus changed.
    """
    files = corpus_files(plan.corpus)
    sha256 = joint_digest([content_digest(resolve_corpus(file.path)) for file in files])
    run_cells(plan.cells, folder, plan.flags, lambda cell: sha256)
    write_comparison(plan, folder)


def run_cells(cells: Sequence[Cell], folder: Path, flags: Sequence[str], digest_of: Callable[[Cell], str]) -> None:
    """Do the runs that are not done yet, one after the other.

    Args:
        cells: The runs.
        folder: For a folder of each.
        flags: Of `hf-rumor train`, for every run.
        digest_of: Returns the digest of the corpora of a run.

    Raises:
        RunError: A run failed, after it printed its error, or a corpus changed.
    """
    for number, cell in enumerate(cells, 1):
        sha256 = digest_of(cell)
        logger.info("benchmark: run %d of %d: %s", number, len(cells), cell.name)
        if is_done(cell, folder, flags, sha256):
            logger.info("benchmark: already done")
            continue
        _run(cell, folder, flags)
        if (digest := _report_of(cell, folder).data.sha256) != sha256:
            raise RunError(
                f"benchmark: the corpus changed between runs ({sha256[:12]} before, {digest[:12]} in {cell.name}). "
                "Rerun the same command."
            )


def write_comparison(plan: Plan, folder: Path) -> None:
    """Write the files that compare the finished runs of a plan."""
    results = [read_result(cell, folder / cell.name) for cell in plan.cells]
    groups = _groups(plan) if len({cell.variant for cell in plan.cells}) > 1 else {}
    rows = summarize(results, groups)
    write_text(folder / "benchmark.md", to_markdown(rows, results[0].report))
    write_text(folder / "benchmark.tex", to_latex(rows, results[0].report))
    write_text(folder / "benchmark.json", json.dumps(without_nan([asdict(row) for row in rows]), indent=2) + "\n")
    runs = csv_rows(results)
    write_csv(folder / "benchmark.csv", list(runs[0]), (run.values() for run in runs))
    write_figures(folder / "figures", draw_figures(rows), "en")


def _groups(plan: Plan) -> dict[str, int]:
    """Return the number of the near-duplicate group of each post of the corpus, by its id."""
    corpus = read_corpora(plan.corpus)
    return dict(zip(corpus.posts["id"][:], corpus.near_duplicates.groups.tolist(), strict=True))


def is_done(cell: Cell, folder: Path, flags: Sequence[str], sha256: str) -> bool:
    """Return whether a run with the same recipe, flags and corpus has finished."""
    try:
        noted = json.loads((folder / f"{cell.name}.json").read_text(encoding="utf-8"))
        return bool(noted == _identity(cell, flags) and _report_of(cell, folder).data.sha256 == sha256)
    except (OSError, ValueError, ModelError):
        return False


def _identity(cell: Cell, flags: Sequence[str]) -> dict[str, Any]:
    recipe = find_recipe(cell.recipe).read_text(encoding="utf-8")
    return {"recipe": recipe, "flags": [*flags, *cell.varied_flags()]}


def _run(cell: Cell, folder: Path, flags: Sequence[str]) -> None:
    note = folder / f"{cell.name}.json"
    note.unlink(missing_ok=True)
    identity = _identity(cell, flags)
    words = [cell.recipe, *flags, *cell.varied_flags(), *cell.flags(), "--output_dir", str(folder / cell.name)]
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
