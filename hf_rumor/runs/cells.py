"""The runs of a benchmark: recipes x varied flags x splits x seeds (x folds), checked before the first one starts."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from hf_rumor.config.flags import RunArguments
from hf_rumor.config.parse import parse_arguments
from hf_rumor.config.rules import OF_THE_CORPUS
from hf_rumor.corpus.splits import WITHOUT_SEED, check_folds
from hf_rumor.errors import ArgumentError
from hf_rumor.training.losses import make_loss


logger = logging.getLogger(__name__)

SET_BY_BENCHMARK = ("split", "split_seed", "seed", "fold", "folds", "output_dir")


@dataclass(frozen=True)
class Cell:
    """One run of a benchmark; `folds` is None without cross-validation, else `fold` is the test set."""

    recipe: str
    split: str
    split_seed: int
    seed: int  # of training
    varied: tuple[tuple[str, str], ...] = ()  # flags and their values
    folds: int | None = None
    fold: int = 0
    title: str = ""  # of a run of `--transfer`, which has corpora of its own
    corpora: tuple[str, ...] = ()
    keep_copies: bool = False

    @property
    def variant(self) -> str:
        """Return the name of recipe and varied flags in tables."""
        return ", ".join([Path(self.recipe).stem, *(f"{name}={value}" for name, value in self.varied)])

    @property
    def part(self) -> tuple[int, int]:
        """Return what chooses the test posts within a split."""
        return self.split_seed, self.fold

    @property
    def name(self) -> str:
        """Return the name of its folder."""
        if self.title:
            return f"{Path(self.recipe).stem}-{self.title}-{self.seed}"
        varied = [re.sub(r"[^\w.=,+-]+", "_", f"{name}={value}") for name, value in self.varied]
        seed = [] if self.seed == self.split_seed else [f"seed{self.seed}"]
        fold = [f"fold{self.fold}of{self.folds}"] if self.folds else []
        return "-".join([Path(self.recipe).stem, *varied, self.split, str(self.split_seed), *seed, *fold])

    def flags(self) -> list[str]:
        """Return its flags of `hf-rumor train`, without the varied ones."""
        flags = ["--split", self.split, "--split_seed", str(self.split_seed), "--seed", str(self.seed)]
        flags += ["--folds", str(self.folds), "--fold", str(self.fold)] if self.folds else []
        flags += ["--data_path", *self.corpora] if self.corpora else []
        return [*flags, "--keep_copies", "True"] if self.keep_copies else flags

    def varied_flags(self) -> list[str]:
        """Return the varied flags of `hf-rumor train`."""
        return [f"--{name}={value}" for name, value in self.varied]


@dataclass(frozen=True)
class Plan:
    """The runs of a benchmark."""

    cells: list[Cell]
    flags: list[str]  # of `hf-rumor train`, for every run
    corpus: RunArguments  # whose flags name the corpus


def make_plan(
    recipes: Sequence[str],
    splits: Sequence[str],
    vary: Mapping[str, Sequence[str]],
    flags: list[str],
    *,
    seeds: int,
    split_seeds: int | None = None,
    folds: int | None = None,
) -> Plan:
    """Return the runs, the first variant first.

    Args:
        recipes: Files, or names of bundled recipes.
        splits: Names of splits.
        vary: The values of each varied flag.
        flags: Of `hf-rumor train`, for every run.
        seeds: Number of training seeds.
        split_seeds: Number of split seeds, each combined with every training seed; None: each training seed is also
            the split seed.
        folds: Number of folds; each is the test set once per seed.

    Raises:
        ArgumentError: A flag or a value is wrong, or two runs would have the same folder.
        CorpusError: A split has no folds.
    """
    _check_flags(vary, flags)
    for split in splits if folds else ():
        check_folds(split, folds or 0, fold=0)
    grid = list(product(*([(name, value) for value in values] for name, values in vary.items())))
    cells = [
        Cell(recipe, split, split_seed, seed, varied, folds, fold)
        for recipe, varied, split in product(recipes, grid, splits)
        for split_seed, seed in _pairs_of_seeds(split, seeds, split_seeds)
        for fold in range(folds or 1)
    ]
    names = [cell.name for cell in cells]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ArgumentError(
            f"benchmark: two runs would share the folder {twice[0]}. Rename a recipe, or remove a --vary value."
        )
    if split_seeds and any(split in WITHOUT_SEED for split in splits):
        logger.info("benchmark: %s: the split seed has no effect; only split seed 0 is used", ", ".join(WITHOUT_SEED))
    variants = {(cell.recipe, cell.varied): cell for cell in cells}.values()
    parsed = [parse_arguments([cell.recipe, *flags, *cell.varied_flags()]).run for cell in variants]
    for run in parsed:
        make_loss(run.loss, run.parsed("loss_kwargs"), labels=[0, 1])  # raises its errors
    _check_corpus(parsed)
    return Plan(cells, flags, parsed[0])


def _pairs_of_seeds(split: str, seeds: int, split_seeds: int | None) -> list[tuple[int, int]]:
    """Return the seeds of split and training of each run."""
    if split_seeds is None:
        return [(seed, seed) for seed in range(seeds)]
    return list(product(range(1 if split in WITHOUT_SEED else split_seeds), range(seeds)))


def _check_flags(vary: Mapping[str, Sequence[str]], flags: Sequence[str]) -> None:
    named = {word[2:].partition("=")[0].replace("-", "_") for word in flags if word.startswith("--")}
    for name in SET_BY_BENCHMARK:
        if name in named or name in vary:
            raise ArgumentError(
                f"--{name}: set by the benchmark for each run. Use --splits, --seeds, --split_seeds and --folds."
            )
    for name in vary:
        if name in OF_THE_CORPUS:
            raise ArgumentError(f"--vary {name}: all variants must use the same posts. Run one benchmark per value.")
        if name in named:
            raise ArgumentError(f"--{name}: given as a flag and with --vary. Remove one of them.")


def _check_corpus(parsed: Sequence[RunArguments]) -> None:
    """Raise `ArgumentError` unless all runs read the same posts in the same way."""
    for name in OF_THE_CORPUS:
        values = {str(getattr(run, name)) for run in parsed}
        if len(values) > 1:
            raise ArgumentError(
                f"--recipes: the recipes have different values of --{name} ({', '.join(sorted(values))}). Pass one."
            )
