"""Padding for decoders, whose classifiers read the last token that is not padding."""

import logging
from typing import Any

from torch import nn


logger = logging.getLogger(__name__)


def reads_last_token(model: Any) -> bool:
    """Return whether a sequence classifier reads the last token, as decoders do in transformers."""
    return isinstance(getattr(model, "score", None), nn.Linear)


def pad_on_the_right(tokenizer: Any, config: Any) -> None:
    """Set a padding token, if there is none the end-of-text token, and pad on the right.

    The text then has the positions of pre-training, and causal attention keeps the padding out of it.
    """
    if tokenizer.pad_token_id is None and tokenizer.eos_token_id is not None:
        tokenizer.pad_token = tokenizer.eos_token
        logger.info("model: the tokenizer has no padding token; %s is used", tokenizer.eos_token)
    tokenizer.padding_side = "right"
    config.pad_token_id = tokenizer.pad_token_id
    config.use_cache = False  # of keys and values, which only generation reads
