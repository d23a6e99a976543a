from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from hf_rumor.models.cpu.parallel import compute_side_by_side


@pytest.mark.parametrize(
    ("num_threads", "num_batches", "share"),
    [(2, 5, 1), (6, 3, 2), (6, 9, 2), (8, 9, 2), (5, 9, 5), (1, 3, 1), (2, 1, 2), (2, 0, None)],
)
def test_batches_side_by_side_keep_their_order_and_share_the_threads(num_threads, num_batches, share):
    before, shares = torch.get_num_threads(), set()

    def compute(arrays):
        shares.add(torch.get_num_threads())
        return arrays["input_ids"] * 2

    batches = [{"input_ids": np.full((1, 2), number)} for number in range(num_batches)]
    try:
        torch.set_num_threads(num_threads)
        found = compute_side_by_side(compute, batches)
        after = torch.get_num_threads()
        with ThreadPoolExecutor(1) as pool:
            later = pool.submit(torch.get_num_threads).result()
    finally:
        torch.set_num_threads(before)
    assert [logits.tolist() for logits in found] == [[[2 * number] * 2] for number in range(num_batches)]
    assert (shares - {share}, after, later) == (set(), num_threads, num_threads)


def test_an_error_side_by_side_leaves_the_threads_as_they_were():
    before = torch.get_num_threads()

    def fail(arrays):
        raise RuntimeError("no memory")

    try:
        torch.set_num_threads(2)
        with pytest.raises(RuntimeError, match="no memory"):
            compute_side_by_side(fail, [{}, {}])
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(torch.get_num_threads).result() == 2
    finally:
        torch.set_num_threads(before)
