"""Visible reposts -> token ids, in flat arrays; those of a corpus are cached in Arrow. Needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hf_rumor.corpus.observed import ALL, Observed, observe
from hf_rumor.corpus.post import Post, Repost


if TYPE_CHECKING:
    from datasets import Dataset
    from tokenizers import Tokenizer

VERSION = 1  # part of the cache key: increase it whenever `encode` returns other tokens for the same reposts
MAX_TOKENS = 64  # of one repost

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Reposts:
    """The tokens of the reposts of some posts.

    Attributes:
        first: Position of the first repost of each post, then the number of reposts. *Shape:* `(num_posts + 1,)`.
        delays: Seconds between each repost and its post, rising within a post. *Shape:* `(num_reposts,)`.
        starts: Position of the first token of each repost, then the number of tokens. *Shape:* `(num_reposts + 1,)`.
        ids: Token ids. *Shape:* `(num_tokens,)`.
    """

    first: Ints
    delays: Ints
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

    def until(self, deadline: float) -> "Reposts":
        """Return the reposts that are visible at an earlier deadline, by the rules of `observe`."""
        return self.take(np.flatnonzero((self.delays <= deadline) & (deadline > 0)))

    def of_posts(self, positions: Sequence[int] | Ints) -> "Reposts":
        """Return the reposts of some posts, in the order of `positions`."""
        chosen = np.asarray(positions, dtype=np.int64)
        counts = self.counts()[chosen]
        return self._gather(_ranges(self.first[chosen], counts), _offsets(counts))

    def take(self, kept: Ints) -> "Reposts":
        """Return some of the reposts, given by their rising positions; every post stays."""
        return self._gather(kept, np.searchsorted(kept, self.first))

    def _gather(self, kept: Ints, first: Ints) -> "Reposts":
        lengths = np.diff(self.starts)[kept]
        return Reposts(first, self.delays[kept], _offsets(lengths), self.ids[_ranges(self.starts[:-1][kept], lengths)])


def _offsets(lengths: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _ranges(starts: Ints, lengths: Ints) -> Ints:
    """Return the numbers start, start + 1, ... of each range, one range after the other."""
    shift: Ints = np.repeat(starts - _offsets(lengths)[:-1], lengths)
    return shift + np.arange(len(shift))


def encode(observed: Sequence[Observed], tokenizer: "Tokenizer") -> Reposts:
    """Return the tokens of the visible reposts of each post; a repost without a token is skipped."""
    words = [text for reposts in observed for text in reposts.words]
    delays = np.array([delay for reposts in observed for delay in reposts.delays], dtype=np.int64)
    tokens = [encoding.ids[:MAX_TOKENS] for encoding in tokenizer.encode_batch_fast(words, add_special_tokens=False)]
    lengths = np.array([len(ids) for ids in tokens], dtype=np.int64)
    everything = Reposts(
        first=_offsets(np.array([len(reposts.words) for reposts in observed], dtype=np.int64)),
        delays=delays,
        starts=_offsets(lengths),
        ids=np.fromiter((number for ids in tokens for number in ids), dtype=np.int64, count=int(lengths.sum())),
    )
    return everything if lengths.all() else everything.take(np.flatnonzero(lengths))


def read_reposts(posts: "Dataset", tokenizer: "Tokenizer") -> Reposts:
    """Return the tokens of all dated reposts of a corpus, which are cached beside its posts."""
    columns = posts.select_columns(["posted_at", "reposts"]).map(
        _encode_rows,
        batched=True,
        batch_size=500,
        fn_kwargs={"tokenizer": tokenizer, "version": VERSION},
        remove_columns=["posted_at", "reposts"],
        desc="tokenizing reposts",
    )
    table = columns.with_format("arrow")[:]

    def flat(name: str) -> Ints:
        return np.asarray(table[name].combine_chunks().values, dtype=np.int64)

    lengths = flat("lengths")
    counts = np.array([len(row) for row in table["lengths"]], dtype=np.int64)
    return Reposts(_offsets(counts), flat("delays"), _offsets(lengths), flat("ids"))


def _encode_rows(rows: dict[str, list[Any]], tokenizer: "Tokenizer", version: int) -> dict[str, list[Any]]:
    posts = [
        Post(text="", posted_at=posted_at, reposts=tuple(Repost(**repost) for repost in reposts or ()))
        for posted_at, reposts in zip(rows["posted_at"], rows["reposts"], strict=True)
    ]
    encoded = encode([observe(post, ALL) for post in posts], tokenizer)
    lengths = np.diff(encoded.starts)
    token_first = encoded.starts[encoded.first]
    return {
        "delays": np.split(encoded.delays, encoded.first[1:-1]),
        "lengths": np.split(lengths, encoded.first[1:-1]),
        "ids": np.split(encoded.ids, token_first[1:-1]),
    }
