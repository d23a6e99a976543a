import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from hf_rumor.errors import ArgumentError
from hf_rumor.training.losses import LOSSES, as_loss, balanced_class_weights, make_loss


LOGITS = [[0.3, -1.2], [2.0, 0.7], [-0.4, 1.9], [1.1, 1.1], [-3.0, 0.2]]
LABELS = [0, 1, 1, 0, 1]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def binary_cross_entropy(logit, target):
    return -(target * math.log(sigmoid(logit)) + (1 - target) * math.log(1 - sigmoid(logit)))


def formula(name, logits, label, smoothing, gamma):
    """Return the loss of one post in plain float64, written out."""
    target = [(1 - smoothing) * (label == column) + smoothing / 2 for column in (0, 1)]
    if name == "ce":
        total = sum(math.exp(logit) for logit in logits)
        return -sum(t * math.log(math.exp(logit) / total) for t, logit in zip(target, logits, strict=True))
    per_logit = {
        "bce": binary_cross_entropy,
        "focal": lambda z, t: abs(t - sigmoid(z)) ** gamma * binary_cross_entropy(z, t),
        "mse": lambda z, t: (sigmoid(z) - t) ** 2,
    }[name]
    return sum(per_logit(z, t) for z, t in zip(logits, target, strict=True)) / 2


def value(loss):
    target = nn.functional.one_hot(torch.tensor(LABELS), 2).double()
    return float(loss.function(torch.tensor(LOGITS, dtype=torch.float64), target))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("weights", [None, [0.7, 1.9]])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_a_loss_is_its_written_out_formula(name, weights, smoothing):
    gamma = 1.5
    kwargs = {"class_weights": weights, "label_smoothing": smoothing} | ({"gamma": gamma} if name == "focal" else {})
    expected = [
        (weights or [1.0, 1.0])[label] * formula(name, logits, label, smoothing, gamma)
        for logits, label in zip(LOGITS, LABELS, strict=True)
    ]
    assert value(make_loss(name, kwargs)) == pytest.approx(sum(expected) / len(expected), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "imported"), [("bce", "torch.nn:BCEWithLogitsLoss"), ("ce", "torch.nn:CrossEntropyLoss")]
)
def test_our_loss_equals_that_of_torch(name, imported):
    assert value(make_loss(name)) == pytest.approx(value(make_loss(imported)), rel=1e-12)


def test_focal_loss_with_gamma_0_is_bce():
    assert value(make_loss("focal", {"gamma": 0.0})) == pytest.approx(value(make_loss("bce")), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "activation"),
    [
        ("bce", "sigmoid"),
        ("ce", "softmax"),
        ("torch.nn:BCEWithLogitsLoss", "sigmoid"),
        ("torch.nn:CrossEntropyLoss", "softmax"),
        ("torch.nn.functional:cross_entropy", "softmax"),
    ],
)
def test_a_loss_has_the_activation_of_its_probabilities(name, activation):
    assert make_loss(name).activation == activation


def test_balanced_weights_give_both_labels_the_same_share():
    labels = [0, 0, 0, 1]
    weights = balanced_class_weights(labels)
    assert weights[0] * 3 == pytest.approx(weights[1] * 1)
    assert make_loss("bce", {"class_weights": "balanced"}, labels=labels).kwargs["class_weights"] == weights


