"""Fold a calibration into a model, so that the plain pipeline is calibrated without code of ours."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hf_rumor.errors import ModelError
from hf_rumor.evaluation.calibration import Platt


def fold_into_head(model: nn.Module, lines: Sequence[Platt]) -> None:
    """Replace each logit of `model` by its line: `slope · logit + intercept`, in the weights of its last layer.

    Args:
        model: A sequence classifier of transformers whose logits come from a linear layer.
        lines: One for each label.

    Raises:
        ModelError: It has no such layer, or several.
    """
    head = find_head(model, len(lines))
    slopes = torch.tensor([line.slope for line in lines], dtype=torch.float64)
    intercepts = torch.tensor([line.intercept for line in lines], dtype=torch.float64)
    with torch.no_grad():
        bias = torch.zeros(len(lines)) if head.bias is None else head.bias
        device = head.weight.device
        head.weight.copy_((head.weight.double().cpu() * slopes[:, None]).to(device))
        calibrated = (bias.double().cpu() * slopes + intercepts).to(device, head.weight.dtype)
        head.bias = nn.Parameter(calibrated)  # a head without one gets one


def apply_lines(lines: Sequence[Platt], logits: Tensor) -> Tensor:
    """Return the calibrated logits in float64, in which no two posts change places by rounding.

    Args:
        lines: One for each label.
        logits: *Shape:* `(num_posts, num_labels)`.
    """
    wide = logits.double()
    return torch.stack([line.slope * wide[:, label] + line.intercept for label, line in enumerate(lines)], dim=1)


def find_head(model: nn.Module, num_labels: int) -> nn.Linear:
    """Return the linear layer that gives the logits.

    Raises:
        ModelError: There is none, or there are several candidates.
    """
    found = [
        module for module in model.modules() if isinstance(module, nn.Linear) and module.out_features == num_labels
    ]
    if len(found) != 1:
        raise ModelError(
            f"calibration: expected one linear layer with {num_labels} outputs, found {len(found)} in "
            f"{type(model).__name__}; take --calibration none"
        )
    return found[0]
