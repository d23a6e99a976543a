import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from hf_rumor.models.cpu.attention import NAME, PLAIN_MODELS, attend_shortly
from hf_rumor.models.cpu.shortcuts import narrow_last_layer


@pytest.mark.parametrize("attention", ["eager", "sdpa", NAME])
@pytest.mark.parametrize("kind", PLAIN_MODELS)
def test_logits_and_gradients_are_those_of_the_whole_layer(kind, attention, inputs, make_small):
    results = []
    for is_narrow in (False, True):
        model = make_small(kind)
        attend_shortly(model)  # registers NAME
        model.set_attn_implementation(attention)
        if is_narrow:
            narrow_last_layer(model)
        logits = model(**inputs).logits
        logits.square().sum().backward()
        results.append([logits, *(value.grad for value in model.parameters())])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_a_batch_without_padding_needs_no_mask(make_small):
    model = make_small("bert")
    ids = torch.arange(5, 16)[None]
    expected = model(ids).logits
    narrow_last_layer(model)
    torch.testing.assert_close(model(ids).logits, expected)


def test_one_token_is_computed_and_dropout_meets_it(inputs, make_small):
    model = make_small("bert")
    narrow_last_layer(model)
    assert model.base_model(**inputs).last_hidden_state.shape == (3, 1, 32)
    model.base_model.encoder.layer[-1].train()
    assert not torch.equal(model(**inputs).logits, model(**inputs).logits)


def test_checkpointed_gradients_pass_it(inputs, make_small):
    found = []
    for is_checkpointed in (False, True):
        model = make_small("bert")
        narrow_last_layer(model)
        if is_checkpointed:
            model.activation_checkpointing_enable()
        model.train()
        torch.manual_seed(0)
        model(**inputs).logits.sum().backward()
        found.append(model.base_model.embeddings.word_embeddings.weight.grad)
    torch.testing.assert_close(*found)


def test_it_is_not_saved(tmp_path, inputs, make_small):
    model = make_small("bert")
    before = model(**inputs).logits
    narrow_last_layer(model)
    model.save_pretrained(tmp_path)
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    assert again.base_model(**inputs).last_hidden_state.shape == (3, 11, 32)
    torch.testing.assert_close(again(**inputs).logits, before)


def test_layers_of_another_kind_stay():
    config = AutoConfig.for_model("distilbert", dim=24, hidden_dim=64, n_layers=1, n_heads=2, vocab_size=90)
    model = AutoModelForSequenceClassification.from_config(config).eval()
    ids = torch.arange(5, 16)[None]
    expected = model(ids).logits
    narrow_last_layer(model)
    assert torch.equal(model(ids).logits, expected)
