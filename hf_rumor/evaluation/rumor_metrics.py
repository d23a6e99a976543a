"""The metrics as an `evaluate.Metric` that needs no network. Importing `evaluate` takes seconds: import this late."""

from dataclasses import asdict
from typing import Any

import evaluate
import numpy as np
from datasets import Features, Value

from hf_rumor.evaluation.metrics import METRICS, compute_metrics


class RumorMetrics(evaluate.Metric):  # type: ignore[misc]  # evaluate ships no types
    """Accuracy, precision, recall and F1 per label and macro, areas, calibration; label 1 is rumor.

    Example:
        ```python
        metric = RumorMetrics(keep_in_memory=True)
        metric.compute(references=[0, 1, 1], predictions=[0, 1, 0], scores=[0.2, 0.9, 0.4])["accuracy"]  # 0.667
        ```
    """

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="Metrics of a rumor classifier: " + "; ".join(f"{k}: {v}" for k, v in METRICS.items()),
            citation="",
            inputs_description="references and predictions: 0 or 1; scores: probability of rumor in [0, 1]",
            features=Features(
                {"predictions": Value("int64"), "references": Value("int64"), "scores": Value("float64")}
            ),
        )

    def _compute(self, predictions: Any, references: Any, scores: Any) -> dict[str, float]:
        return asdict(compute_metrics(np.asarray(references), np.asarray(predictions), np.asarray(scores)))
