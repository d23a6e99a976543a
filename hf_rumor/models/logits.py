"""Posts -> logits by a model of torch, in float32, whatever precision trained it."""

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
    """Return the logits of `posts`, in their order, on the CPU. *Shape:* `(num_posts, num_labels)`.

    Batches hold posts of similar length, which saves padding; padding changes a logit by no more than rounding.

    Args:
        model: A sequence classifier in float32; is set to evaluation mode.
        tokenizer: Its tokenizer, of transformers.
        posts: The posts.
        config: How to read them.
        batch_size: Posts per batch.
    """
    facts, score = tokenizer_facts(tokenizer), make_score(model)
    logits = torch.empty(len(posts), model.config.num_labels)  # type: ignore[union-attr, arg-type]
    size = WINDOW * batch_size
    with (
        torch.backends.flags(fp32_precision="ieee"),  # `--tf32` is for training: a saved model must reproduce these
        tqdm(total=len(posts), desc="scoring", unit="post", disable=None) as bar,
    ):
        for start in range(0, len(posts), size):
            window = posts[start : start + size]
            order, batches = make_batches(window, tokenizer.backend_tokenizer, facts, config, batch_size)
            scored = []
            for arrays in batches:
                scored.append(score(arrays))
                bar.update(len(scored[-1]))
            logits[start + torch.tensor(order)] = torch.from_numpy(np.concatenate(scored))
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
