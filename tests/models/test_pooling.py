import pytest
import torch
from transformers import ElectraConfig

from hf_rumor.errors import ModelError
from hf_rumor.models.encoders import load_encoder
from hf_rumor.models.pooling import append_layer
from hf_rumor.models.save import save_model


TEXTS = ["今天天气很好 Good", "明天天气不好 good", "今天停水 2 小时", "明天停水 2 小时"]


@pytest.fixture
def headless(tmp_path, tiny_encoder):
    """Return the folder of an encoder without a pooler and a head, and the encoder."""
    torch.manual_seed(0)
    model, tokenizer = load_encoder(str(tiny_encoder), "sigmoid", 32)
    model.bert.pooler = None
    model.bert.eval().save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return tmp_path, model.bert


def test_a_missing_pooler_starts_as_the_identity(headless, caplog):
    with caplog.at_level("INFO", logger="hf_rumor"):
        model, _ = load_encoder(str(headless[0]), "sigmoid", 32)
    assert torch.equal(model.bert.pooler.dense.weight, torch.eye(32))
    assert not model.bert.pooler.dense.bias.any()
    assert "starts as the identity" in caplog.text


@pytest.mark.parametrize("layers", [1, 2])
def test_the_added_layer_starts_as_the_mean_over_the_tokens(headless, layers):
    folder, encoder = headless
    for norm in (encoder.encoder.layer[1].attention.output.LayerNorm, encoder.encoder.layer[1].output.LayerNorm):
        torch.nn.init.normal_(norm.weight)
    encoder.save_pretrained(folder)
    model, tokenizer = load_encoder(str(folder), "sigmoid", 32, {"num_hidden_layers": layers}, pooling="mean")
    batch = tokenizer(["今天", *TEXTS], padding=True, return_tensors="pt")
    with torch.inference_mode():
        tokens = encoder(**batch, output_hidden_states=True).hidden_states[layers]  # (5, tokens, 32)
        first = model.eval().bert(**batch).last_hidden_state[:, 0]
    mask = batch["attention_mask"][..., None].float()
    mean = (tokens * mask).sum(dim=1) / mask.sum(dim=1)
    expected = torch.nn.functional.layer_norm(4 * mean + tokens[:, 0], (32,))
    torch.testing.assert_close(first, expected, atol=1e-4, rtol=1e-4)
    assert model.config.num_hidden_layers == layers + 1


def test_the_added_layer_is_saved_and_not_added_again(headless, tmp_path):
    model, tokenizer = load_encoder(str(headless[0]), "sigmoid", 32, pooling="mean")
    folder = tmp_path / "mean"
    folder.mkdir()
    save_model(model, tokenizer, folder, {"pooling": "mean"})
    reloaded, _ = load_encoder(str(folder), "sigmoid", 32, pooling="mean")
    assert reloaded.config.num_hidden_layers == 3
    for one, other in zip(model.parameters(), reloaded.parameters(), strict=True):
        assert torch.equal(one, other)


def test_training_changes_what_the_added_layer_attends_to(headless):
    model, tokenizer = load_encoder(str(headless[0]), "sigmoid", 32, pooling="mean")
    model(**tokenizer(TEXTS, padding=True, return_tensors="pt")).logits.sum().backward()
    assert model.bert.encoder.layer[-1].attention.self.query.weight.grad.any()


def test_mean_pooling_needs_a_bert():
    with pytest.raises(ModelError, match="needs a BERT model, not electra"):
        append_layer(ElectraConfig())
