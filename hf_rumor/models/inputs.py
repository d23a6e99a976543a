"""Posts -> token ids: the only place where a post becomes model input. Needs numpy and tokenizers, no torch."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hf_rumor.corpus.post import Post
from hf_rumor.errors import ArgumentError


if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

logger = logging.getLogger(__name__)

VERSION = 2  # part of the cache key of tokens: increase it whenever `encode` returns other tokens for the same post
MAX_NUM_UNKNOWN, MAX_SHARE_UNKNOWN = 3, 0.05  # tokens; a post has rare characters and symbols
WIDTH_MULTIPLE = 8  # tokens; torch keeps memory for each shape of a batch

Arrays = Mapping[str, NDArray[np.int64]]  # name -> (batch, tokens)


@dataclass(frozen=True)
class InputConfig:
    """How a post becomes model input; saved in `config.json` under `hf_rumor.inputs`."""

    max_length: int  # tokens, special tokens included; longer posts are truncated


@dataclass(frozen=True)
class TokenizerFacts:
    """What padding and the check for unknown tokens need from a tokenizer."""

    padding_id: int = 0
    padding_side: Literal["left", "right"] = "right"
    unknown_id: int | None = None
    names: tuple[str, ...] = ("input_ids", "attention_mask")  # arrays that the model takes


class Tokens(NamedTuple):
    """The tokens of a post; an `Encoding` also keeps those that were truncated."""

    ids: list[int]
    type_ids: list[int]


def tokenizer_facts(tokenizer: Any) -> TokenizerFacts:
    """Return the facts of a tokenizer of transformers."""
    names = tuple(name for name in tokenizer.model_input_names if name in _COLUMNS)
    return TokenizerFacts(tokenizer.pad_token_id or 0, tokenizer.padding_side, tokenizer.unk_token_id, names)


def as_posts(posts: Iterable[Post | str]) -> list[Post]:
    """Return posts, where a text stands for a post with this text alone.

    Raises:
        ArgumentError: One of them is neither, such as the NaN of an empty cell.
    """
    converted = [Post(text=post) if isinstance(post, str) else post for post in posts]
    for post in converted:
        if not isinstance(post, Post):
            raise ArgumentError(f"posts: {post!r:.40} is not a text. Remove it from the list.")
    return converted


def model_text(post: Post) -> str:
    """Return the text without whitespace at its ends, which is a token in some vocabularies, as in corpora.

    A lone surrogate becomes `?`: tokenizers would refuse the whole batch.
    """
    return post.text.encode("utf-8", "replace").decode("utf-8").strip()


def encode(posts: Sequence[Post], tokenizer: "Tokenizer", config: InputConfig) -> "list[Encoding]":
    """Return the tokens of each post, truncated, special tokens included, without padding.

    Truncation and padding of the tokenizer are set.
    """
    truncation = {"max_length": config.max_length, "stride": 0, "strategy": "longest_first", "direction": "right"}
    if tokenizer.truncation != truncation:  # setting it while another thread encodes is an error
        tokenizer.enable_truncation(config.max_length)
    if tokenizer.padding is not None:
        tokenizer.no_padding()
    return tokenizer.encode_batch([model_text(post) for post in posts])


_COLUMNS = {
    "input_ids": lambda encoding: encoding.ids,
    "attention_mask": lambda encoding: encoding.attention_mask,
    "token_type_ids": lambda encoding: encoding.type_ids,
}


def to_columns(encodings: "Sequence[Encoding]", names: Iterable[str]) -> dict[str, list[list[int]]]:
    """Return the token columns of a dataset: a list for each post, not padded."""
    return {name: [_COLUMNS[name](encoding) for encoding in encodings] for name in names}


def pad(encodings: "Sequence[Encoding | Tokens]", facts: TokenizerFacts, max_width: int) -> Arrays:
    """Return a batch as arrays, padded to a multiple of `WIDTH_MULTIPLE` tokens but to no more than `max_width`.

    *Shape:* each `(num_posts, num_tokens)`.
    """
    longest = max(1, *(len(encoding.ids) for encoding in encodings))
    shape = (len(encodings), min(-(-longest // WIDTH_MULTIPLE) * WIDTH_MULTIPLE, max_width))
    arrays = {name: np.zeros(shape, dtype=np.int64) for name in _COLUMNS}
    arrays["input_ids"][:] = facts.padding_id
    for row, encoding in enumerate(encodings):
        length = len(encoding.ids)
        columns = slice(length) if facts.padding_side == "right" else slice(shape[1] - length, None)
        arrays["input_ids"][row, columns] = encoding.ids
        arrays["attention_mask"][row, columns] = 1
        arrays["token_type_ids"][row, columns] = encoding.type_ids
    return {name: arrays[name] for name in facts.names}


def make_batches(
    posts: Sequence[Post], tokenizer: "Tokenizer", facts: TokenizerFacts, config: InputConfig, batch_size: int
) -> tuple[list[int], list[Arrays]]:
    """Return the positions of `posts` from the longest to the shortest, and their batches in this order.

    The memory of the first batch is then enough for all others.
    """
    tokens = [
        Tokens(encoding.ids, encoding.type_ids)
        for start in range(0, len(posts), batch_size)
        for encoding in encode(posts[start : start + batch_size], tokenizer, config)
    ]
    order = sorted(range(len(posts)), key=lambda position: -len(tokens[position].ids))
    starts = range(0, len(order), batch_size)
    batches = [[tokens[position] for position in order[start : start + batch_size]] for start in starts]
    return order, [pad(batch, facts, config.max_length) for batch in batches]


def check_vocabulary(where: str, num_unknown: int, num_tokens: int) -> None:
    """Log a warning if many tokens are unknown."""
    if num_unknown > max(MAX_NUM_UNKNOWN, MAX_SHARE_UNKNOWN * num_tokens):
        logger.warning(
            "%s: %.0f%% of the tokens are unknown to the model. Use a model for the language of the posts.",
            *(where, 100 * num_unknown / num_tokens),
        )


def share_unknown(posts: Sequence[Post], tokenizer: "Tokenizer", config: InputConfig, unknown_id: int | None) -> float:
    """Return the share of unknown tokens among the tokens of at least one post."""
    encodings = encode(posts, tokenizer, config)
    num_unknown = sum(number == unknown_id for encoding in encodings for number in encoding.ids)
    return num_unknown / sum(map(len, encodings))
