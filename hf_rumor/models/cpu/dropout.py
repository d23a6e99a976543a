"""Dropout whose random numbers are drawn in bulk: on a CPU, drawing them singly takes a quarter of a step."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode


LEVELS = 2**8  # of a random byte


class BulkDropout(TorchFunctionMode):
    """While entered, `torch.nn.functional.dropout` on a CPU draws a random byte for an element, eight at once.

    Inverted dropout (Srivastava et al., 2014, https://jmlr.org/papers/v15/srivastava14a.html) as in torch: an element
    is zero with probability `p`, else divided by `1 - p`. Each call picks one of the two multiples of 1/256 around
    `p` at random, so that `p` holds on average, and divides by its complement, which preserves the mean in each call.
    The bytes come from torch's own generator: equal seeds give equal masks, and a checkpoint of its state resumes.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Replace calls of dropout on a CPU; pass on all others."""
        if func is F.dropout:
            return _dropout(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _dropout(values: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    drops = training and 0 < p < 1 - 1 / LEVELS
    if not drops or inplace or values.device.type != "cpu" or not values.is_floating_point():
        return F.dropout(values, p, training, inplace)
    dropped = int(p * LEVELS + torch.rand(()).item())
    words = torch.empty((values.numel() + 7) // 8, dtype=torch.int64).random_(-(2**63), None)  # all 64 bits
    draws = words.view(torch.int8)[: values.numel()].view(values.shape)
    noise = torch.empty(values.shape, dtype=values.dtype)
    torch.ge(draws, dropped - LEVELS // 2, out=noise)
    return values * noise.mul_(LEVELS / (LEVELS - dropped))
