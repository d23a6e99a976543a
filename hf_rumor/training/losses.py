"""Losses for two labels, each a formula with a source.

A loss is called with `(logits, target)`, both floats of *shape* `(batch, 2)`; `target` is one-hot. It returns the mean
over the posts of the batch, in nats, as a scalar. Any such function or `torch.nn.Module` can be named as
`package.module:name`; others are refused.

To add a bundled loss, write a function here and add it to `LOSSES`, as in `docs/howto/loss.md`.
"""

import importlib
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hf_rumor.errors import ArgumentError
from hf_rumor.labels import LABEL_NAMES, Activation


LossFunction = Callable[[Tensor, Tensor], Tensor]  # (batch, 2), (batch, 2) -> ()
Weights = Sequence[float] | None  # of non-rumors and rumors


@dataclass(frozen=True)
class Loss:
    """The training loss, and how logits become probabilities."""

    name: str  # as in `--loss`
    kwargs: dict[str, Any]  # as in `--loss_kwargs`, with numbers in place of `balanced`
    function: LossFunction
    activation: Activation  # `sigmoid` of the rumor logit, or `softmax` over both
    formula: str  # one line for the log and the report


def smooth(target: Tensor, label_smoothing: float) -> Tensor:
    """Return `(1 - ε) · target + ε / 2` (Szegedy et al., 2016, https://arxiv.org/abs/1512.00567, Sec. 7)."""
    return target * (1.0 - label_smoothing) + label_smoothing / target.shape[-1]


def _weighted_mean(losses: Tensor, target: Tensor, class_weights: Weights) -> Tensor:
    """Return the mean over posts of `w[label] · loss`. Not divided by the sum of weights: it must add up over batches.

    *Shape:* `(batch,)`, `(batch, 2)` -> `()`.
    """
    if class_weights is None:
        return losses.mean()
    return (losses * (target @ target.new_tensor(class_weights))).mean()


def bce_loss(logits: Tensor, target: Tensor, *, class_weights: Weights = None, label_smoothing: float = 0.0) -> Tensor:
    """Binary cross-entropy of each logit with its one-hot entry: `torch.nn.BCEWithLogitsLoss`, mean over both."""
    losses = F.binary_cross_entropy_with_logits(logits, smooth(target, label_smoothing), reduction="none")
    return _weighted_mean(losses.mean(dim=-1), target, class_weights)


def ce_loss(logits: Tensor, target: Tensor, *, class_weights: Weights = None, label_smoothing: float = 0.0) -> Tensor:
    """Cross-entropy of the softmax over both logits: `torch.nn.CrossEntropyLoss`."""
    losses = F.cross_entropy(logits, smooth(target, label_smoothing), reduction="none")
    return _weighted_mean(losses, target, class_weights)


def focal_loss(
    logits: Tensor, target: Tensor, *, gamma: float = 2.0, class_weights: Weights = None, label_smoothing: float = 0.0
) -> Tensor:
    """Binary cross-entropy of each logit, with less weight where the model is already right.

    Lin et al., 2017, https://arxiv.org/abs/1708.02002, Eq. 4: `|t - p|^γ · BCE`, mean over both logits, with
    `p = sigmoid(logit)`; for a smoothed target `|t - p|` takes the place of `1 - p_t`. With `gamma=0` it is `bce`.
    """
    smoothed = smooth(target, label_smoothing)
    losses = F.binary_cross_entropy_with_logits(logits, smoothed, reduction="none")
    # Above zero, where a power below 1 has no finite gradient.
    distance = (smoothed - logits.sigmoid()).abs().clamp(min=torch.finfo(logits.dtype).eps)
    losses = distance.pow(gamma) * losses
    return _weighted_mean(losses.mean(dim=-1), target, class_weights)


def mse_loss(logits: Tensor, target: Tensor, *, class_weights: Weights = None, label_smoothing: float = 0.0) -> Tensor:
    """Squared error of the sigmoid of each logit, mean over both (Brier, 1950); in probability², not nats."""
    losses = (logits.sigmoid() - smooth(target, label_smoothing)).square()
    return _weighted_mean(losses.mean(dim=-1), target, class_weights)


LOSSES: dict[str, tuple[Callable[..., Tensor], Activation, str]] = {
    "bce": (bce_loss, "sigmoid", "BCEWithLogitsLoss on one-hot labels"),
    "ce": (ce_loss, "softmax", "CrossEntropyLoss"),
    "focal": (focal_loss, "sigmoid", "focal loss on one-hot labels"),
    "mse": (mse_loss, "sigmoid", "mean squared error of the sigmoid on one-hot labels"),
}


def make_loss(name: str, kwargs: dict[str, Any] | None = None, *, labels: Sequence[int] = ()) -> Loss:
    """Return the loss that `--loss` and `--loss_kwargs` name.

    Args:
        name: `bce`, `ce`, `focal`, `mse`, or `package.module:name` of a function of `(logits, one-hot target)`, both
            of *shape* `(batch, 2)`, or of a class that is called with `kwargs`.
        kwargs: Keyword arguments. `class_weights="balanced"` becomes `num_posts / (2 · num_posts_of_label)`.
        labels: The training labels, 0 or 1, for balanced weights. *Shape:* `(num_posts,)`.

    Raises:
        ArgumentError: The loss does not exist, does not accept `kwargs`, or is not a mean over the batch.
    """
    settings = dict(kwargs or {})
    if name in LOSSES:
        _check_kwargs(name, settings)
    if settings.get("class_weights") == "balanced":
        settings["class_weights"] = balanced_class_weights(labels)
    if ":" in name:
        return _import_loss(name, settings)
    if name not in LOSSES:
        raise ArgumentError(f"--loss {name}: unknown. Use {', '.join(LOSSES)} or package.module:name.")
    function, activation, formula = LOSSES[name]
    return _checked(Loss(name, settings, partial(function, **settings), activation, formula))


