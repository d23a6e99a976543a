import os

import pytest
import torch

from hf_rumor.training.sharding import LAYERS, gather, name_layers


@pytest.mark.parametrize(
    ("kind", "expected"), [("bert", "BertLayer"), ("qwen2", "Qwen2DecoderLayer"), ("gpt2", "GPT2Block")]
)
def test_the_layers_are_sharded_without_the_embeddings(make_small, monkeypatch, kind, expected):
    monkeypatch.delenv(LAYERS, raising=False)
    name_layers(make_small(kind))
    assert os.environ.pop(LAYERS) == expected


def test_a_config_file_may_name_others(make_small, monkeypatch):
    monkeypatch.setenv(LAYERS, "BertAttention")
    name_layers(make_small("bert"))
    assert os.environ[LAYERS] == "BertAttention"


def test_the_copy_gets_the_weights(make_small):
    model, copy = make_small("bert"), make_small("bert")
    with torch.no_grad():
        for value in model.parameters():
            value.add_(1)
    gathered = gather(model, copy)
    assert gathered is copy
    for name, value in model.state_dict().items():
        assert torch.equal(gathered.state_dict()[name], value)
