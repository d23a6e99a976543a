"""Training posts that are tokenized as they are met, for corpora whose tokens are too many to keep."""

from collections.abc import Iterator
from typing import Any

import torch
from datasets import Dataset
from torch.utils.data import IterableDataset

from hf_rumor.training.sampler import MOST_BATCHES_SORTED_AT_ONCE, shuffle_batches


class PostStream(IterableDataset[dict[str, Any]]):
    """The posts of each epoch in random order, a window of batches at a time in memory.

    The order is a function of seed and epoch alone, and a permutation of all posts rather than of a buffer of them.

    Args:
        posts: With `text` and `label`, in Arrow; read where they lie.
        tokenizer: Makes the columns of the encoder.
        max_length: Tokens, special ones included, after which a text is cut off.
        batch_size: Posts of an optimizer step, over all processes.
        grouped: Whether these are to be of like length, within the window.
        seed: Equal seeds give equal orders.
    """

    def __init__(
        self, posts: Dataset, tokenizer: Any, *, max_length: int, batch_size: int, grouped: bool, seed: int
    ) -> None:
        self.posts = posts.select_columns(["text", "label"])
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.batch_size = batch_size
        self.grouped = grouped
        self.seed = seed
        self.epoch = 0

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
        for start in range(0, len(order), size):
            window = order[start : start + size].tolist()
            posts = self.posts[window]
            encoded = self.tokenizer(posts["text"], truncation=True, max_length=self.max_length)
            places = list(range(len(window)))
            if self.grouped:
                places.sort(key=lambda place: -len(encoded["input_ids"][place]))
                places = shuffle_batches(places, self.batch_size, generator)
            for place in places:
                yield {**{name: values[place] for name, values in encoded.items()}, "label": posts["label"][place]}
