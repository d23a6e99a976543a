"""Linear layers that add their bias and apply GELU in the same pass as their product: bf16 on a CPU."""

import torch
from torch import Tensor, nn
from transformers.activations import GELUActivation


class FusedLinear(nn.Module):
    """`activation(x @ weight.T + bias)` in one pass of oneDNN, rounded once; without gradients.

    `nn.Linear` copies the bias into its result before the product, and GELU reads and writes all of it again.

    Args:
        linear: The layer whose weights to share.
        activation: `none` or `gelu` (the exact one).

    *Shape:* `(..., in_features)` -> `(..., out_features)`
    """

    def __init__(self, linear: nn.Linear, activation: str = "none") -> None:
        super().__init__()
        self.weight = linear.weight
        self.bias = linear.bias
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Return the values after the activation."""
        # Undocumented: what torch.compile turns a linear layer into on a CPU (2.13). Can go with this file.
        result: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, self.activation, [], "none")
        return result


def is_fusing_possible() -> bool:
    """Return whether oneDNN has such products in bf16 for this processor, by trying one."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    try:
        with torch.inference_mode():
            FusedLinear(nn.Linear(1, 1, dtype=torch.bfloat16))(torch.zeros(1, 1, dtype=torch.bfloat16))
    except RuntimeError:
        return False
    return True


def fuse_linear_layers(model: nn.Module) -> None:
    """Replace the linear layers of a model that will only be asked for logits."""
    for module in list(model.modules()):
        activation, dense = getattr(module, "intermediate_act_fn", None), getattr(module, "dense", None)
        if isinstance(activation, GELUActivation) and type(dense) is nn.Linear:
            module.dense, module.intermediate_act_fn = FusedLinear(dense, "gelu"), nn.Identity()
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear:
                setattr(module, name, FusedLinear(child))
