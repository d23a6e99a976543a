"""The report of a run as typed parts, and `report.json`: written from them and read back into them."""

import json
import math
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from hf_rumor.errors import ModelError
from hf_rumor.evaluation.baseline import Baselines
from hf_rumor.evaluation.calibration import Calibration
from hf_rumor.evaluation.curves import Curves, Mistake
from hf_rumor.evaluation.decision import Decision
from hf_rumor.evaluation.early import EarlyDetection
from hf_rumor.evaluation.measure import Measured
from hf_rumor.evaluation.prior import Prior
from hf_rumor.evaluation.slices import Slice


SCHEMA_VERSION = 2
JOIN = " + "  # between the paths of several sources
REPORT_FILE = "report.json"
OUTSIDE = "outside"  # name of the split if the posts are those of another corpus


@dataclass(frozen=True)
class DataFacts:
    """The corpus, after cleaning."""

    path: str  # of each source, joined by `JOIN`
    sha256: str  # of its file or folder
    texts_sha256: str  # of its texts, in any order and any file
    num_posts: int
    num_rumors: int
    findings: dict[str, int]
    is_synthetic: bool  # whether it contains `data/sample`
    share_unknown_tokens: float  # among the tokens of the test posts; NaN if it was not counted

    @property
    def name(self) -> str:
        """Return the path without folders, or those of all sources."""
        return JOIN.join(Path(path).name for path in self.path.split(JOIN))


@dataclass(frozen=True)
class SplitFacts:
    """How test posts were chosen, and the number of posts in each part."""

    name: str
    seed: int | None  # None for `OUTSIDE`
    fold: str | None  # as "2 of 5", counted from 0
    train: int
    validation: int
    test: int
    num_leaking_test_posts: int | None  # those with a near-duplicate in the other sets; None for `OUTSIDE`
    num_seen_test_posts: int | None  # in an earlier training; dropped, except for `OUTSIDE`; None if unknown
    num_resamples: int  # of the bootstrap


@dataclass(frozen=True)
class ModelFacts:
    """The model."""

    name: str
    hub_name: str | None  # None if it is not one of the Hub
    architecture: str
    num_parameters: int
    max_length: int  # tokens
    pooling: str


@dataclass(frozen=True)
class LossFacts:
    """The loss that was minimized, and the `activation` by which logits become probabilities."""

    name: str
    kwargs: dict[str, Any]
    formula: str
    activation: str


@dataclass(frozen=True)
class Epoch:
    """The results of one validation, and the mean training loss since the one before."""

    step: int
    epoch: float
    mean_loss: float
    validation_loss: float
    validation_macro_f1: float


@dataclass(frozen=True)
class Step:
    """A point of the loss curve."""

    step: int
    loss: float
    learning_rate: float


@dataclass(frozen=True)
class Training:
    """The course of the training; after an interruption, times and speed are those of the last session."""

    started_at: str  # ISO 8601
    ended_at: str
    runtime_seconds: float
    resumed_at_step: int | None  # None without an interruption
    posts_per_second: float
    epochs: float
    total_steps: int
    planned_steps: int  # more than `total_steps` if it stopped early
    warmup_steps: int
    schedule: str
    learning_rate: float  # at its peak
    batch_size: int  # posts per optimizer step, on all devices together
    chosen_by: str | None  # metric that selects the best checkpoint
    best_metric: float | None
    best_checkpoint: str | None  # None if the model after the last step is kept
    hyper_parameters: dict[str, Any]  # every flag that can change the model, and dropout
    history: tuple[Epoch, ...]
    curve: tuple[Step, ...]


@dataclass(frozen=True)
class Environment:
    """The versions and the hardware."""

    versions: dict[str, str]
    platform: str
    device: str
    precision: str
    precision_reason: str
    num_processes: int


@dataclass(frozen=True)
class Report:
    """The report of a finished run; the names of its parts are the keys of `report.json`."""

    data: DataFacts
    split: SplitFacts
    model: ModelFacts
    loss: LossFacts
    train: Training
    validation: Measured  # posts that selected checkpoint, calibration and threshold
    test: Measured  # posts that selected nothing
    unseen: Measured | None  # for `OUTSIDE`: the test posts that the model has not seen, if some are
    baseline: Baselines
    calibration: Calibration
    decision: Decision
    curves: Curves
    slices: tuple[Slice, ...]
    mistakes: tuple[Mistake, ...]
    environment: Environment
    recipe: dict[str, Any]  # flag -> value; repeats the run
    auto: dict[str, Any]  # flag -> value, for flags that were chosen automatically
    prior: Prior | None = None  # to which the probabilities are adjusted; for `OUTSIDE`
    early: EarlyDetection | None = None  # with reposts; `test` and all other parts are on the text alone
    schema_version: int = SCHEMA_VERSION

    @property
    def is_outside(self) -> bool:
        """Return whether the test posts are those of another corpus than the training posts."""
        return self.split.name == OUTSIDE

    @property
    def fold(self) -> str | None:
        """Return which fold is the test, if folds were requested."""
        return self.split.fold if self.recipe.keys() & {"folds", "fold"} else None


def to_json(report: Report) -> str:
    """Return the report as JSON; a float that is not defined is null."""
    return json.dumps(without_nan(asdict(report)), ensure_ascii=False, indent=2) + "\n"


def without_nan(value: Any) -> Any:
    """Return a value for JSON, with None for each float that is not defined."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_report(path: Path) -> Report:
    """Return the report of a run.

    Raises:
        ModelError: There is none, or it is not a report of this version.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if (version := values["schema_version"]) != SCHEMA_VERSION:
            raise ModelError(f"{path}: schema version {version} instead of {SCHEMA_VERSION}. Rerun the training.")
        report: Report = from_json(Report, values)
        return report
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such file. Train the model with hf-rumor train.") from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: not a report of hf_rumor ({error!r}). Restore the file.") from error


def from_json(kind: Any, value: Any) -> Any:
    """Return a value of JSON as `kind`: a dataclass, tuple, dict, optional or plain type.

    A number that is null or missing is NaN, and a missing part that may be None is None, so that reports from before
    it was added can be read.

    Raises:
        LookupError: A field is missing.
        TypeError: A value has another type.
    """
    if kind is Any:
        return value
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        absent = {name: None for name, hint in hints.items() if hint is float or NoneType in get_args(hint)}
        return kind(
            **{entry.name: from_json(hints[entry.name], (absent | value)[entry.name]) for entry in fields(kind)}
        )
    origin, kinds = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return None if value is None else from_json(kinds[0], value)
    if origin is dict and isinstance(value, dict):
        return {key: from_json(kinds[1], item) for key, item in value.items()}
    if origin is tuple and isinstance(value, list):
        kinds = kinds[:1] * len(value) if kinds[1] is Ellipsis else kinds
        return tuple(from_json(item_kind, item) for item_kind, item in zip(kinds, value, strict=True))
    if kind is float:
        return math.nan if value is None else float(value)
    if origin is not None or not isinstance(value, kind):
        raise TypeError(f"{value!r} is not {kind}")
    return value
