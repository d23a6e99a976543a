"""The layer that computes the logits. The calibration is stored in it, so that the plain pipeline is calibrated."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hf_rumor.errors import ModelError
from hf_rumor.evaluation.calibration import Platt
from hf_rumor.labels import LABEL_NAMES


def can_calibrate(model: nn.Module) -> bool:
    """Return whether `fold_into_head` will work."""
    try:
        find_head(model)
    except ModelError:
        return False
    return True


def find_head(model: nn.Module) -> nn.Linear:
    """Return the linear layer that computes the logits and can store a calibration.

    Raises:
        ModelError: There is none, or several, or it has no bias: `from_pretrained` would ignore a bias added to it.
    """
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    heads = [layer for layer in layers if layer.out_features == len(LABEL_NAMES)]
    if len(heads) == 1 and heads[0].bias is not None:
        return heads[0]
    problem = f"{len(heads)} linear layers with {len(LABEL_NAMES)} outputs instead of one"
    if len(heads) == 1:
        problem = "a head without a bias, where the intercept would be stored"
    raise ModelError(f"--calibration platt: {type(model).__name__} has {problem}. Use --calibration none.")


def fold_into_head(model: nn.Module, lines: Sequence[Platt]) -> None:
    """Replace each logit of `model` by `slope · logit + intercept`, in the weights of its last layer.

    Raises:
        ModelError: See `find_head`.
    """
    head = find_head(model)
    slopes, intercepts = _coefficients(lines)
    with torch.no_grad():
        head.weight.copy_(head.weight.double().cpu() * slopes[:, None])
        head.bias.copy_(head.bias.double().cpu() * slopes + intercepts)


def apply_lines(lines: Sequence[Platt], logits: Tensor) -> Tensor:
    """Return the calibrated logits in float64, in which rounding swaps no two posts. *Shape:* `(num_posts, 2)`."""
    slopes, intercepts = _coefficients(lines)
    return slopes * logits.double() + intercepts


def _coefficients(lines: Sequence[Platt]) -> tuple[Tensor, Tensor]:
    """Return the slopes and the intercepts in float64. *Shape:* `(2,)` each."""
    slopes = torch.tensor([line.slope for line in lines], dtype=torch.float64)
    return slopes, torch.tensor([line.intercept for line in lines], dtype=torch.float64)
