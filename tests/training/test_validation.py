import numpy as np
import pytest
from sklearn.metrics import f1_score
from transformers import EvalPrediction

from hf_rumor.errors import RunError
from hf_rumor.training.validation import ValidationMetrics


def test_validation_metrics_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    logits, labels = random.normal(size=(50, 2)).astype(np.float32), random.integers(0, 2, 50)
    values = ValidationMetrics("sigmoid")(EvalPrediction(predictions=logits, label_ids=labels))
    assert values["macro_f1"] == pytest.approx(f1_score(labels, logits[:, 1] >= 0, average="macro"))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_training_that_diverged_is_an_error(value):
    logits = np.array([[0.0, value], [0.0, 1.0]], dtype=np.float32)
    with pytest.raises(RunError, match=r"training diverged\. Lower --learning_rate"):
        ValidationMetrics("sigmoid")(EvalPrediction(predictions=logits, label_ids=np.array([0, 1])))
