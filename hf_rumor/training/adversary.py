"""Adversarial training (FGM): a second pass with perturbed embeddings, in the direction that increases the loss."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor


class Adversary:
    """Perturbs the token embeddings of each post by `radius · g / ‖g‖`, where `g` is the gradient of the loss.

    Miyato et al., 2017, https://arxiv.org/abs/1605.07725, Eq. 5 and 6. The norm is that of a whole post, so that its
    perturbation does not depend on the other posts of the batch. The embeddings are not normalised as in the paper:
    those of a pre-trained model have a scale of their own.

    Args:
        model: A model of transformers; gets a hook on its token embeddings that acts in training only.
        radius: Length of the perturbation, at least 0, in the units of the embeddings.

    Attributes:
        is_attacking: Whether the current pass is the second one.
    """

    def __init__(self, model: Any, radius: float) -> None:
        self.radius = radius
        self._clean: Tensor | None = None  # (batch, tokens, width), of the newest clean pass
        self.is_attacking = False
        model.get_input_embeddings().register_forward_hook(self._on_embeddings)

    def _on_embeddings(self, module: Any, inputs: Any, output: Tensor) -> Tensor | None:
        if not module.training or not torch.is_grad_enabled():
            return None
        if self.is_attacking:
            return output + self._perturbation()
        if not output.requires_grad:  # of frozen embeddings
            output.requires_grad_()
        output.retain_grad()
        self._clean = output
        return None

    def _perturbation(self) -> Tensor:
        if self._clean is None or self._clean.grad is None:
            raise RuntimeError("expected a backward pass over the same batch before the attack")
        gradient = self._clean.grad.float()
        norm = gradient.norm(dim=(1, 2), keepdim=True)
        # An overflow under fp16 gives no perturbation; its step is skipped anyway.
        return torch.nan_to_num(self.radius * gradient / norm, nan=0.0, posinf=0.0, neginf=0.0).to(self._clean.dtype)

    @contextmanager
    def attacking(self) -> Iterator[None]:
        """Perturb the embeddings of passes inside, over the batch of the last backward pass."""
        self.is_attacking = True
        try:
            yield
        finally:
            self.is_attacking, self._clean = False, None
