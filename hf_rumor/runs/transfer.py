"""Corpora x corpora: train on one corpus, or on all but one, and test on another."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import nan
from pathlib import Path
from statistics import mean, stdev

from hf_rumor.config.corpora import LISTS
from hf_rumor.config.parse import parse_arguments
from hf_rumor.corpus.arrow import joint_digest, source_name
from hf_rumor.corpus.sources import resolve_corpus
from hf_rumor.corpus.splits import LEAVE_OUT
from hf_rumor.errors import ArgumentError
from hf_rumor.report.record import REPORT_FILE, Report, read_report, without_nan
from hf_rumor.report.transfer import Transfer, to_markdown
from hf_rumor.runs.benchmark import run_cells
from hf_rumor.runs.cells import Cell
from hf_rumor.util.files import content_digest, write_csv, write_text


@dataclass(frozen=True)
class Pair:
    """The runs, one for each seed, that train on some corpora and test on another one."""

    trained_on: str
    tested_on: str
    cells: tuple[Cell, ...]


def run_transfer(recipe: str, flags: Sequence[str], seeds: int, folder: Path) -> None:
    """Do the runs that are not done yet, then write `transfer.md`, `.json` and `.csv`.

    Args:
        recipe: A file, or the name of a bundled recipe.
        flags: Of `hf-rumor train`, for every run; `--data_path` names the corpora.
        seeds: Number of seeds, of split and training.
        folder: For a folder of each run, and the tables.

    Raises:
        ArgumentError: `--data_path` names fewer than two corpora, or two of the same name.
        RunError: A run failed, after it printed its error.
    """
    paths = {source_name(path): path for path in map(resolve_corpus, _named_paths(recipe, flags))}
    digests = {str(path): content_digest(path) for path in paths.values()}
    pairs = plan_transfer(recipe, paths, seeds)
    cells = [cell for pair in pairs for cell in pair.cells]
    run_cells(cells, folder, flags, lambda cell: joint_digest([digests[path] for path in cell.corpora]))
    rows = [_row(pair, [read_report(folder / cell.name / REPORT_FILE) for cell in pair.cells]) for pair in pairs]
    records = [asdict(row) for row in rows]
    write_text(folder / "transfer.md", to_markdown(rows))
    write_text(folder / "transfer.json", json.dumps(without_nan(records), indent=2, ensure_ascii=False) + "\n")
    write_csv(folder / "transfer.csv", list(records[0]), (record.values() for record in records))


def _named_paths(recipe: str, flags: Sequence[str]) -> list[str]:
    paths = parse_arguments([recipe, *flags]).run.data_path
    if len(paths) < 2 or any(path.endswith(LISTS) for path in paths):
        raise ArgumentError("--transfer: needs the paths of two or more corpora. Name them: --data_path A B")
    names = [source_name(resolve_corpus(path)) for path in paths]
    if len(set(names)) < len(names):
        raise ArgumentError(f"--transfer: two corpora have the same name ({', '.join(names)}). Rename a file.")
    return paths


def plan_transfer(recipe: str, paths: dict[str, Path], seeds: int) -> list[Pair]:
    """Return the runs for each corpus that is tested: itself, each other corpus, and all others.

    Args:
        recipe: Of all runs.
        paths: Name of a corpus -> its path.
        seeds: Number of seeds.
    """
    pairs = []
    for target in paths:
        others = [name for name in paths if name != target]
        pairs.append(_pair(recipe, paths, [], target, seeds, keep_copies=False))
        for keep_copies in (False, True):
            for names in [[name] for name in others] + ([others] if len(others) > 1 else []):
                pairs.append(_pair(recipe, paths, names, target, seeds, keep_copies=keep_copies))
    return pairs


def _pair(
    recipe: str, paths: dict[str, Path], trained: Sequence[str], target: str, seeds: int, *, keep_copies: bool
) -> Pair:
    """Return the runs that test on `target`; without other corpora, on its grouped split."""
    trained_on = " + ".join(trained) or target
    title = f"{'+'.join(trained) or target}-on-{target}{'-with-copies' if keep_copies else ''}".replace("/", "_")
    corpora = tuple(str(paths[name]) for name in (target, *trained))
    split = f"{LEAVE_OUT}{target}" if trained else "grouped"
    cells = [
        Cell(recipe, split, seed, seed, title=title, corpora=corpora, keep_copies=keep_copies) for seed in range(seeds)
    ]
    return Pair(trained_on, target, tuple(cells))


def _row(pair: Pair, reports: Sequence[Report]) -> Transfer:
    svms = [svm for report in reports if (svm := report.baseline.tfidf_svm)]  # none with too few posts
    gains = [svm.difference.macro_f1 for svm in svms]
    scores = [report.test.macro_f1 for report in reports]
    return Transfer(
        trained_on=pair.trained_on,
        tested_on=pair.tested_on,
        with_copies=pair.cells[0].keep_copies,
        num_runs=len(reports),
        num_posts=reports[0].split.test,
        accuracy=mean(report.test.accuracy for report in reports),
        roc_auc=mean(report.test.roc_auc for report in reports),
        macro_f1=mean(scores),
        macro_f1_spread=stdev(scores) if len(scores) > 1 else None,
        svm_accuracy=_mean([svm.accuracy for svm in svms]),
        svm_macro_f1=_mean([svm.macro_f1 for svm in svms]),
        gain=_mean([gain.difference for gain in gains]),
        gain_low=_mean([gain.low for gain in gains]),
        gain_high=_mean([gain.high for gain in gains]),
    )


def _mean(values: Sequence[float]) -> float:
    return mean(values) if values else nan
