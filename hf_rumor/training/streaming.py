"""Training posts that are tokenized on the fly, for corpora whose tokens take too much space."""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from typing import Any

import torch
from datasets import Dataset
from torch.utils.data import IterableDataset

from hf_rumor.corpus.arrow import posts_of
from hf_rumor.models.inputs import InputConfig, encode, to_columns, tokenizer_facts
from hf_rumor.training.sampler import MOST_BATCHES_SORTED_AT_ONCE, shuffle_batches


@dataclass(eq=False)
class PostStream(IterableDataset[dict[str, Any]]):
    """The posts of each epoch in random order, a window of batches at a time in memory.

    The order is a permutation of all posts, not of a buffer of them, and depends only on seed and epoch.
    """

    posts: Dataset  # with `text` and `label`
    tokenizer: Any  # of transformers
    config: InputConfig
    _: KW_ONLY
    batch_size: int  # posts of an optimizer step, over all processes
    grouped: bool  # whether the posts of a step have similar lengths
    seed: int
    epoch: int = 0

    def __len__(self) -> int:
        return len(self.posts)

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch; called by the data loader."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the tokens and the label of every post, each once."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order = torch.randperm(len(self.posts), generator=generator)
        size = MOST_BATCHES_SORTED_AT_ONCE * self.batch_size
        names = tokenizer_facts(self.tokenizer).names
        for start in range(0, len(order), size):
            rows = self.posts[order[start : start + size].tolist()]
            encodings = encode(posts_of(rows), self.tokenizer.backend_tokenizer, self.config)
            columns = to_columns(encodings, names) | {"label": rows["label"]}
            positions = list(range(len(encodings)))
            if self.grouped:
                positions.sort(key=lambda position: -len(encodings[position].ids))
                positions = shuffle_batches(positions, self.batch_size, generator)
            for position in positions:
                yield {name: values[position] for name, values in columns.items()}
