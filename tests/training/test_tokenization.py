from pathlib import Path

import pytest
from datasets import Dataset, DatasetDict

from hf_rumor.models.encoders import load_model
from hf_rumor.training.tokenization import num_truncated, tokenize


TEXTS = ["天气好" * 10, "天气", "天气好天气好"]


def encode(max_length):
    _, tokenizer = load_model("mini", "sigmoid", 64)
    posts = Dataset.from_dict({"id": ["a", "b", "c"], "text": TEXTS, "label": [0, 1, 0]})
    return tokenizer, tokenize(DatasetDict(train=posts), tokenizer, max_length=max_length)


def test_tokens_are_those_of_the_tokenizer_without_padding():
    tokenizer, encoded = encode(64)
    assert encoded["train"]["input_ids"][:] == [tokenizer(text)["input_ids"] for text in TEXTS]
    assert set(encoded["train"].column_names) == {
        *("id", "label", "input_ids", "attention_mask", "token_type_ids", "truncated")
    }


def test_texts_that_are_cut_off_are_counted():
    _, encoded = encode(7)
    assert encoded["train"]["truncated"][:] == [True, False, False]  # a space, 4 words, 2 special tokens just fit
    assert [len(ids) for ids in encoded["train"]["input_ids"]] == [7, 4, 7]
    assert num_truncated(encoded) == 1


@pytest.fixture
def cached(tmp_path):
    """Return posts in Arrow on disk, and what tokenizes them."""
    path = tmp_path / "posts"
    Dataset.from_dict({"id": ["a", "b", "c"] * 9, "text": TEXTS * 9, "label": [0, 1, 0] * 9}).save_to_disk(path)
    _, tokenizer = load_model("mini", "sigmoid", 64)
    return lambda: tokenize(DatasetDict(train=Dataset.load_from_disk(path)), tokenizer, max_length=64), path


def test_tokens_are_made_once(cached):
    run, _ = cached
    first, second = run(), run()
    assert first["train"].cache_files == second["train"].cache_files
    assert first["train"]["input_ids"][:] == second["train"]["input_ids"][:]


@pytest.mark.parametrize("how", ["cut off", "emptied", "overwritten"])
def test_damaged_tokens_are_made_again_and_told(cached, caplog, how):
    run, _ = cached
    expected = run()["train"]
    tokens, path = expected["input_ids"][:], Path(expected.cache_files[0]["filename"])
    content = path.read_bytes()
    path.write_bytes({"cut off": content[: len(content) // 2], "emptied": b"", "overwritten": b"?" * 999}[how])
    assert run()["train"]["input_ids"][:] == tokens
    assert "tokens are damaged" in caplog.text


def test_what_a_killed_process_left_is_removed(cached):
    run, path = cached
    (path / "tmpabc123").write_bytes(b"half")
    run()
    assert not (path / "tmpabc123").exists()
