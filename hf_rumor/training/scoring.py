"""Score posts with all processes of a run."""

from collections.abc import Sequence

import torch
from accelerate.utils import gather_object
from torch import Tensor

from hf_rumor.corpus.post import Post
from hf_rumor.models.inputs import InputConfig
from hf_rumor.models.logits import predict_logits
from hf_rumor.training.trainer import RumorTrainer


def score_together(trainer: RumorTrainer, posts: Sequence[Post], config: InputConfig) -> Tensor:
    """Return the logits of all posts on every process, in their order. *Shape:* `(num_posts, 2)`.

    Each process scores every n-th post with the whole model in float32; padding changes a logit by no more than
    rounding.
    """
    rank, num_processes = trainer.args.process_index, trainer.args.world_size
    own = predict_logits(trainer.plain_model(), trainer.processing_class, posts[rank::num_processes], config)
    if num_processes == 1:
        return own
    logits = torch.empty(len(posts), own.shape[1])
    for number, part in enumerate(gather_object([own])):
        logits[number::num_processes] = part
    return logits
