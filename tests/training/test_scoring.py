from types import SimpleNamespace

import pytest
import torch

from hf_rumor.corpus.post import Post
from hf_rumor.models.encoders import load_encoder
from hf_rumor.models.inputs import InputConfig
from hf_rumor.models.logits import predict_logits
from hf_rumor.training import scoring
from hf_rumor.training.scoring import score_together


CONFIG = InputConfig(32)


@pytest.mark.parametrize("num_posts", [7, 1])
def test_the_logits_of_several_processes_are_those_of_one(tiny_encoder, monkeypatch, num_posts):
    posts = [Post(text=f"听说明天停水{'，快转发' * number}") for number in range(num_posts)]
    model, tokenizer = load_encoder(str(tiny_encoder), "sigmoid", 32)

    def trainer(rank, num_processes):
        args = SimpleNamespace(process_index=rank, world_size=num_processes)
        return SimpleNamespace(plain_model=lambda: model, processing_class=tokenizer, args=args)

    alone = score_together(trainer(0, 1), posts, CONFIG)
    parts = [predict_logits(model, tokenizer, posts[rank::3], CONFIG) for rank in range(3)]
    sent = []
    monkeypatch.setattr(scoring, "gather_object", lambda part: sent.extend(part) or parts)
    for rank in range(3):
        torch.testing.assert_close(score_together(trainer(rank, 3), posts, CONFIG), alone, rtol=0, atol=1e-6)
    assert all(map(torch.equal, sent, parts))
