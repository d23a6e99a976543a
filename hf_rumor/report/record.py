"""What came of a run: the record, and the files it is written to."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hf_rumor.evaluation.measure import Prediction
from hf_rumor.report.html import to_html
from hf_rumor.report.markdown import to_markdown
from hf_rumor.util.files import write_text


SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Report:
    """All that is known of a finished run; the keys of each part are those of `report.json`.

    Attributes:
        data: Path, digest, counts and findings of the corpus.
        split: Name, seed, sizes, and test posts with a near-duplicate in the training part.
        model: Name, kind and number of weights, length at which texts are cut.
        loss: The loss that trained, and how probabilities are formed.
        train: Times, speed, schedule, curve.
        validation: Metrics on the posts that made every choice: checkpoint, calibration, threshold.
        test: Metrics on posts that chose nothing, with intervals.
        baseline: The simplest things that could work on the same posts, and by how much the model is better.
        calibration: How probabilities were corrected on validation posts, and what it changed.
        decision: The threshold, how it was chosen, what it gives; accuracy against coverage.
        curves: Points of the curves on test posts.
        slices: Accuracy on each kind of test posts.
        mistakes: The most confident ones, by id.
        environment: Versions, device, precision, processes.
        recipe: What repeats the run.
        auto: The flags that were left open, with what was chosen.
    """

    data: dict[str, Any]
    split: dict[str, Any]
    model: dict[str, Any]
    loss: dict[str, Any]
    train: dict[str, Any]
    validation: dict[str, Any]
    test: dict[str, Any]
    baseline: dict[str, Any]
    calibration: dict[str, Any]
    decision: dict[str, Any]
    curves: dict[str, Any]
    slices: list[dict[str, Any]]
    mistakes: list[dict[str, Any]]
    environment: dict[str, Any]
    recipe: dict[str, Any]
    auto: dict[str, Any]
    schema_version: int = SCHEMA_VERSION


def write_report(folder: Path, report: Report, predictions: Sequence[Prediction], texts: Mapping[str, str]) -> None:
    """Write `report.json`, `report.md`, `report.html` and `predictions.jsonl`, each whole or not at all.

    Args:
        folder: Where.
        report: What.
        predictions: One for each test post.
        texts: Text of each post among the mistakes, by id; for `report.html`.
    """
    lines = [json.dumps(asdict(prediction), ensure_ascii=False) for prediction in predictions]
    write_text(folder / "predictions.jsonl", "".join(f"{line}\n" for line in lines))
    write_text(folder / "report.md", to_markdown(report))
    as_json = to_json(report)
    write_text(folder / "report.html", to_html(json.loads(as_json), texts))
    write_text(folder / "report.json", as_json)


def to_json(report: Report) -> str:
    """Return the report as JSON; a number that is not defined is null."""
    return json.dumps(_without_nan(asdict(report)), ensure_ascii=False, indent=2) + "\n"


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
