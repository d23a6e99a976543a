from types import SimpleNamespace

import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from hf_rumor.models.positions import UNBOUNDED, longest_input, num_positions


SIZES = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 32}
OWN = {
    "gpt2": {"n_embd": 32, "n_layer": 1, "n_head": 4, "n_positions": 34},
    "distilbert": {"dim": 32, "n_layers": 1, "n_heads": 4, "hidden_dim": 32, "max_position_embeddings": 34},
    "longformer": {**SIZES, "attention_window": [8], "max_position_embeddings": 34},
}
FREE = SimpleNamespace(model_max_length=int(1e30))


def make(kind):
    own = OWN.get(kind, {**SIZES, "max_position_embeddings": 34})
    config = AutoConfig.for_model(kind, vocab_size=90, pad_token_id=1, **own)
    return AutoModelForSequenceClassification.from_config(config).eval()


@pytest.mark.parametrize(
    ("kind", "longest"),
    [
        *((kind, 34) for kind in ("bert", "electra", "albert", "gpt2", "distilbert", "deberta-v2", "nystromformer")),
        *((kind, 32) for kind in ("roberta", "xlm-roberta", "camembert", "mpnet", "longformer", "ibert", "luke")),
    ],
)
def test_the_longest_input_works_and_one_token_more_does_not(kind, longest):
    model = make(kind)
    assert longest_input(model, FREE) == longest
    with torch.inference_mode():
        model(input_ids=torch.full((1, longest), 7), attention_mask=torch.ones(1, longest, dtype=torch.long))
        with pytest.raises((RuntimeError, IndexError)):
            model(input_ids=torch.full((1, longest + 1), 7), attention_mask=torch.ones(1, longest + 1))


def test_the_limit_of_the_tokenizer_counts_unless_hf_rumor_has_set_it():
    model, tokenizer = make("bert"), SimpleNamespace(model_max_length=20)
    assert longest_input(model, tokenizer) == 20
    model.config.hf_rumor = {}
    assert longest_input(model, tokenizer) == 34


def test_a_model_without_positions_has_a_default_limit():
    config = AutoConfig.for_model("xlnet", vocab_size=90, d_model=32, n_layer=1, n_head=4, d_inner=32)
    model = AutoModelForSequenceClassification.from_config(config)
    assert num_positions(model) is None
    assert longest_input(model, FREE) == UNBOUNDED