def as_loss(loss: str | Loss | LossFunction) -> Loss:
    """Return a `Loss`, from one, from a name for `make_loss`, or from a function of `(logits, one-hot target)`.

    The attribute `activation` of a function, "sigmoid" or "softmax", is how logits become probabilities. Without it,
    that is the sigmoid, except for the cross-entropy of torch.

    Raises:
        ArgumentError: As for `make_loss`.
    """
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, str):
        return make_loss(loss)
    name = getattr(loss, "__qualname__", type(loss).__name__)
    return _checked(Loss(name, {}, loss, _activation(loss, name), f"{getattr(loss, '__module__', '')}.{name}"))


def balanced_class_weights(labels: Sequence[int]) -> list[float]:
    """Return the weight of each label that gives both labels the same share of the loss."""
    return [len(labels) / (len(LABEL_NAMES) * max(1, list(labels).count(label))) for label in range(len(LABEL_NAMES))]


def _check_kwargs(name: str, kwargs: dict[str, Any]) -> None:
    """Refuse keyword arguments that a bundled loss does not have, and values out of range."""
    parameters = inspect.signature(LOSSES[name][0]).parameters.values()
    known = [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
    if unknown := sorted(kwargs.keys() - known):
        raise ArgumentError(f"--loss_kwargs: {name} has no argument {', '.join(unknown)}. Use {', '.join(known)}.")
    weights = kwargs.get("class_weights")
    wrong = [
        f"{key} is {kwargs[key]!r}, not a number from 0 to {highest:g}"
        for key, highest in (("label_smoothing", 0.99), ("gamma", float("inf")))
        if key in kwargs and not (isinstance(kwargs[key], int | float) and 0 <= kwargs[key] <= highest)
    ]
    numbers = isinstance(weights, list) and all(isinstance(weight, int | float) and weight >= 0 for weight in weights)
    if weights not in (None, "balanced") and not (numbers and len(weights) == len(LABEL_NAMES)):
        wrong.append(f"class_weights is {weights!r}, not two numbers of at least 0, nor balanced")
    if wrong:
        raise ArgumentError(f"--loss_kwargs: {'; '.join(wrong)}. Change the value.")


def _import_loss(name: str, kwargs: dict[str, Any]) -> Loss:
    module_name, _, attribute = name.partition(":")
    if str(Path.cwd()) not in sys.path:  # as `python -m` does: a loss in the current folder can be imported
        sys.path.insert(0, str(Path.cwd()))
    try:
        loss = getattr(importlib.import_module(module_name), attribute)
        plain = loss(**kwargs) if isinstance(loss, type) else loss
        # Not wrapped without settings: the trainer moves a module to the GPU.
        function = partial(plain, **kwargs) if kwargs and plain is loss else plain
    except Exception as error:  # whatever the user's own module raises
        raise ArgumentError(
            f"--loss {name}: cannot be loaded ({error}). Check the name, the current folder and --loss_kwargs."
        ) from error
    return _checked(Loss(name, kwargs, function, _activation(plain, name), f"{module_name}.{attribute}"))


def _activation(loss: Any, name: str) -> Activation:
    is_cross_entropy = isinstance(loss, nn.CrossEntropyLoss) or loss is F.cross_entropy
    default: Activation = "softmax" if is_cross_entropy else "sigmoid"
    activation: Activation = getattr(loss, "activation", default)
    if activation not in ("sigmoid", "softmax"):
        raise ArgumentError(f"--loss {name}: its activation is {activation!r}. Set it to 'sigmoid' or 'softmax'.")
    return activation


def _checked(loss: Loss) -> Loss:
    """Return the loss after trying it on six synthetic posts.

    Raises:
        ArgumentError: It fails on them, returns no finite scalar, or is not the mean over posts: a sum would grow with
            the batch, and a mean over weights would not add up over the micro-batches of a step.
    """
    logits = torch.tensor(
        [[0.5, -1.0], [2.0, 0.3], [-0.7, 0.9], [0.1, 0.2], [-2.0, 1.0], [0.0, 0.6]], requires_grad=True
    )
    labels = torch.tensor([0, 1, 0, 0, 1, 1])  # the share of rumors differs between the first four and the last two
    target = F.one_hot(labels, len(LABEL_NAMES)).float()
    try:
        whole = loss.function(logits, target)
        parts = [loss.function(logits[part], target[part]) for part in (slice(0, 4), slice(4, 6))]
    except Exception as error:  # whatever the user's own code raises
        raise ArgumentError(
            f"--loss {loss.name}: fails on (logits, one-hot target), both (batch, 2), with {type(error).__name__}: "
            f"{error}. Check the loss and --loss_kwargs."
        ) from error
    if not isinstance(whole, Tensor) or whole.ndim != 0 or not bool(whole.isfinite()):
        raise ArgumentError(f"--loss {loss.name}: returns {whole!r}, not a finite scalar. Return the mean over posts.")
    if not whole.requires_grad:
        raise ArgumentError(f"--loss {loss.name}: returns a constant without a gradient. Do not detach it.")
    if not torch.allclose(whole, (4 * parts[0] + 2 * parts[1]) / 6, rtol=1e-4, atol=1e-6):
        raise ArgumentError(
            f"--loss {loss.name}: not the mean over posts ({whole:.4f} for six posts, {parts[0]:.4f} and "
            f"{parts[1]:.4f} for four and two of them). Return the mean of the posts' losses."
        )
    return loss
