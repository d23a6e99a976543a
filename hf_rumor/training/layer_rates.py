"""Lower learning rates for lower layers."""

from typing import Any

import torch
from torch import nn

from hf_rumor.errors import ArgumentError


def decay_learning_rates(optimizer: torch.optim.Optimizer, model: Any, decay: float) -> None:
    """Split the parameter groups of a new optimizer by layer: `decay**k` of the rate, `k` layers below the head.

    Clark et al., 2020, https://arxiv.org/abs/2003.10555, App. A: lower layers hold more general knowledge and should
    change less. The embeddings are the lowest layer; pooler and classifier are the head, with `k = 0`.

    Args:
        optimizer: Has not stepped yet.
        model: Its model, of transformers, with `config.num_hidden_layers`.
        decay: In (0, 1].

    Raises:
        ArgumentError: The model has no list of its layers, as ALBERT, whose layers share their weights.
    """
    below = _layers_below_head(model)
    groups = []
    for group in optimizer.param_groups:
        for k in sorted({below[id(value)] for value in group["params"]}):
            values = [value for value in group["params"] if below[id(value)] == k]
            groups.append({**group, "params": values, "lr": group["lr"] * decay**k})
    # The head first: the learning rate that Trainer logs is that of the first group.
    optimizer.param_groups[:] = sorted(groups, key=lambda group: -group["lr"])


def _layers_below_head(model: Any) -> dict[int, int]:
    """Return the id of each parameter -> 0 for the head, 1 for the last layer, and so on down to the embeddings."""
    num_layers = model.config.num_hidden_layers
    lists = [
        name for name, part in model.named_modules() if isinstance(part, nn.ModuleList) and len(part) == num_layers
    ]
    if not lists:
        raise ArgumentError(
            f"--layer_lr_decay: {model.config.model_type} has no list of its {num_layers} layers. Set it to 1."
        )
    prefix, below, is_above_embeddings = f"{lists[0]}.", {}, False
    for name, value in model.named_parameters():  # in the order of the forward pass
        if name.startswith(prefix):
            is_above_embeddings = True
            below[id(value)] = num_layers - int(name.removeprefix(prefix).split(".")[0])
        else:
            below[id(value)] = 0 if is_above_embeddings and "embed" not in name else num_layers + 1
    return below
