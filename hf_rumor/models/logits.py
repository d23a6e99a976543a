"""Posts -> logits by a model on torch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from hf_rumor.corpus.post import Post
from hf_rumor.models.facts import Logits, ScoreBatch
from hf_rumor.models.inputs import Arrays, InputConfig, make_batches, tokenizer_facts


WINDOW = 64  # batches that are sorted by length together


def predict_logits(
    model: nn.Module, tokenizer: Any, posts: Sequence[Post], config: InputConfig, batch_size: int = 32
) -> Tensor:
    """Return the logits of `posts`, in their order, in float32 on the CPU. *Shape:* `(num_posts, num_labels)`.

    Batches consist of posts of similar length, to save padding; padding changes a logit by no more than rounding.
    """
    facts, score = tokenizer_facts(tokenizer), make_score(model)
    logits = torch.empty(len(posts), model.config.num_labels)  # type: ignore[union-attr, arg-type]
    size = WINDOW * batch_size
    with (
        torch.backends.flags(fp32_precision="ieee"),  # `--tf32` is for training only
        tqdm(total=len(posts), desc="scoring", unit="post", disable=None) as bar,
    ):
        for start in range(0, len(posts), size):
            window = posts[start : start + size]
            order, batches = make_batches(window, tokenizer.backend_tokenizer, facts, config, batch_size)
            parts = []
            for arrays in batches:
                parts.append(score(arrays))
                bar.update(len(parts[-1]))
            logits[start + torch.tensor(order)] = torch.from_numpy(np.concatenate(parts))
    return logits


def make_score(model: nn.Module) -> ScoreBatch:
    """Return a function from a batch to its logits, without gradients; the model is set to evaluation mode."""
    model.eval()
    device = next(model.parameters()).device

    def score(arrays: Arrays) -> Logits:
        inputs = {name: torch.from_numpy(values).to(device) for name, values in arrays.items()}
        with torch.inference_mode(), torch.autocast(device.type, enabled=False):
            logits: Logits = model(**inputs).logits.float().cpu().numpy()
        return logits

    return score
