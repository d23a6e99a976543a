import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from hf_rumor.errors import ArgumentError
from hf_rumor.training.layer_rates import decay_learning_rates


SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "vocab_size": 90,
}


def rates(kind):
    """Return name -> learning rate of each parameter of a model with three layers, decayed by 0.5."""
    model = AutoModelForSequenceClassification.from_config(AutoConfig.for_model(kind, **SIZES))
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    decay_learning_rates(optimizer, model, 0.5)
    of = {id(value): group["lr"] for group in optimizer.param_groups for value in group["params"]}
    return {name: of[id(value)] for name, value in model.named_parameters()}


@pytest.mark.parametrize(
    ("kind", "embeddings", "layer", "head"),
    [
        ("bert", "bert.embeddings.word_embeddings", "bert.encoder.layer", "classifier"),
        ("roberta", "roberta.embeddings.word_embeddings", "roberta.encoder.layer", "classifier"),
        ("distilbert", "distilbert.embeddings.word_embeddings", "distilbert.transformer.layer", "classifier"),
        ("gpt2", "transformer.wte", "transformer.h", "score"),
        ("llama", "model.embed_tokens", "model.layers", "score"),
        ("qwen2", "model.embed_tokens", "model.layers", "score"),
        ("xlnet", "transformer.word_embedding", "transformer.layer", "logits_proj"),
        ("deberta-v2", "deberta.embeddings.word_embeddings", "deberta.encoder.layer", "classifier"),
    ],
)
def test_each_layer_learns_at_half_the_rate_of_the_one_above(kind, embeddings, layer, head):
    expected = {embeddings: 0.0625, f"{layer}.0": 0.125, f"{layer}.1": 0.25, f"{layer}.2": 0.5, head: 1.0}
    actual = rates(kind)
    for prefix, rate in expected.items():
        assert {value for name, value in actual.items() if name.startswith(f"{prefix}.")} == {rate}, prefix


def test_a_model_whose_layers_share_their_weights_is_refused():
    with pytest.raises(ArgumentError, match="albert has no list of its 3 layers"):
        rates("albert")
