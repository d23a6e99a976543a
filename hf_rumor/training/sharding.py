"""FSDP 2: which modules are sharded, and the whole weights after training."""

import os
from typing import Any

from torch.distributed.tensor import DTensor


LAYERS = "FSDP_TRANSFORMER_CLS_TO_WRAP"  # variable of accelerate


def name_layers(model: Any) -> None:
    """Tell accelerate which modules to shard one by one, unless its config file does: the layers.

    By default it takes those that transformers does not split over devices. In a BERT, embeddings are among them; it
    shards these by themselves, and fails.
    """
    embeddings = model.get_input_embeddings()
    names = set(getattr(model, "_no_split_modules", None) or ())
    found = {type(part).__name__ for part in model.modules() if all(part is not embeddings for part in part.modules())}
    if names & found:
        os.environ.setdefault(LAYERS, ",".join(sorted(names & found)))


def gather(sharded: Any, whole: Any) -> Any:
    """Load the weights of a sharded model into `whole`, a plain copy of it, on every process; return the copy."""
    weights = sharded.state_dict()
    whole.load_state_dict(
        {name: part.full_tensor() if isinstance(part, DTensor) else part for name, part in weights.items()}
    )
    return whole
