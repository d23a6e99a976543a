import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from hf_rumor.evaluation.metrics import METRICS, compute_metrics, confusion
from hf_rumor.labels import decide


AREAS = {"roc_auc", "pr_auc"}


def draw(seed, num_posts=None):
    """Return random labels (both occur), decisions and probabilities; every other time with many ties."""
    random = np.random.default_rng(seed)
    num_posts = num_posts or int(random.integers(2, 60))
    labels = random.permutation(np.arange(num_posts) % 2)
    probabilities = random.random(num_posts).round(1 if seed % 2 else 12)
    return labels, decide(probabilities, 0.5), probabilities


def test_the_metrics_are_those_that_are_explained_in_their_order():
    assert list(compute_metrics(*draw(0))) == list(METRICS)
    assert all(isinstance(value, float) for value in compute_metrics(*draw(0)).values())


@pytest.mark.parametrize("seed", range(30))
def test_metrics_equal_scikit_learn(seed):
    labels, predicted, probabilities = draw(seed)
    other = {"pos_label": 0, "zero_division": 0}
    expected = {
        "accuracy": sklearn_metrics.accuracy_score(labels, predicted),
        "macro_f1": sklearn_metrics.f1_score(labels, predicted, average="macro", zero_division=0),
        "rumor_precision": sklearn_metrics.precision_score(labels, predicted, zero_division=0),
        "rumor_recall": sklearn_metrics.recall_score(labels, predicted),
        "rumor_f1": sklearn_metrics.f1_score(labels, predicted, zero_division=0),
        "non_rumor_precision": sklearn_metrics.precision_score(labels, predicted, **other),
        "non_rumor_recall": sklearn_metrics.recall_score(labels, predicted, **other),
        "non_rumor_f1": sklearn_metrics.f1_score(labels, predicted, **other),
        "roc_auc": sklearn_metrics.roc_auc_score(labels, probabilities),
        "pr_auc": sklearn_metrics.average_precision_score(labels, probabilities),
        "brier": np.mean((probabilities - labels) ** 2),
        "log_loss": sklearn_metrics.log_loss(labels, probabilities, labels=[0, 1]),
    }
    found = compute_metrics(labels, predicted, probabilities)
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_metrics_equal_their_formulas(seed):
    labels, predicted, probabilities = draw(seed, num_posts=30)
    found = compute_metrics(labels, predicted, probabilities)
    hits = np.sum((labels == 1) & (predicted == 1))
    assert found["accuracy"] == pytest.approx(np.mean(labels == predicted))
    assert found["rumor_precision"] == pytest.approx(hits / max(1, predicted.sum()))
    assert found["rumor_recall"] == pytest.approx(hits / labels.sum())
    assert found["rumor_f1"] == pytest.approx(2 * hits / (predicted.sum() + labels.sum()))
    assert found["macro_f1"] == pytest.approx((found["rumor_f1"] + found["non_rumor_f1"]) / 2)
    rumors, others = probabilities[labels == 1], probabilities[labels == 0]
    above = (rumors[:, None] > others).mean() + (rumors[:, None] == others).mean() / 2
    assert found["roc_auc"] == pytest.approx(above)
    clipped = np.clip(probabilities, 1e-15, 1 - 1e-15)
    losses = -np.log(np.where(labels == 1, clipped, 1 - clipped))
    if probabilities.min() > 0 and probabilities.max() < 1:
        assert found["log_loss"] == pytest.approx(losses.mean())


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("num_posts", [1, 7])
@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_with_one_label_the_areas_alone_are_not_defined(label, num_posts, probability):
    labels = np.full(num_posts, label)
    probabilities = np.full(num_posts, probability)
    found = compute_metrics(labels, decide(probabilities, 0.5), probabilities)
    assert {name for name, value in found.items() if not np.isfinite(value)} == AREAS


@pytest.mark.parametrize("decision", [0, 1])
def test_the_precision_of_a_label_that_is_never_given_is_zero(decision):
    found = compute_metrics(np.array([0, 1, 1]), np.full(3, decision), np.full(3, 0.5))
    absent = ["rumor", "non_rumor"][decision]
    assert [found[f"{absent}_{kind}"] for kind in ("precision", "recall", "f1")] == [0, 0, 0]


def test_a_perfect_classifier_has_the_best_of_each():
    labels = np.array([0, 1, 1, 0, 0])
    best = dict.fromkeys(METRICS, 1.0) | dict.fromkeys(("ece", "brier", "log_loss"), 0.0)
    assert compute_metrics(labels, labels, labels.astype(np.float64)) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("seed", range(0, 10, 2))
def test_metrics_do_not_depend_on_the_order_of_posts(seed):
    columns = draw(seed, num_posts=40)
    order = np.random.default_rng(seed + 1).permutation(40)
    assert compute_metrics(*(column[order] for column in columns)) == pytest.approx(compute_metrics(*columns))


def test_a_post_at_the_threshold_is_a_rumor():
    below = np.nextafter(0.7, 0)
    assert decide(np.array([0.0, below, 0.7, 1.0]), 0.7).tolist() == [0, 0, 1, 1]
    assert decide(np.array([0.5]), 0.5).dtype == np.int64


def test_confusion_by_hand():
    labels = np.array([0, 0, 0, 1, 1, 1, 1, 1, 1, 0])
    predicted = np.array([0, 0, 1, 1, 1, 1, 0, 0, 1, 0])
    assert confusion(labels, predicted) == [[3, 1], [2, 4]]


@pytest.mark.parametrize(
    ("label", "decision", "counts"),
    [(0, 0, [[2, 0], [0, 0]]), (0, 1, [[0, 2], [0, 0]]), (1, 0, [[0, 0], [2, 0]]), (1, 1, [[0, 0], [0, 2]])],
)
def test_confusion_has_four_cells_even_if_one_is_used(label, decision, counts):
    assert confusion(np.full(2, label), np.full(2, decision)) == counts
