from datasets import Dataset, DatasetDict

from hf_rumor.training.models import load_model
from hf_rumor.training.tokenization import num_truncated, tokenize


TEXTS = ["天气好" * 10, "天气", "天气好天气好"]


def encode(max_length):
    _, tokenizer = load_model("mini", "sigmoid", TEXTS, 64)
    posts = Dataset.from_dict({"id": ["a", "b", "c"], "text": TEXTS, "label": [0, 1, 0]})
    return tokenizer, tokenize(DatasetDict(train=posts), tokenizer, max_length=max_length)


def test_tokens_are_those_of_the_tokenizer_without_padding():
    tokenizer, encoded = encode(64)
    assert encoded["train"]["input_ids"][:] == [tokenizer(text)["input_ids"] for text in TEXTS]
    assert set(encoded["train"].column_names) == {
        *("id", "label", "input_ids", "attention_mask", "token_type_ids", "truncated")
    }


def test_texts_that_are_cut_off_are_counted():
    _, encoded = encode(8)
    assert encoded["train"]["truncated"][:] == [True, False, False]  # six characters and two special tokens just fit
    assert [len(ids) for ids in encoded["train"]["input_ids"]] == [8, 4, 8]
    assert num_truncated(encoded) == 1
