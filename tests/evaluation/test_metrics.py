from dataclasses import asdict, fields

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from hf_rumor.evaluation.metrics import (
    CELLS,
    LOWER_IS_BETTER,
    METRICS,
    Metrics,
    compute_metrics,
    confusion,
    scores_of_cells,
    weighted_metrics,
)
from hf_rumor.labels import decide


def draw(seed, num_posts=None):
    """Return random labels (both occur), decisions and probabilities; for odd seeds with many ties."""
    random = np.random.default_rng(seed)
    num_posts = num_posts or int(random.integers(2, 60))
    labels = random.permutation(np.arange(num_posts) % 2)
    probabilities = random.random(num_posts).round(1 if seed % 2 else 12)
    return labels, decide(probabilities, 0.5), probabilities


def oracle(labels, predicted, probabilities):
    """Return the metrics by scikit-learn, and the calibration error by its definition; areas need both labels."""
    other, both = {"pos_label": 0, "zero_division": 0}, len(set(labels.tolist())) == 2
    order = np.argsort(probabilities)
    gaps = (probabilities - labels)[order]
    for value in np.unique(probabilities):
        gaps[probabilities[order] == value] = gaps[probabilities[order] == value].mean()
    runs = np.array_split(gaps, min(15, len(labels)))
    return {
        "accuracy": sklearn_metrics.accuracy_score(labels, predicted),
        "macro_f1": sklearn_metrics.f1_score(labels, predicted, labels=[0, 1], average="macro", zero_division=0),
        "rumor_precision": sklearn_metrics.precision_score(labels, predicted, zero_division=0),
        "rumor_recall": sklearn_metrics.recall_score(labels, predicted, zero_division=0),
        "rumor_f1": sklearn_metrics.f1_score(labels, predicted, zero_division=0),
        "non_rumor_precision": sklearn_metrics.precision_score(labels, predicted, **other),
        "non_rumor_recall": sklearn_metrics.recall_score(labels, predicted, **other),
        "non_rumor_f1": sklearn_metrics.f1_score(labels, predicted, **other),
        "roc_auc": sklearn_metrics.roc_auc_score(labels, probabilities) if both else np.nan,
        "pr_auc": sklearn_metrics.average_precision_score(labels, probabilities) if both else np.nan,
        "ece": sum(abs(run.sum()) for run in runs) / len(labels),
        "brier": np.mean((probabilities - labels) ** 2),
        "log_loss": sklearn_metrics.log_loss(labels, probabilities, labels=[0, 1]),
    }


@pytest.mark.parametrize("seed", range(30))
def test_metrics_equal_scikit_learn(seed):
    columns = draw(seed)
    metrics, expected = asdict(compute_metrics(*columns)), oracle(*columns)
    assert {name: metrics[name] for name in expected} == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("digits", [0, 1, 12])
@pytest.mark.parametrize("num_posts", [1, 2, 5, 60])
def test_the_metrics_of_a_resample_equal_scikit_learn_on_its_posts(num_posts, digits):
    random = np.random.default_rng(0)
    labels, predicted = random.integers(2, size=(2, num_posts))
    probabilities = np.round(0.3 * labels + 0.7 * random.random(num_posts), digits)
    times = random.multinomial(num_posts, np.full(num_posts, 1 / num_posts), size=20)
    samples = weighted_metrics(labels, predicted, probabilities, times.astype(np.float64))
    assert samples.keys() == {*METRICS, *CELLS}
    for number, row in enumerate(times):
        posts = [np.repeat(column, row) for column in (labels, predicted, probabilities)]
        expected = oracle(*posts) | dict(zip(CELLS, np.ravel(confusion(*posts[:2])), strict=True))
        assert {name: samples[name][number] for name in expected} == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_a_ratio_with_denominator_0_is_0():
    assert all(values == [0.0] for values in scores_of_cells(np.zeros((1, 4))).values())


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("num_posts", [1, 7])
@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_with_one_label_the_metrics_that_need_the_other_are_undefined(label, num_posts, probability):
    labels, probabilities = np.full(num_posts, label), np.full(num_posts, probability)
    metrics = asdict(compute_metrics(labels, decide(probabilities, 0.5), probabilities))
    this, other = ("non_rumor", "rumor") if label == 0 else ("rumor", "non_rumor")
    undefined = {name for name, value in metrics.items() if np.isnan(value)}
    kinds = ("precision", "recall", "f1")
    assert undefined >= {"macro_f1", "roc_auc", "pr_auc", *(f"{other}_{kind}" for kind in kinds)}
    assert not undefined & {"accuracy", "ece", "brier", "log_loss", *(f"{this}_{kind}" for kind in kinds)}


@pytest.mark.parametrize("decision", [0, 1])
def test_the_precision_for_a_label_that_is_never_predicted_is_zero(decision):
    metrics = asdict(compute_metrics(np.array([0, 1, 1]), np.full(3, decision), np.full(3, 0.5)))
    absent = ["rumor", "non_rumor"][decision]
    assert [metrics[f"{absent}_{kind}"] for kind in ("precision", "recall", "f1")] == [0, 0, 0]


def test_a_perfect_classifier_has_the_best_value_of_each_metric():
    labels = np.array([0, 1, 1, 0, 0])
    best = dict.fromkeys(METRICS, 1.0) | dict.fromkeys(LOWER_IS_BETTER, 0.0)
    assert asdict(compute_metrics(labels, labels, labels.astype(np.float64))) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("seed", range(0, 10, 2))
def test_metrics_do_not_depend_on_the_order_of_posts(seed):
    columns = draw(seed, num_posts=40)
    order = np.random.default_rng(seed + 1).permutation(40)
    shuffled = compute_metrics(*(column[order] for column in columns))
    assert asdict(shuffled) == pytest.approx(asdict(compute_metrics(*columns)))


def test_every_metric_has_a_meaning():
    assert all(len(entry.metadata["meaning"]) > 10 for entry in fields(Metrics))


def test_a_post_at_the_threshold_is_a_rumor():
    below = np.nextafter(0.7, 0)
    assert decide(np.array([0.0, below, 0.7, 1.0]), 0.7).tolist() == [0, 0, 1, 1]
    assert decide(np.array([0.5]), 0.5).dtype == np.int64


def test_confusion_by_hand():
    labels = np.array([0, 0, 0, 1, 1, 1, 1, 1, 1, 0])
    predicted = np.array([0, 0, 1, 1, 1, 1, 0, 0, 1, 0])
    assert confusion(labels, predicted) == ((3, 1), (2, 4))


@pytest.mark.parametrize(
    ("label", "decision", "counts"),
    [(0, 0, ((2, 0), (0, 0))), (0, 1, ((0, 2), (0, 0))), (1, 0, ((0, 0), (2, 0))), (1, 1, ((0, 0), (0, 2)))],
)
def test_confusion_has_four_cells_even_if_only_one_is_used(label, decision, counts):
    assert confusion(np.full(2, label), np.full(2, decision)) == counts
