"""Visible reposts -> token ids, in flat arrays; those of a corpus are cached in Arrow. Needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hf_rumor.corpus.observed import ALL, DENIES, Observed, observe
from hf_rumor.corpus.post import Post, Repost


if TYPE_CHECKING:
    from datasets import Dataset
    from tokenizers import Tokenizer

VERSION = 2  # part of the cache key: increase it whenever `encode` returns other tokens for the same reposts
MAX_TOKENS = 64  # of one repost

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Reposts:
    """The tokens of the reposts of some posts.

    Attributes:
        first: Position of the first repost of each post, then the number of reposts. *Shape:* `(num_posts + 1,)`.
        delays: Seconds between each repost and its post, rising within a post. *Shape:* `(num_reposts,)`.
        denies: Whether each repost says that the post is false. Not an input of any model. *Shape:* `(num_reposts,)`.
        starts: Position of the first token of each repost, then the number of tokens. *Shape:* `(num_reposts + 1,)`.
        ids: Token ids. *Shape:* `(num_tokens,)`.
    """

    first: Ints
    delays: Ints
    denies: Bools
    starts: Ints
    ids: Ints

    def __len__(self) -> int:
        """Return the number of posts."""
        return len(self.first) - 1

    def counts(self) -> Ints:
        """Return the number of reposts of each post. *Shape:* `(num_posts,)`."""
        return np.diff(self.first)

    def owners(self) -> Ints:
        """Return the position of the post of each repost. *Shape:* `(num_reposts,)`."""
        return np.repeat(np.arange(len(self)), self.counts())

    def token_owners(self) -> Ints:
        """Return the position of the post of each token. *Shape:* `(num_tokens,)`."""
        return np.repeat(self.owners(), np.diff(self.starts))

    def until(self, deadlines: ArrayLike) -> "Reposts":
        """Return the reposts that are visible at an earlier deadline, by the rules of `observe`.

        Args:
            deadlines: Seconds after the post: one number, or one for each post.
        """
        latest = np.broadcast_to(np.asarray(deadlines, dtype=np.float64), len(self))[self.owners()]
        return self.take(np.flatnonzero((self.delays <= latest) & (latest > 0)))

    def of_posts(self, positions: Sequence[int] | Ints) -> "Reposts":
        """Return the reposts of some posts, in the order of `positions`."""
        chosen = np.asarray(positions, dtype=np.int64)
        counts = self.counts()[chosen]
        return self._gather(ranges(self.first[chosen], counts), _offsets(counts))

    def take(self, kept: Ints) -> "Reposts":
        """Return some of the reposts, given by their rising positions; every post stays."""
        return self._gather(kept, np.searchsorted(kept, self.first))

    def _gather(self, kept: Ints, first: Ints) -> "Reposts":
        lengths = np.diff(self.starts)[kept]
        ids = self.ids[ranges(self.starts[:-1][kept], lengths)]
        return Reposts(first, self.delays[kept], self.denies[kept], _offsets(lengths), ids)


@dataclass(frozen=True)
class Counts:
    """Numbers of visible reposts of a corpus."""

    visible: int  # with a known date, not before the post
    bare: int  # without words of their own
    chains: int  # that repeat the words of others


def _offsets(lengths: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def ranges(starts: Ints, lengths: Ints) -> Ints:
    """Return the numbers start, start + 1, ... of each range, one range after the other."""
    shift: Ints = np.repeat(starts - _offsets(lengths)[:-1], lengths)
    return shift + np.arange(len(shift))


def token_ids(texts: Sequence[str], tokenizer: "Tokenizer", max_tokens: int) -> list[list[int]]:
    """Return the token ids of each text, truncated, without special tokens."""
    return [encoding.ids[:max_tokens] for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]


def encode(observed: Sequence[Observed], tokenizer: "Tokenizer") -> Reposts:
    """Return the tokens of the visible reposts of each post; a repost without a token is skipped."""
    words = [text for reposts in observed for text in reposts.words]
    delays = np.array([delay for reposts in observed for delay in reposts.delays], dtype=np.int64)
    tokens = token_ids(words, tokenizer, MAX_TOKENS)
    lengths = np.array([len(ids) for ids in tokens], dtype=np.int64)
    everything = Reposts(
        first=_offsets(np.array([len(reposts.words) for reposts in observed], dtype=np.int64)),
        delays=delays,
        denies=np.array([DENIES.search(text) is not None for text in words], dtype=np.bool_),
        starts=_offsets(lengths),
        ids=np.fromiter((number for ids in tokens for number in ids), dtype=np.int64, count=int(lengths.sum())),
    )
    return everything if lengths.all() else everything.take(np.flatnonzero(lengths))


def read_reposts(posts: "Dataset", tokenizer: "Tokenizer") -> tuple[Reposts, Counts]:
    """Return the tokens of all dated reposts of a corpus, which are cached beside its posts, and their numbers."""
    from hf_rumor.corpus.mapping import map_cached  # needs datasets, which the ONNX backend does without

    names = ["posted_at", "reposts"]
    columns = map_cached(
        posts.select_columns(names), _encode_rows, names, "tokens of reposts", tokenizer=tokenizer, version=VERSION
    )
    table = columns.with_format("arrow")[:]

    def flat(name: str) -> Ints:
        return np.asarray(table[name].combine_chunks().values, dtype=np.int64)

    lengths = flat("lengths")
    first = _offsets(np.array([len(row) for row in table["lengths"]], dtype=np.int64))
    reposts = Reposts(first, flat("delays"), flat("denies").astype(np.bool_), _offsets(lengths), flat("ids"))
    bare, chains = (sum(columns[name][:]) for name in ("num_bare", "num_chains"))
    return reposts, Counts(len(reposts.delays) + bare, bare, chains)


def _encode_rows(rows: dict[str, list[Any]], tokenizer: "Tokenizer", version: int) -> dict[str, list[Any]]:
    posts = [
        Post(text="", posted_at=posted_at, reposts=tuple(Repost(**repost) for repost in reposts or ()))
        for posted_at, reposts in zip(rows["posted_at"], rows["reposts"], strict=True)
    ]
    observed = [observe(post, ALL) for post in posts]
    encoded = encode(observed, tokenizer)
    of_posts, of_tokens = encoded.first[1:-1], encoded.starts[encoded.first][1:-1]
    return {
        "delays": np.split(encoded.delays, of_posts),
        "denies": np.split(encoded.denies.astype(np.int64), of_posts),
        "lengths": np.split(np.diff(encoded.starts), of_posts),
        "ids": np.split(encoded.ids, of_tokens),
        "num_bare": [reposts.num_bare for reposts in observed],
        "num_chains": [reposts.num_chains for reposts in observed],
    }
