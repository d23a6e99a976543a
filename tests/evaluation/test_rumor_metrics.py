import subprocess
import sys

import numpy as np
import pytest

from hf_rumor.evaluation.metrics import METRICS, compute_metrics
from hf_rumor.evaluation.rumor_metrics import RumorMetrics


LABELS, PREDICTED, SCORES = [0, 1, 1, 0, 1], [0, 1, 0, 1, 1], [0.2, 0.9, 0.4, 0.7, 0.8]


@pytest.fixture
def metric():
    return RumorMetrics(keep_in_memory=True)


def test_the_evaluate_metric_gives_the_metrics_of_the_report(metric):
    found = metric.compute(references=LABELS, predictions=PREDICTED, scores=SCORES)
    assert found == compute_metrics(np.array(LABELS), np.array(PREDICTED), np.array(SCORES))


def test_batches_add_up(metric):
    for start in (0, 2):
        part = slice(start, start + 2 if start == 0 else None)
        metric.add_batch(references=LABELS[part], predictions=PREDICTED[part], scores=SCORES[part])
    assert metric.compute() == compute_metrics(np.array(LABELS), np.array(PREDICTED), np.array(SCORES))


def test_the_example_of_the_docstring_is_true(metric):
    found = metric.compute(references=[0, 1, 1], predictions=[0, 1, 0], scores=[0.2, 0.9, 0.4])
    assert round(found["accuracy"], 3) == 0.667


def test_the_description_explains_each_metric(metric):
    assert [name for name in METRICS if f"{name}: {METRICS[name]}" not in metric.description] == []


def test_the_metrics_alone_do_not_import_evaluate():
    code = "import hf_rumor.evaluation.measure, sys; print('evaluate' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