@pytest.mark.parametrize(
    ("name", "kwargs", "message"),
    [
        ("bcee", {}, "Use bce, ce, focal, mse"),
        ("bce", {"gama": 2}, "bce has no argument gama. Use class_weights, label_smoothing"),
        ("no_such_package:loss", {}, "No module named"),
        ("torch.nn:NoSuchLoss", {}, "has no attribute"),
        ("torch.nn:BCEWithLogitsLoss", {"nonsense": 1}, "nonsense"),
        ("torch.nn:NLLLoss", {}, "(batch, 2)"),  # needs int targets
        ("bce", {"label_smoothing": 5}, "label_smoothing is 5, not a number from 0"),
        ("focal", {"gamma": -1}, "gamma is -1, not a number from 0"),
        ("bce", {"class_weights": [1.0, -1.0]}, "not two numbers of at least 0"),
        ("torch:add", {}, "not a finite scalar"),
        ("bce", {"class_weights": [1.0, 2.0, 3.0]}, "class_weights"),
    ],
)
def test_an_unknown_or_wrong_loss_is_refused(name, kwargs, message):
    with pytest.raises(ArgumentError) as caught:
        make_loss(name, kwargs)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_detached_loss_is_refused(monkeypatch):
    monkeypatch.setattr(nn, "detached", lambda logits, target: logits.detach().mean(), raising=False)
    with pytest.raises(ArgumentError, match="without a gradient"):
        make_loss("torch.nn:detached")


def test_focal_loss_keeps_its_gradient_if_a_sigmoid_saturates():
    logits = torch.tensor([[30.0, -30.0]], requires_grad=True)
    make_loss("focal", {"gamma": 0.5}).function(logits, torch.tensor([[1.0, 0.0]])).backward()
    assert logits.grad.isfinite().all()


def test_a_sum_is_refused_since_it_grows_with_the_batch():
    with pytest.raises(ArgumentError, match="not the mean over posts"):
        make_loss("torch.nn:BCEWithLogitsLoss", {"reduction": "sum"})


def test_a_mean_over_weights_is_refused_since_micro_batches_would_not_add_up(monkeypatch):
    weight = torch.tensor([1.0, 3.0])
    weighted = lambda logits, target: F.cross_entropy(logits, target.argmax(1), weight=weight)  # noqa: E731
    monkeypatch.setattr(nn, "weighted", weighted, raising=False)
    with pytest.raises(ArgumentError, match="not the mean over posts"):
        make_loss("torch.nn:weighted")


@pytest.mark.parametrize(
    ("criterion", "activation"),
    [(nn.CrossEntropyLoss(), "softmax"), (nn.BCEWithLogitsLoss(pos_weight=torch.tensor([1.0, 2.0])), "sigmoid")],
)
def test_an_instance_can_be_used_and_stays_a_module_that_moves_to_the_device(monkeypatch, criterion, activation):
    monkeypatch.setattr(nn, "criterion", criterion, raising=False)
    loss = make_loss("torch.nn:criterion")
    assert (loss.function, loss.activation) == (criterion, activation)


def test_a_loss_with_a_wrong_activation_is_refused(monkeypatch):
    monkeypatch.setattr(nn.BCEWithLogitsLoss, "activation", "tanh", raising=False)
    with pytest.raises(ArgumentError, match="its activation is 'tanh'"):
        make_loss("torch.nn:BCEWithLogitsLoss")


def my_loss(logits, target):
    return F.cross_entropy(logits, target)


@pytest.mark.parametrize(("loss", "same"), [("focal", make_loss("focal")), (my_loss, make_loss("ce"))])
def test_a_name_or_a_function_is_a_loss(loss, same):
    assert value(as_loss(loss)) == pytest.approx(value(same))
    assert as_loss(as_loss(loss)).function is not None


@pytest.mark.parametrize(
    ("loss", "activation"), [(my_loss, "sigmoid"), (F.cross_entropy, "softmax"), (nn.CrossEntropyLoss(), "softmax")]
)
def test_the_activation_of_a_function_is_its_attribute_or_follows_from_its_kind(monkeypatch, loss, activation):
    assert as_loss(loss).activation == activation
    monkeypatch.setattr(my_loss, "activation", "softmax", raising=False)
    assert as_loss(my_loss).activation == "softmax"


def test_a_function_that_is_not_a_mean_is_refused():
    with pytest.raises(ArgumentError, match="not the mean over posts"):
        as_loss(lambda logits, target: F.cross_entropy(logits, target, reduction="sum"))
