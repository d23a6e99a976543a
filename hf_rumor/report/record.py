"""The report of a run as typed parts, and `report.json`: written from them and read back into them."""

import json
import math
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from hf_rumor.errors import ModelError
from hf_rumor.evaluation.baseline import Baselines
from hf_rumor.evaluation.calibration import Calibration
from hf_rumor.evaluation.curves import Curves, Mistake
from hf_rumor.evaluation.decision import Decision
from hf_rumor.evaluation.measure import Measured
from hf_rumor.evaluation.slices import Slice


SCHEMA_VERSION = 2
REPORT_FILE = "report.json"
OUTSIDE = "outside"  # name of the split if the posts are those of another corpus

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class DataFacts:
    """The corpus.

    Attributes:
        path: What `--data_path` finds it by again.
        sha256: Digest of its file or folder.
        texts_sha256: Digest of its texts, whatever file they are in.
        num_posts: After cleaning.
        num_rumors: Among them.
        findings: Counts of what was unusual.
        is_synthetic: Whether it is `data/sample`.
    """

    path: str
    sha256: str
    texts_sha256: str
    num_posts: int
    num_rumors: int
    findings: dict[str, int]
    is_synthetic: bool


@dataclass(frozen=True)
class SplitFacts:
    """How test posts were chosen, and the number of posts in each part.

    Attributes:
        name: Of the split, or `OUTSIDE`.
        seed: None for `OUTSIDE`.
        fold: As "2 of 5", counted from 0; None if the split has no folds.
        train: Number of training posts.
        validation: Number of validation posts.
        test: Number of test posts.
        num_leaking_test_posts: Those with a near-duplicate in the other parts; None if that is unknown.
        num_resamples: Of the bootstrap.
    """

    name: str
    seed: int | None
    fold: str | None
    train: int
    validation: int
    test: int
    num_leaking_test_posts: int | None
    num_resamples: int


@dataclass(frozen=True)
class ModelFacts:
    """The model; `hub_name` is None if it is not one of the Hub, `max_length` counts tokens."""

    name: str
    hub_name: str | None
    architecture: str
    num_parameters: int
    max_length: int
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
    """The course of the training.

    Attributes:
        started_at: ISO 8601.
        ended_at: ISO 8601.
        runtime_seconds: Of this session; after an interruption, since `resumed_at_step`.
        resumed_at_step: None if there was no interruption.
        posts_per_second: Of this session.
        epochs: How many were trained.
        total_steps: Optimizer steps that were taken.
        planned_steps: More than `total_steps` if it stopped early.
        warmup_steps: Among them.
        schedule: Of the learning rate.
        learning_rate: At its peak.
        batch_size: Posts per optimizer step, on all devices together.
        chosen_by: Metric that selects the best checkpoint.
        best_metric: Its best value, on validation posts.
        best_checkpoint: The checkpoint that became the model; None if it is the model after the last step.
        hyper_parameters: Every flag that can change the model -> its value; dropout from the configuration.
        history: One entry per validation.
        curve: One entry per logged step.
    """

    started_at: str
    ended_at: str
    runtime_seconds: float
    resumed_at_step: int | None
    posts_per_second: float
    epochs: float
    total_steps: int
    planned_steps: int
    warmup_steps: int
    schedule: str
    learning_rate: float
    batch_size: int
    chosen_by: str | None
    best_metric: float | None
    best_checkpoint: str | None
    hyper_parameters: dict[str, Any]
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
    """The report of a finished run; the names of its parts are the keys of `report.json`.

    Attributes:
        data: The corpus.
        split: How test posts were chosen.
        model: The model.
        loss: The loss that was minimized.
        train: The course of the training.
        validation: Metrics on the posts that selected checkpoint, calibration and threshold.
        test: Metrics with intervals on posts that selected nothing.
        baseline: How the model compares with baselines on the same posts.
        calibration: How probabilities were calibrated on validation posts, and what that changed.
        decision: The threshold, how it was chosen, and what it gives.
        curves: Points of the curves on test posts.
        slices: Accuracy on kinds of test posts.
        mistakes: The most confident ones, without texts.
        environment: Versions and hardware.
        recipe: Flag -> value; repeats the run.
        auto: Flag -> value, for flags that were chosen automatically.
        schema_version: Of `report.json`.
    """

    data: DataFacts
    split: SplitFacts
    model: ModelFacts
    loss: LossFacts
    train: Training
    validation: Measured
    test: Measured
    baseline: Baselines
    calibration: Calibration
    decision: Decision
    curves: Curves
    slices: tuple[Slice, ...]
    mistakes: tuple[Mistake, ...]
    environment: Environment
    recipe: dict[str, Any]
    auto: dict[str, Any]
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
    return json.dumps(_without_nan(asdict(report)), ensure_ascii=False, indent=2) + "\n"


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_report(path: Path) -> Report:
    """Return the report of a run.

    Raises:
        ModelError: There is none, or it is not a report of this version.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        version = values["schema_version"]
        if version != SCHEMA_VERSION:
            raise ModelError(f"{path}: schema version {version} instead of {SCHEMA_VERSION}. Rerun the training.")
        return from_json(Report, values)
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no report of hf_rumor. Train the model with hf-rumor train.") from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: not a report of hf_rumor ({error!r}). Restore the file.") from error


def from_json(kind: type[Kind], value: Any) -> Kind:
    """Return a value of JSON as `kind`: a dataclass, tuple, dict, optional or plain type; null as a float is NaN.

    Raises:
        LookupError: A field is missing.
        TypeError: A value has another type.
    """
    return _convert(kind, value)  # type: ignore[no-any-return]


def _convert(kind: Any, value: Any) -> Any:
    if kind is Any:
        return value
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{entry.name: _convert(hints[entry.name], value[entry.name]) for entry in fields(kind)})
    origin, kinds = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return None if value is None else _convert(kinds[0], value)
    if origin is dict and isinstance(value, dict):
        return {key: _convert(kinds[1], item) for key, item in value.items()}
    if origin is tuple and isinstance(value, list):
        kinds = kinds[:1] * len(value) if kinds[1] is Ellipsis else kinds
        return tuple(_convert(item_kind, item) for item_kind, item in zip(kinds, value, strict=True))
    if kind is float:
        return math.nan if value is None else float(value)
    if origin is not None or not isinstance(value, kind):
        raise TypeError(f"{value!r} is not {kind}")
    return value
