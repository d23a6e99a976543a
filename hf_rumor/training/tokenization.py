"""Posts -> token ids, cached in Arrow."""

import logging
from typing import Any

import torch
from datasets import DatasetDict

from hf_rumor.corpus.arrow import posts_of
from hf_rumor.corpus.mapping import map_cached
from hf_rumor.models.inputs import VERSION, InputConfig, check_vocabulary, encode, to_columns, tokenizer_facts


logger = logging.getLogger(__name__)


def tokenize(dataset: DatasetDict, tokenizer: Any, config: InputConfig) -> DatasetDict:
    """Return `dataset` with token columns, `truncated` and `num_unknown` instead of `text`, without padding.

    The tokens are cached beside the posts.
    """
    arguments = {"tokenizer": tokenizer, "config": config, "version": VERSION}
    return DatasetDict(
        {name: map_cached(part, _encode_rows, ["text"], "tokens", **arguments) for name, part in dataset.items()}
    )


def _encode_rows(rows: dict[str, list[Any]], tokenizer: Any, config: InputConfig, version: int) -> dict[str, Any]:
    facts = tokenizer_facts(tokenizer)
    encodings = encode(posts_of(rows), tokenizer.backend_tokenizer, config)
    return {
        **to_columns(encodings, facts.names),
        "truncated": [bool(encoding.overflowing) for encoding in encodings],
        "num_unknown": [sum(number == facts.unknown_id for number in encoding.ids) for encoding in encodings],
    }


def log_tokens(encoded: DatasetDict, max_length: int) -> None:
    """Log how many posts are truncated, and a warning if many tokens are unknown."""
    num_truncated = sum(sum(part["truncated"][:]) for part in encoded.values())
    logger.info("tokens: %d posts of %s are truncated at %d tokens", num_truncated, ", ".join(encoded), max_length)
    num_unknown = sum(sum(part["num_unknown"][:]) for part in encoded.values())
    check_vocabulary("tokens", num_unknown, sum(sum(map(len, part["input_ids"][:])) for part in encoded.values()))


def padding_multiple(device: torch.device, max_length: int, num_positions: int | None) -> int | None:
    """Return the multiple to pad batches to: GPUs multiply whole tiles, a CPU pays for each token.

    None if it would pad past the last position of the model.
    """
    multiple = 2 if device.type == "cpu" else 8
    widest = -(-max_length // multiple) * multiple
    return multiple if num_positions is None or widest <= num_positions else None
