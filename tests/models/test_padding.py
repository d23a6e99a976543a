import pytest
from transformers import AutoTokenizer

from hf_rumor.models.padding import pad_on_the_right, reads_last_token


@pytest.mark.parametrize(("kind", "expected"), [("bert", False), ("qwen2", True), ("gpt2", True)])
def test_decoders_read_the_last_token(make_small, kind, expected):
    assert reads_last_token(make_small(kind)) == expected


def test_a_missing_padding_token_is_the_end_of_the_text(make_small, tiny_encoder, caplog):
    caplog.set_level("INFO")
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder, padding_side="left", pad_token=None, eos_token="[SEP]")
    config = make_small("qwen2").config
    pad_on_the_right(tokenizer, config)
    assert tokenizer.pad_token_id == config.pad_token_id == tokenizer.eos_token_id
    assert tokenizer.padding_side == "right"
    assert "no padding token; [SEP] is used" in caplog.text


def test_a_padding_token_stays(make_small, tiny_encoder):
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder, eos_token="[SEP]")
    before = tokenizer.pad_token_id
    config = make_small("qwen2").config
    pad_on_the_right(tokenizer, config)
    assert tokenizer.pad_token_id == config.pad_token_id == before != tokenizer.eos_token_id
