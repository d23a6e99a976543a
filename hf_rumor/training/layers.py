"""Learning rates that decrease from the head to the embeddings."""

import re
from typing import Any

import torch


# Weights that every layer uses count as embeddings, although they are registered after the layers (DeBERTa, MPNet).
READ_BY_ALL = ("encoder.rel_embeddings.", "encoder.relative_attention_bias.")
LAYER = re.compile(r"((?:\.\d+)+)\.")  # `.3.`; Funnel numbers blocks and layers: `.0.3.`


def decay_learning_rates(optimizer: torch.optim.Optimizer, model: Any, decay: float) -> None:
    """Split the parameter groups of a new optimizer by layer: `decay**k` of the rate, `k` layers below the head.

    Clark et al., 2020, https://arxiv.org/abs/2003.10555, App. A: lower layers are more general and should change less.
    """
    below = layers_below_head(model)
    groups = []
    for group in optimizer.param_groups:
        for k in sorted({below[id(value)] for value in group["params"]}):
            values = [value for value in group["params"] if below[id(value)] == k]
            groups.append({**group, "params": values, "lr": group["lr"] * decay**k})
    # The head first: the learning rate that Trainer logs is that of the first group.
    optimizer.param_groups[:] = sorted(groups, key=lambda group: -group["lr"])


def layers_below_head(model: Any) -> dict[int, int]:
    """Return, for the `id` of each parameter, how many layers it is below the head.

    Models register their modules in the order of computation. Parameters before the numbered layers are embeddings,
    below all layers. Parameters after them belong to a pooler or a final norm, which count as the head (0). Layers
    that share their weights (ALBERT) are one layer.
    """
    base = dict(model.base_model.named_parameters())
    numbers = {name: tuple(map(int, match[1][1:].split("."))) for name in base if (match := LAYER.search(f".{name}"))}
    ranks = {number: rank for rank, number in enumerate(sorted(set(numbers.values()), reverse=True), start=1)}
    below = {id(value): 0 for value in model.parameters()}
    read_by_all: tuple[str, ...] = READ_BY_ALL
    if "encoder.rel_embeddings.weight" in base:
        read_by_all += ("encoder.LayerNorm.",)  # the norm of these embeddings
    is_embedding = True
    for name, value in base.items():
        is_embedding = is_embedding and name not in numbers
        is_lowest = is_embedding or name.startswith(read_by_all)
        below[id(value)] = len(ranks) + 1 if is_lowest else ranks[numbers[name]] if name in numbers else 0
    return below
