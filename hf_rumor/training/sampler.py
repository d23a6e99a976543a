"""The order of training posts: batches of similar length, in random order."""

from collections.abc import Iterator, Sequence

import torch
from transformers.trainer_pt_utils import LengthGroupedSampler, get_length_grouped_indices


MOST_BATCHES_SORTED_AT_ONCE = 50


class ShuffledLengthGroupedSampler(LengthGroupedSampler):
    """`LengthGroupedSampler` with the batches in random order.

    The sampler of transformers repeatedly goes from long to short posts, so that neighbouring steps see similar posts.
    It also sorts small corpora in quarters, where halves need less padding. Here the order depends only on seed and
    epoch, so that a run resumed in the middle of an epoch sees the same posts as one without interruption.

    Args:
        batch_size: Number of posts in an optimizer step.
        lengths: Number of tokens of each post.
        seed: Seed of the order.
    """

    def __init__(self, batch_size: int, lengths: Sequence[int], seed: int) -> None:
        super().__init__(batch_size, lengths=list(lengths))
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch; called by the data loader."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        """Yield the positions of all posts, each once."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        sorted_at_once = min(max(len(self.lengths) // (2 * self.batch_size), 1), MOST_BATCHES_SORTED_AT_ONCE)
        order = get_length_grouped_indices(self.lengths, self.batch_size, sorted_at_once, generator)  # type: ignore[no-untyped-call]
        yield from shuffle_batches(order, self.batch_size, generator)


def shuffle_batches(order: list[int], batch_size: int, generator: torch.Generator) -> list[int]:
    """Return the positions with the batches in random order, the positions within a batch unchanged.

    A last, shorter batch stays last: elsewhere it would shift the batches after it.
    """
    num_full = len(order) // batch_size
    numbers = [*torch.randperm(num_full, generator=generator).tolist(), num_full]
    return [position for number in numbers for position in order[number * batch_size : (number + 1) * batch_size]]
