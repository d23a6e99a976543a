import random
from itertools import pairwise, product

import pytest

from hf_rumor.training.sampler import ShuffledLengthGroupedSampler


@pytest.fixture
def lengths():
    return random.Random(0).choices(range(3, 200), k=1003)


def batches(sampler, size):
    order = list(sampler)
    return [order[start : start + size] for start in range(0, len(order), size)]


def spread(lengths, batch):
    return max(lengths[post] for post in batch) - min(lengths[post] for post in batch)


def test_every_post_is_seen_once(lengths):
    assert sorted(ShuffledLengthGroupedSampler(8, lengths, seed=0)) == list(range(1003))


def test_posts_of_a_batch_have_similar_lengths(lengths):
    grouped = batches(ShuffledLengthGroupedSampler(8, lengths, seed=0), 8)
    mean = sum(spread(lengths, batch) for batch in grouped) / len(grouped)
    assert mean < 20 < spread(lengths, range(8))


def test_batches_are_not_sorted_by_length(lengths):
    grouped = batches(ShuffledLengthGroupedSampler(8, lengths, seed=0), 8)
    longest = [max(lengths[post] for post in batch) for batch in grouped]
    falling = sum(one >= other for one, other in pairwise(longest))
    assert 0.3 < falling / len(longest) < 0.7


def test_the_order_depends_on_seed_and_epoch(lengths):
    orders = set()
    for seed, epoch in product((0, 1), repeat=2):
        sampler = ShuffledLengthGroupedSampler(8, lengths, seed)
        sampler.set_epoch(epoch)
        assert list(sampler) == list(sampler)
        orders.add(tuple(sampler))
    assert len(orders) == 4
