"""The layer that gives the logits, and how a calibration becomes part of it: the plain pipeline is then calibrated."""

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


def find_head(model: nn.Module, num_labels: int = len(LABEL_NAMES)) -> nn.Linear:
    """Return the linear layer that gives the logits and can store a calibration.

    Raises:
        ModelError: There is none, or several, or it has no bias: `from_pretrained` would ignore a bias added to it.
    """
    heads = [
        module for module in model.modules() if isinstance(module, nn.Linear) and module.out_features == num_labels
    ]
    problem = f"{len(heads)} linear layers with {num_labels} outputs instead of one"
    if len(heads) == 1 and heads[0].bias is not None:
        return heads[0]
    if len(heads) == 1:
        problem = "a head without a bias, where the intercept would be stored"
    raise ModelError(f"--calibration platt: {type(model).__name__} has {problem}. Use --calibration none.")


def fold_into_head(model: nn.Module, lines: Sequence[Platt]) -> None:
    """Replace each logit of `model` by its line: `slope · logit + intercept`, in the weights of its last layer.

    Args:
        model: A sequence classifier of transformers whose logits come from a linear layer.
        lines: One for each label.

    Raises:
        ModelError: See `find_head`.
    """
    head = find_head(model, len(lines))
    slopes = torch.tensor([line.slope for line in lines], dtype=torch.float64)
    intercepts = torch.tensor([line.intercept for line in lines], dtype=torch.float64)
    with torch.no_grad():
        head.weight.copy_(head.weight.double().cpu() * slopes[:, None])
        head.bias.copy_(head.bias.double().cpu() * slopes + intercepts)


def apply_lines(lines: Sequence[Platt], logits: Tensor) -> Tensor:
    """Return the calibrated logits in float64, in which rounding swaps no two posts.

    Args:
        lines: One for each label.
        logits: *Shape:* `(num_posts, num_labels)`.
    """
    wide = logits.double()
    return torch.stack([line.slope * wide[:, label] + line.intercept for label, line in enumerate(lines)], dim=1)
