"""Work that a classifier can skip because its head reads the first token only.

Undocumented names of transformers, checked on 5.23: `ALL_ATTENTION_FUNCTIONS`, `eager_attention_forward` and
`config._attn_implementation`, which choose the attention of a layer. They can go when a classifier of transformers
computes no more than its head reads.
"""

from types import MethodType
from typing import Any

from torch import Tensor
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.bert.modeling_bert import eager_attention_forward

from hf_rumor.models.cpu.attention import PLAIN_MODELS


def narrow_last_layer(model: Any) -> None:
    """Let the last layer of a sequence classifier compute the first token only.

    Exact, gradients too: that token attends to all others as before, and nothing reads their outputs. Other models are
    not changed. It is a setting of this object and is not saved with the model; the last hidden state of the model is
    then one token long.
    """
    is_classifier = type(model).__name__.endswith("ForSequenceClassification")
    if is_classifier and model.config.model_type in PLAIN_MODELS:
        for layer in model.base_model.encoder.layer[-1:]:
            layer.forward = MethodType(_first_token, layer)


def _first_token(
    layer: Any, hidden_states: Tensor, attention_mask: Tensor | None = None, *_: Any, **__: Any
) -> Tensor:
    """Return the output of a layer for the first token, as in `BertLayer.forward`.

    *Shape:* `(batch, length, width)` -> `(batch, 1, width)`.
    """
    attention = layer.attention.self
    first = hidden_states[:, :1].contiguous()

    def by_head(values: Tensor) -> Tensor:
        return values.view(*values.shape[:-1], -1, attention.attention_head_size).transpose(1, 2)

    attend = ALL_ATTENTION_FUNCTIONS.get_interface(attention.config._attn_implementation, eager_attention_forward)
    attended, _weights = attend(
        attention,
        by_head(attention.query(first)),
        by_head(attention.key(hidden_states)),
        by_head(attention.value(hidden_states)),
        None if attention_mask is None else attention_mask[:, :, :1],
        dropout=attention.dropout.p if layer.training else 0.0,
        scaling=attention.scaling,
    )
    result: Tensor = layer.feed_forward_chunk(layer.attention.output(attended.flatten(2), first))
    return result
