import numpy as np
import pytest

from hf_rumor.evaluation.baseline import BaselinePredictions
from hf_rumor.evaluation.curves import confident_mistakes, measure_curves
from hf_rumor.evaluation.decision import Threshold
from hf_rumor.evaluation.intervals import COUNTS
from hf_rumor.evaluation.measure import Scored, measure, measure_baselines, measure_calibration, measure_decision
from hf_rumor.evaluation.metrics import METRICS, decide
from hf_rumor.evaluation.report import Report
from hf_rumor.evaluation.slices import PostTraits, measure_slices


NAN = float("nan")
NEW_YEAR_2013 = 1356969600


def _constant_parts():
    """Return the parts of a report that do not depend on the test posts; anew each time, since tests change them."""
    return {
        "data": {
            "path": "data/sample",
            "sha256": "5ca1ab1e",
            "num_posts": 4321,
            "num_rumors": 2000,
            "findings": {"times_as_text": 12},
        },
        "split": {
            "name": "grouped",
            "seed": 42,
            "train": 3000,
            "validation": 321,
            "test": 1000,
            "fold": "0 of 5",
            "num_leaking_test_posts": 25,
            "num_resamples": 1000,
        },
        "model": {"name": "mini", "architecture": "BertModel", "num_parameters": 1234567, "max_length": 128},
        "loss": {"name": "bce", "kwargs": {}, "formula": "-y log p - (1 - y) log(1 - p)", "activation": "sigmoid"},
        "train": {
            "epochs": 3.0,
            "total_steps": 1200,
            "warmup_steps": 120,
            "schedule": "linear",
            "learning_rate": 5e-5,
            "runtime_seconds": 61.4,
            "started_at": "2026-11-23T10:00:00+00:00",
            "ended_at": "2026-11-23T10:01:01+00:00",
            "posts_per_second": 48.9,
            "history": [
                {"step": 10, "epoch": 1.0, "mean_loss": NAN, "validation_loss": 0.5, "validation_macro_f1": 0.7},
                {"step": 20, "epoch": 2.0, "mean_loss": 0.25, "validation_loss": 0.375, "validation_macro_f1": 0.75},
            ],
            "curve": [
                {"step": 10, "loss": 0.7, "learning_rate": 5e-5},
                {"step": 20, "loss": 0.5, "learning_rate": 0.0},
            ],
        },
        "environment": {
            "versions": {"hf_rumor": "0.1.0", "torch": "2.13"},
            "device": "cpu",
            "precision": "fp32",
            "precision_reason": "no GPU",
            "num_processes": 1,
        },
        "recipe": {"loss": "bce"},
        "auto": {"model_name_or_path": "mini", "precision": "fp32"},
    }


def _make_report(labels=(0, 1, 1, 0), probabilities=(0.1, 0.9, 0.4, 0.2)):
    """Return a report on a test part with these labels and probabilities."""
    scored = Scored(
        [str(number) for number in range(len(labels))],
        np.array(labels),
        np.array(probabilities, dtype=np.float64),
        0.25,
    )
    test = measure(scored, threshold=0.5)
    intervals = {name: (test[name] - 0.125, test[name] + 0.125) for name in METRICS}
    intervals |= {name: (n, 2.0 * n) for name, n in zip(COUNTS, np.ravel(test["confusion"]).tolist(), strict=True)}
    return Report(
        **_constant_parts(),
        validation=measure(scored, threshold=0.5),
        test={**test, "intervals": intervals},
        baseline=measure_baselines(
            BaselinePredictions(np.array([0] * len(labels)), np.array([1] * len(labels))),
            scored,
            0.5,
            np.arange(len(labels)),
        ),
        calibration={
            "method": "platt",
            "lines": {"non-rumor": {"slope": 0.5, "intercept": 0.25}, "rumor": {"slope": 0.75, "intercept": -0.5}},
            **measure_calibration({"test": scored}, {"test": scored}),
        },
        decision=measure_decision(
            "precision>=0.9", Threshold(0.5, reached=False), 0.75, {"validation": scored, "test": scored}
        ),
        curves=measure_curves(scored.labels, scored.probabilities, scored.probabilities),
        slices=measure_slices(
            PostTraits(
                texts=["短", "长" * 160, "短短", "长" * 60][: len(labels)],
                posted_at=[NEW_YEAR_2013] * len(labels),
                has_url=[True, False, None, True][: len(labels)],
                num_reposts=[0] * len(labels),
                author_verified=[None] * len(labels),
            ),
            scored.labels,
            decide(scored.probabilities, 0.5),
            np.arange(len(labels)),
        ),
        mistakes=confident_mistakes(scored.ids, scored.labels, scored.probabilities, 0.5),
    )


@pytest.fixture(scope="session")
def make_report():
    """Return a function that makes a report on a test part with given labels and probabilities."""
    return _make_report
