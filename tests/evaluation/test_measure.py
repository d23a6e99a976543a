from dataclasses import asdict, replace

import numpy as np
import pytest

from hf_rumor.evaluation import measure as module
from hf_rumor.evaluation.measure import measure
from hf_rumor.evaluation.metrics import CELLS, METRICS, Scored, compute_metrics


@pytest.fixture
def scored():
    return Scored(
        ids=["a", "b", "c", "d"],
        labels=np.array([0, 1, 1, 0]),
        probabilities=np.array([0.1, 0.9, 0.4, 0.6]),
        loss=0.5,
    )


def test_a_part_is_measured_with_counts_loss_and_all_metrics(scored):
    measured = measure(scored, threshold=0.5)
    assert (measured.num_posts, measured.loss, measured.confusion) == (4, 0.5, ((1, 1), (1, 1)))
    expected = compute_metrics(scored.labels, np.array([0, 1, 0, 1]), scored.probabilities)
    assert asdict(measured).items() >= asdict(expected).items()
    assert measured.intervals == {}


@pytest.mark.parametrize(
    ("threshold", "confusion"), [(0.0, ((0, 2), (0, 2))), (0.4, ((1, 1), (0, 2))), (0.95, ((2, 0), (2, 0)))]
)
def test_a_post_is_a_rumor_from_the_threshold_on(scored, threshold, confusion):
    measured = measure(scored, threshold)
    assert (measured.threshold, measured.confusion) == (threshold, confusion)
    assert measured.accuracy == (confusion[0][0] + confusion[1][1]) / 4


def test_intervals_belong_to_the_decisions_at_the_same_threshold(scored, monkeypatch):
    monkeypatch.setattr(module, "NUM_RESAMPLES", 3)
    one_group = np.zeros(4, dtype=np.int64)  # so that all resamples agree
    measured = measure(scored, 0.4, one_group)
    assert replace(measured, intervals={}) == measure(scored, 0.4)
    assert measured.intervals.keys() == {*METRICS, *CELLS}
    values = asdict(measured) | dict(zip(CELLS, np.ravel(measured.confusion), strict=True))
    for name, (low, high) in measured.intervals.items():
        if name.endswith(("accuracy", "precision", "recall")):
            assert low == (pytest.approx(0.025) if values[name] == 1.0 else 0.0)
            assert high == (pytest.approx(0.975) if values[name] == 0.0 else 1.0)
        elif values[name] == 0 and name in CELLS:
            assert (low, high) == pytest.approx((0.0, 4 * 0.975))
        else:
            assert np.isnan([low, high]).all()


def test_an_undefined_metric_has_no_interval(scored):
    rumors = replace(scored, labels=np.ones(4, dtype=np.int64))
    measured = measure(rumors, 0.5, np.arange(4))
    undefined = {name for name in METRICS if np.isnan(getattr(measured, name))}
    assert "macro_f1" in undefined
    assert "rumor_recall" not in undefined
    assert np.isnan([measured.intervals[name] for name in undefined]).all()
    assert np.isfinite(measured.intervals["rumor_recall"]).all()
