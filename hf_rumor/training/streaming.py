"""Training posts that are tokenized on the fly, for corpora whose tokens take too much space."""

from collections.abc import Iterator
from typing import Any

import torch
from datasets import Dataset
from torch.utils.data import IterableDataset

from hf_rumor.corpus.arrow import posts_of
from hf_rumor.models.inputs import InputConfig, encode, to_columns, tokenizer_facts
from hf_rumor.training.sampler import MOST_BATCHES_SORTED_AT_ONCE, shuffle_batches


class PostStream(IterableDataset[dict[str, Any]]):
    """The posts of each epoch in random order, a window of batches at a time in memory.

    The order is a function of seed and epoch alone, and a permutation of all posts rather than of a buffer of them.

    Args:
        posts: With `text` and `label`, in Arrow, from which they are read window by window.
        tokenizer: A tokenizer of transformers.
        config: How to read the posts.
        batch_size: Posts of an optimizer step, over all processes.
        grouped: Whether these are to be of similar length, within the window.
        seed: Equal seeds give equal orders.
    """

    def __init__(
        self, posts: Dataset, tokenizer: Any, config: InputConfig, *, batch_size: int, grouped: bool, seed: int
    ) -> None:
        self.posts = posts
        self.tokenizer = tokenizer
        self.config = config
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
        names = tokenizer_facts(self.tokenizer).names
        for start in range(0, len(order), size):
            window = order[start : start + size].tolist()
            rows = self.posts[window]
            encodings = encode(posts_of(rows), self.tokenizer.backend_tokenizer, self.config)
            columns = to_columns(encodings, names)
            places = list(range(len(window)))
            if self.grouped:
                places.sort(key=lambda place: -len(encodings[place].ids))
                places = shuffle_batches(places, self.batch_size, generator)
            for place in places:
                yield {**{name: values[place] for name, values in columns.items()}, "label": rows["label"][place]}
