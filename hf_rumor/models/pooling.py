"""Initialization of the head: mean pooling as an additional layer, and a missing pooler as the identity."""

import logging
from collections.abc import Collection
from typing import Any, Literal

import torch
from torch import nn

from hf_rumor.errors import ModelError


logger = logging.getLogger(__name__)

Pooling = Literal["first_token", "mean"]
MEAN_WEIGHT = 4.0  # of the mean; the weight of the first token is 1; not tuned


def append_layer(config: Any) -> bool:
    """Add a layer to the configuration of a BERT; return False if the checkpoint already has it.

    Raises:
        ModelError: It is not a BERT.
    """
    if config.model_type != "bert":
        raise ModelError(f"--pooling mean: needs a BERT model, not {config.model_type}. Omit the flag.")
    if getattr(config, "hf_rumor", {}).get("pooling") == "mean":
        return False
    config.num_hidden_layers += 1
    return True


def start_as_mean(model: Any) -> None:
    """Initialize the last layer of a BERT so that its first token is the mean over all tokens of the text.

    Sentence encoders such as e5 (Wang et al., 2022, https://arxiv.org/abs/2212.03533) are pre-trained on this mean,
    and little of it is in their first token. Queries of zero attend equally to every token that is not padding; the
    values are the tokens themselves, and `MEAN_WEIGHT` is the weight of the mean in the sum with the token. Plain
    transformers loads the model, and training can change what the layer attends to.
    """
    layer = model.base_model.encoder.layer[-1]
    attention, feed_forward = layer.attention, layer.output.dense
    with torch.no_grad():
        nn.init.zeros_(attention.self.query.weight)
        nn.init.eye_(attention.self.value.weight)
        nn.init.eye_(attention.output.dense.weight).mul_(MEAN_WEIGHT)
        nn.init.zeros_(feed_forward.weight)
        for part in (attention.self.query, attention.self.value, attention.output.dense, feed_forward):
            nn.init.zeros_(part.bias)
        for norm in (attention.output.LayerNorm, layer.output.LayerNorm):  # loaded if num_hidden_layers is overridden
            norm.reset_parameters()
    logger.info("model: a layer is added; it starts as the mean over the tokens")


def start_pooler_as_identity(model: Any, missing: Collection[str]) -> None:
    """Initialize a BERT pooler that is not in the checkpoint as the identity, not at random."""
    dense = getattr(getattr(model.base_model, "pooler", None), "dense", None)
    if any(name.endswith("pooler.dense.weight") for name in missing) and isinstance(dense, nn.Linear):
        with torch.no_grad():
            nn.init.eye_(dense.weight)
            nn.init.zeros_(dense.bias)
        logger.info("model: no pooler in the checkpoint; a new one starts as the identity")
