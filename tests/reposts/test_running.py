import numpy as np
import pytest

from hf_rumor.reposts.model import part_scores
from hf_rumor.reposts.running import RunningScores
from hf_rumor.reposts.tokens import Reposts


# One post with the reposts [0, 0] and [2].
REPOSTS = Reposts(*(np.array(values) for values in ([0, 2], [10, 400], [False] * 2, [0, 2, 3], [0, 0, 2])))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_reposts_in_any_order_give_the_scores_of_all_of_them(repost_weights, order):
    weights = repost_weights(3)
    running = RunningScores(weights)
    for place in order:
        running.add(REPOSTS.take(np.array([place])))
    assert running.scores() == pytest.approx(part_scores(weights, REPOSTS)[0], abs=1e-5)


def test_a_post_without_reposts_has_no_scores(repost_weights):
    assert RunningScores(repost_weights(3)).scores() == (0.0, 0.0)
