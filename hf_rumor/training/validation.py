"""The metrics of validation posts during training."""

import numpy as np
from transformers import EvalPrediction

from hf_rumor.errors import RunError
from hf_rumor.evaluation.rumor_metrics import RumorMetrics
from hf_rumor.labels import Activation, decide, rumor_probabilities


class ValidationMetrics:
    """`compute_metrics` for `Trainer`: logits -> probabilities of rumor -> metrics at threshold 0.5."""

    def __init__(self, activation: Activation) -> None:
        self.activation = activation
        self.metric = RumorMetrics(keep_in_memory=True)

    def __call__(self, prediction: EvalPrediction) -> dict[str, float]:
        """Return the metrics of gathered logits and labels. *Shape:* `(num_posts, 2)`, `(num_posts,)`."""
        logits = np.asarray(prediction.predictions)
        if not np.isfinite(logits).all():
            raise RunError("training: the logits are not finite, since training diverged. Lower --learning_rate.")
        probabilities = rumor_probabilities(logits, self.activation)
        values: dict[str, float] = self.metric.compute(
            references=prediction.label_ids, predictions=decide(probabilities, 0.5), scores=probabilities
        )
        return values
