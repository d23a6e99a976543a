"""Texts -> token ids, cached in Arrow."""

import logging
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pyarrow
from datasets import DatasetDict
from filelock import FileLock


logger = logging.getLogger(__name__)


def tokenize(dataset: DatasetDict, tokenizer: Any, *, max_length: int) -> DatasetDict:
    """Return `dataset` with the tokenizer's columns in place of `text`, and `truncated`; padding is left to batches.

    The tokens are cached beside the posts, by one process at a time; the tokenizer itself works in parallel.

    Args:
        dataset: Parts with `text` and `label`.
        tokenizer: Gives `input_ids`, `attention_mask` and, for BERT, `token_type_ids`.
        max_length: Tokens, special ones included, after which a text is cut off.
    """
    files = [Path(file["filename"]) for part in dataset.values() for file in part.cache_files]
    with FileLock(files[0].parent / "tokens.lock") if files else nullcontext():
        for leftover in files[0].parent.glob("tmp*") if files else ():  # of a process that was killed
            leftover.unlink(missing_ok=True)
        try:
            return _map(dataset, tokenizer, max_length, from_cache=True)
        except (pyarrow.ArrowException, OSError) as error:
            logger.warning("cache: tokens are damaged (%s); they are made again", error)
            return _map(dataset, tokenizer, max_length, from_cache=False)


def _map(dataset: DatasetDict, tokenizer: Any, max_length: int, *, from_cache: bool) -> DatasetDict:
    encoded: DatasetDict = dataset.map(
        _encode,
        batched=True,
        # A change of `_encode` alone would find the old tokens in the cache: raise the version with it.
        fn_kwargs={"tokenizer": tokenizer, "max_length": max_length, "version": 1},
        remove_columns=["text"],
        load_from_cache_file=from_cache,
        desc="tokenizing",
    )
    for name, part in encoded.items():
        if len(part) != len(dataset[name]):
            raise OSError(f"expected {len(dataset[name]):,} posts of {name}, found {len(part):,}")
    return encoded


def _encode(batch: dict[str, list[Any]], tokenizer: Any, max_length: int, version: int) -> dict[str, list[Any]]:
    encoded = tokenizer(batch["text"], truncation=True, max_length=max_length)
    return {**encoded, "truncated": [bool(text.overflowing) for text in encoded.encodings]}


def num_truncated(encoded: DatasetDict) -> int:
    """Return how many texts were cut off."""
    return sum(sum(part["truncated"][:]) for part in encoded.values())
