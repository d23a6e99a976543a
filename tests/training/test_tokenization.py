import pytest
import torch
from datasets import Dataset, DatasetDict

from hf_rumor.models.encoders import load_encoder
from hf_rumor.models.inputs import InputConfig
from hf_rumor.training.tokenization import log_tokens, padding_multiple, tokenize


TEXTS = ["天气好" * 10, "天气", "天气好天气好"]


def encode(max_length):
    _, tokenizer = load_encoder("mini", "sigmoid", 64)
    posts = Dataset.from_dict({"id": ["a", "b", "c"], "text": TEXTS, "label": [0, 1, 0]})
    return tokenizer, tokenize(DatasetDict(train=posts), tokenizer, InputConfig(max_length))


def test_tokens_are_those_of_the_tokenizer_without_padding():
    tokenizer, encoded = encode(64)
    assert encoded["train"]["input_ids"][:] == [tokenizer(text)["input_ids"] for text in TEXTS]
    assert set(encoded["train"].column_names) == {
        *("id", "label", "input_ids", "attention_mask", "token_type_ids", "truncated", "num_unknown")
    }


def test_truncated_posts_are_counted(caplog):
    _, encoded = encode(7)
    assert encoded["train"]["truncated"][:] == [True, False, False]  # the third has exactly 7 tokens
    assert [len(ids) for ids in encoded["train"]["input_ids"]] == [7, 4, 7]
    with caplog.at_level("INFO", logger="hf_rumor"):
        log_tokens(encoded, 7)
    assert "1 posts of train are truncated at 7 tokens" in caplog.text
    assert "unknown" not in caplog.text


def test_posts_in_another_language_cause_a_warning(caplog):
    _, tokenizer = load_encoder("mini", "sigmoid", 64)
    posts = Dataset.from_dict({"text": ["срочно завтра отключат воду"], "label": [0]})
    log_tokens(tokenize(DatasetDict(train=posts), tokenizer, InputConfig(64)), 64)
    assert "40% of the tokens are unknown" in caplog.text


@pytest.mark.parametrize(
    ("device", "max_length", "num_positions", "multiple"),
    [
        ("cpu", 256, 256, 2),
        ("cuda", 250, 256, 8),
        ("cuda", 250, 254, None),
        ("cuda", 250, None, 8),
        ("cpu", 5, 5, None),
    ],
)
def test_batches_are_not_padded_past_the_last_position(device, max_length, num_positions, multiple):
    assert padding_multiple(torch.device(device), max_length, num_positions) == multiple
