"""Texts -> token ids, cached in Arrow."""

from typing import Any

from datasets import DatasetDict


def tokenize(dataset: DatasetDict, tokenizer: Any, *, max_length: int) -> DatasetDict:
    """Return `dataset` with the tokenizer's columns in place of `text`, and `truncated`; padding is left to batches.

    Args:
        dataset: Parts with `text` and `label`.
        tokenizer: Gives `input_ids`, `attention_mask` and, for BERT, `token_type_ids`.
        max_length: Tokens, special ones included, after which a text is cut off.
    """
    encoded: DatasetDict = dataset.map(
        _encode,
        batched=True,
        # A change of `_encode` alone would find the old tokens in the cache: raise the version with it.
        fn_kwargs={"tokenizer": tokenizer, "max_length": max_length, "version": 1},
        remove_columns=["text"],
        desc="tokenizing",
    )
    return encoded


def _encode(batch: dict[str, list[Any]], tokenizer: Any, max_length: int, version: int) -> dict[str, list[Any]]:
    encoded = tokenizer(batch["text"], truncation=True, max_length=max_length)
    return {**encoded, "truncated": [bool(text.overflowing) for text in encoded.encodings]}


def num_truncated(encoded: DatasetDict) -> int:
    """Return how many texts were cut off."""
    return sum(sum(part["truncated"][:]) for part in encoded.values())
