"""Adversarial training (FGM): a second pass with perturbed embeddings, in the direction that increases the loss."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor


class Adversary:
    """Perturbs the token embeddings of each post by `radius · g / ‖g‖`, where `g` is the gradient of the loss.

    Miyato et al., 2017, https://arxiv.org/abs/1605.07725, Eq. 5 and 6. The norm is that of a whole post, so that its
    perturbation does not depend on the other posts of the batch. The embeddings are not normalized as in the paper:
    those of a pre-trained model have a scale of their own.

    Args:
        model: A model of transformers; gets a hook on its token embeddings that acts in training only.
        radius: Length of the perturbation, in the units of the embeddings.
    """

    def __init__(self, model: Any, radius: float) -> None:
        self.radius = radius
        self.is_attacking = False  # whether this is the second pass
        self._clean: Any = None  # embeddings in the first pass, (batch, tokens, width)
        model.get_input_embeddings().register_forward_hook(self._on_embeddings)

    def _on_embeddings(self, module: Any, inputs: Any, output: Tensor) -> Tensor | None:
        if not module.training or not torch.is_grad_enabled():
            return None
        if not self.is_attacking:
            output.requires_grad_().retain_grad()  # frozen embeddings need it too
            self._clean = output
            return None
        gradient = self._clean.grad.float()
        norm = gradient.norm(dim=(1, 2), keepdim=True)
        # An overflow under fp16 gives no perturbation; its step is skipped anyway.
        perturbation = torch.nan_to_num(self.radius * gradient / norm, nan=0.0, posinf=0.0, neginf=0.0)
        return output + perturbation.to(output.dtype)

    @contextmanager
    def attacking(self) -> Iterator[None]:
        """Perturb the embeddings in this context; it follows the backward pass of the same batch."""
        self.is_attacking = True
        try:
            yield
        finally:
            self.is_attacking, self._clean = False, None
