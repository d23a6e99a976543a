"""Losses for two labels, each a formula with a source.

A loss is called with `(logits, target)`, both floats of *shape* `(batch, 2)`, where `target` is one-hot, and returns
the mean over the posts of the batch, in nats, as a scalar. Any function or `torch.nn.Module` that does so can be named
as `package.module:name`; `check_loss` refuses one that does not.

To add a loss that ships: write a function here and add it to `LOSSES`. `docs/howto_loss.md` does so step by step.
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


@dataclass(frozen=True)
class Loss:
    """The loss that trains, and how the logits it shapes become probabilities.

    Attributes:
        name: As given with `--loss`.
        kwargs: As given with `--loss_kwargs`, `balanced` written out.
        function: What is called.
        activation: `sigmoid` of the rumor logit, or `softmax` over both.
        formula: One line for the log and the report.
    """

    name: str
    kwargs: dict[str, Any]
    function: LossFunction
    activation: Activation
    formula: str


def smooth(target: Tensor, label_smoothing: float) -> Tensor:
    """Return `(1 - ε) · target + ε / 2` (Szegedy et al., 2016, https://arxiv.org/abs/1512.00567, Sec. 7)."""
    return target * (1.0 - label_smoothing) + label_smoothing / target.shape[-1]


def _weighted_mean(losses: Tensor, target: Tensor, class_weights: Sequence[float] | None) -> Tensor:
    """Return the mean over posts of `w[label] · loss`. Not divided by the sum of weights: it must add up over batches.

    *Shape:* `(batch,)`, `(batch, 2)` -> `()`.
    """
    if class_weights is None:
        return losses.mean()
    return (losses * (target @ target.new_tensor(class_weights))).mean()


def bce_loss(
    logits: Tensor, target: Tensor, *, class_weights: Sequence[float] | None = None, label_smoothing: float = 0.0
) -> Tensor:
    """Binary cross-entropy of each logit with its one-hot entry: `torch.nn.BCEWithLogitsLoss`, mean over both."""
    losses = F.binary_cross_entropy_with_logits(logits, smooth(target, label_smoothing), reduction="none")
    return _weighted_mean(losses.mean(dim=-1), target, class_weights)


def ce_loss(
    logits: Tensor, target: Tensor, *, class_weights: Sequence[float] | None = None, label_smoothing: float = 0.0
) -> Tensor:
    """Cross-entropy of the softmax over both logits: `torch.nn.CrossEntropyLoss`."""
    losses = F.cross_entropy(logits, smooth(target, label_smoothing), reduction="none")
    return _weighted_mean(losses, target, class_weights)


def focal_loss(
    logits: Tensor,
    target: Tensor,
    *,
    gamma: float = 2.0,
    class_weights: Sequence[float] | None = None,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Binary cross-entropy of each logit that fades where the model is already right.

    Lin et al., 2017, https://arxiv.org/abs/1708.02002, Eq. 4: `|t - p|^γ · BCE`, mean over both logits, with
    `p = sigmoid(logit)`; for a smoothed target `|t - p|` takes the place of `1 - p_t`. With `gamma=0` it is `bce`.
    """
    smoothed = smooth(target, label_smoothing)
    losses = F.binary_cross_entropy_with_logits(logits, smoothed, reduction="none")
    # Kept off zero, where a power below 1 has no gradient.
    distance = (smoothed - logits.sigmoid()).abs().clamp(min=torch.finfo(logits.dtype).eps)
    losses = distance.pow(gamma) * losses
    return _weighted_mean(losses.mean(dim=-1), target, class_weights)


def mse_loss(
    logits: Tensor, target: Tensor, *, class_weights: Sequence[float] | None = None, label_smoothing: float = 0.0
) -> Tensor:
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
        name: A key of `LOSSES`, or `package.module:name` of a function, or of a class that is called with `kwargs`.
            Its attribute `activation`, "sigmoid" or "softmax", says how probabilities are formed; without one it is
            the sigmoid, and the softmax for `torch.nn.CrossEntropyLoss`.
        kwargs: Keyword arguments. `class_weights="balanced"` becomes `num_posts / (2 · num_posts_of_label)`.
        labels: The training labels, for balanced weights.

    Raises:
        ArgumentError: There is no such loss, it does not take `kwargs`, or it is no mean over the batch.
    """
    given = dict(kwargs or {})
    if name in LOSSES:
        _check_ranges(given)
    if given.get("class_weights") == "balanced":
        given["class_weights"] = balanced_class_weights(labels)
    if name in LOSSES:
        function, activation, formula = LOSSES[name]
        loss = Loss(name, given, partial(_check_kwargs(name, function, given), **given), activation, formula)
    elif ":" in name:
        loss = _import_loss(name, given)
    else:
        raise ArgumentError(f"--loss {name}: expected {', '.join(LOSSES)} or package.module:name; choose one of these")
    check_loss(loss)
    return loss


def balanced_class_weights(labels: Sequence[int]) -> list[float]:
    """Return the weight of each label that gives both labels the same share of the loss."""
    return [len(labels) / (len(LABEL_NAMES) * max(1, list(labels).count(label))) for label in range(len(LABEL_NAMES))]


def _check_ranges(kwargs: dict[str, Any]) -> None:
    weights = kwargs.get("class_weights")
    wrong = [
        f"{key} {kwargs[key]!r}, expected a number from 0 to {highest:g}"
        for key, highest in (("label_smoothing", 0.99), ("gamma", float("inf")))
        if key in kwargs and not (isinstance(kwargs[key], int | float) and 0 <= kwargs[key] <= highest)
    ]
    numbers = isinstance(weights, list) and all(isinstance(weight, int | float) and weight >= 0 for weight in weights)
    if weights not in (None, "balanced") and not (numbers and len(weights) == len(LABEL_NAMES)):
        wrong.append(f"class_weights {weights!r}, expected two numbers of at least 0, or balanced")
    if wrong:
        raise ArgumentError(f"--loss_kwargs: {'; '.join(wrong)}; correct it")


def _check_kwargs(name: str, function: Callable[..., Any], kwargs: dict[str, Any]) -> Callable[..., Any]:
    known = [p.name for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    unknown = sorted(kwargs.keys() - known)
    if unknown:
        raise ArgumentError(
            f"--loss_kwargs: {name} takes {', '.join(known)}, got {', '.join(unknown)}; correct the name"
        )
    return function


def _import_loss(name: str, kwargs: dict[str, Any]) -> Loss:
    module_name, _, attribute = name.partition(":")
    if str(Path.cwd()) not in sys.path:  # as `python -m` does: a loss beside the user's own files is found
        sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module_name), attribute)
        made = found(**kwargs) if isinstance(found, type) else found
        function = partial(made, **kwargs) if kwargs and made is found else made  # as it is: a module moves to the GPU
    except Exception as error:  # whatever the user's own module raises
        raise ArgumentError(
            f"--loss {name}: expected a function or class that takes {kwargs or 'no arguments'}, got {error}; check "
            "that it can be imported from here, and --loss_kwargs"
        ) from error
    is_cross_entropy = isinstance(made, nn.CrossEntropyLoss) or made is F.cross_entropy
    default = "softmax" if is_cross_entropy else "sigmoid"
    activation: Any = getattr(found, "activation", default)
    if activation not in ("sigmoid", "softmax"):
        raise ArgumentError(f"--loss {name}: expected activation 'sigmoid' or 'softmax', got {activation!r}; set it")
    return Loss(name, kwargs, function, activation, f"{module_name}.{attribute}")


def check_loss(loss: Loss) -> None:
    """Try a loss on six made-up posts.

    Raises:
        ArgumentError: It fails on them, gives no finite scalar, or is not the mean over posts (a sum would grow with
            the batch; a mean over weights would not add up over the micro-batches of one step).
    """
    logits = torch.tensor(
        [[0.5, -1.0], [2.0, 0.3], [-0.7, 0.9], [0.1, 0.2], [-2.0, 1.0], [0.0, 0.6]], requires_grad=True
    )
    labels = torch.tensor([0, 1, 0, 0, 1, 1])  # of the first four one is a rumor, of the other two both are
    target = F.one_hot(labels, len(LABEL_NAMES)).float()
    try:
        whole = loss.function(logits, target)
        parts = [loss.function(logits[part], target[part]) for part in (slice(0, 4), slice(4, 6))]
    except Exception as error:  # whatever the user's own code raises
        raise ArgumentError(
            f"--loss {loss.name}: expected a loss of (logits, one-hot target), both (batch, 2), got "
            f"{type(error).__name__}: {error}; check the loss and --loss_kwargs"
        ) from error
    if not isinstance(whole, Tensor) or whole.ndim != 0 or not bool(whole.isfinite()):
        raise ArgumentError(f"--loss {loss.name}: expected a finite scalar, got {whole!r}; return the mean over posts")
    if not whole.requires_grad:
        raise ArgumentError(f"--loss {loss.name}: expected a loss with a gradient, got a constant; do not detach it")
    if not torch.allclose(whole, (4 * parts[0] + 2 * parts[1]) / 6, rtol=1e-4, atol=1e-6):
        raise ArgumentError(
            f"--loss {loss.name}: expected the mean over posts, got {whole:.4f} for six posts but "
            f"{parts[0]:.4f} and {parts[1]:.4f} for four and two of them; return the mean of the posts' losses"
        )
