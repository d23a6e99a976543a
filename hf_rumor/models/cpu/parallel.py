"""Batches computed side by side, each on a part of the threads."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import torch

from hf_rumor.models.facts import Logits, ScoreBatch
from hf_rumor.models.inputs import Arrays


MAX_AT_A_TIME = 4  # batches that are computed side by side: each holds its own activations
_one_at_a_time = Lock()


def compute_side_by_side(score: ScoreBatch, batches: Sequence[Arrays]) -> list[Logits]:
    """Score batches on a part of the threads each: whatever is not a matrix product gains little from all of them.

    One caller at a time: a thread that uses torch for the first time meanwhile starts with such a part.
    """
    with _one_at_a_time:
        num_threads = torch.get_num_threads()
        at_a_time = _best_at_a_time(num_threads, len(batches))
        if at_a_time == 1:
            return [score(arrays) for arrays in batches]
        share = num_threads // at_a_time
        try:
            with ThreadPoolExecutor(at_a_time, initializer=torch.set_num_threads, initargs=(share,)) as pool:
                return list(pool.map(score, batches))
        finally:
            torch.set_num_threads(num_threads)  # this thread still has it, but others start with the last value set


def _best_at_a_time(num_threads: int, num_batches: int) -> int:
    """Return the number of batches that leaves the fewest threads idle; of several, the largest."""
    possible = range(1, max(1, min(num_threads, num_batches, MAX_AT_A_TIME)) + 1)
    return min(possible, key=lambda at_a_time: (num_threads % at_a_time, -at_a_time))
