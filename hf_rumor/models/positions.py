"""How many tokens a model accepts."""

from typing import Any


UNBOUNDED = 512  # tokens, if neither the model nor the tokenizer has a limit


def longest_input(model: Any, tokenizer: Any) -> int:
    """Return how many tokens, special tokens included, a model accepts.

    The limit of the tokenizer counts too, unless hf_rumor has set it to the maximum length of an earlier training.
    """
    limits = [num_positions(model)]
    if not hasattr(model.config, "hf_rumor"):
        limits.append(tokenizer.model_max_length)
    return min((limit for limit in limits if limit and limit < 1e9), default=UNBOUNDED)


def num_positions(model: Any) -> int | None:
    """Return how many positions a model distinguishes; None if there is no limit.

    In RoBERTa and related models they start after the position of padding: a table of 514 rows is for 512 tokens.
    """
    limits = [getattr(model.config, "max_position_embeddings", None) or 0]
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and getattr(module, "weight", None) is not None:
            padding = getattr(module, "padding_idx", None)
            limits.append(len(module.weight) - (0 if padding is None else padding + 1))
    return min((limit for limit in limits if limit > 0), default=None)
