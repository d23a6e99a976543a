"""Texts -> logits, in float32, whatever precision trained the model."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm


def predict_logits(
    model: nn.Module, tokenizer: Any, texts: Sequence[str], *, max_length: int, batch_size: int = 32
) -> Tensor:
    """Return the logits of `texts`, in their order, on the CPU. *Shape:* `(num_texts, num_labels)`.

    Batches hold texts of like length, which saves padding; padding does not change a logit beyond rounding.

    Args:
        model: A sequence classifier in float32; is put in evaluation mode.
        tokenizer: Its tokenizer.
        texts: One a post.
        max_length: Tokens after which a text is cut off.
        batch_size: Texts at a time.
    """
    model.eval()
    device = next(model.parameters()).device
    order = sorted(range(len(texts)), key=lambda position: len(texts[position]))
    logits = torch.empty(len(texts), model.config.num_labels)  # type: ignore[union-attr, arg-type]
    with torch.inference_mode(), torch.autocast(device.type, enabled=False):
        for start in tqdm(range(0, len(order), batch_size), desc="scoring", unit="batch", disable=None):
            positions = order[start : start + batch_size]
            batch = tokenizer(
                [texts[position] for position in positions],
                truncation=True,
                max_length=max_length,
                padding=True,
                return_tensors="pt",
            ).to(device)
            logits[positions] = model(**batch).logits.cpu()
    return logits
