"""Attention for short posts in bf16 on a CPU, where plain products of matrices are faster than fused kernels."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import eager_mask  # not documented (5.23); can go with this file


NAME = "short_posts"
# Models whose attention is that of Vaswani et al., 2017, https://arxiv.org/abs/1706.03762, section 3.2, and no more.
PLAIN_MODELS = ("bert", "electra", "ernie", "roberta", "xlm-roberta")


def attend_shortly(model: PreTrainedModel) -> None:
    """Choose the fastest exact attention for a model that will compute in bf16 on a CPU.

    It is a setting of this object and is not saved with the model.
    """
    AttentionInterface.register(NAME, short_attention)
    AttentionMaskInterface.register(NAME, eager_mask)
    model.set_attn_implementation(NAME if model.config.model_type in PLAIN_MODELS else "eager")


def short_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[Tensor, Tensor]:
    """Return `softmax(scaling * query @ key + mask) @ value` and the weights of the values.

    Like the eager attention of transformers, but nothing of the size of the scores is allocated twice, and all of it
    stays in bf16: there the mask, which has the type of the embeddings, turns the scores into fp32.

    *Shape:* query, key, value `(batch, heads, length, width)`; result `(batch, length, heads, width)`.
    """
    scores = torch.matmul(query * (query.shape[-1] ** -0.5 if scaling is None else scaling), key.transpose(2, 3))
    if attention_mask is not None:
        scores += attention_mask.to(scores.dtype)
    weights = F.dropout(F.softmax(scores, dim=-1), p=dropout, training=module.training)
    return torch.matmul(weights, value).transpose(1, 2).contiguous(), weights
