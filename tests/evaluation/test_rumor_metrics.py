import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest

from hf_rumor.evaluation.metrics import METRICS, compute_metrics
from hf_rumor.evaluation.rumor_metrics import RumorMetrics


LABELS, PREDICTED, SCORES = [0, 1, 1, 0, 1], [0, 1, 0, 1, 1], [0.2, 0.9, 0.4, 0.7, 0.8]
EXPECTED = asdict(compute_metrics(np.array(LABELS), np.array(PREDICTED), np.array(SCORES)))


@pytest.fixture
def metric():
    return RumorMetrics(keep_in_memory=True)


def test_the_evaluate_metric_gives_the_metrics_of_the_report(metric):
    values = metric.compute(references=LABELS, predictions=PREDICTED, scores=SCORES)
    assert values == EXPECTED


def test_batches_add_up(metric):
    for start in (0, 2):
        part = slice(start, start + 2 if start == 0 else None)
        metric.add_batch(references=LABELS[part], predictions=PREDICTED[part], scores=SCORES[part])
    assert metric.compute() == EXPECTED


def test_the_example_in_the_docstring_is_correct(metric):
    values = metric.compute(references=[0, 1, 1], predictions=[0, 1, 0], scores=[0.2, 0.9, 0.4])
    assert round(values["accuracy"], 3) == 0.667


def test_the_description_explains_each_metric(metric):
    assert [name for name in METRICS if f"{name}: {METRICS[name]}" not in metric.description] == []


def test_the_metrics_alone_do_not_import_evaluate():
    code = "import hf_rumor.evaluation.measure, sys; print('evaluate' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
