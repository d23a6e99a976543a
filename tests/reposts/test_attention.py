import numpy as np
import pytest

from hf_rumor.corpus.observed import ALL
from hf_rumor.reposts import attention
from hf_rumor.reposts.attention import Embedded, draw_reposts, drop_out
from hf_rumor.reposts.tokens import Reposts


# Three posts with 40, 0 and 60 reposts of one token each, a minute apart.
DELAYS = np.concatenate([np.arange(40), np.arange(60)]) * 60
REPOSTS = Reposts(np.array([0, 40, 40, 100]), DELAYS, np.zeros(100, dtype=bool), np.arange(101), np.arange(100) % 3)


def test_drawn_reposts_are_those_of_their_posts_before_the_last_deadline(monkeypatch):
    monkeypatch.setattr(attention, "SHARE_LATEST", 1.0)
    positions, owners = draw_reposts(REPOSTS, np.array([2, 1, 0]), 1200, np.random.default_rng(0))
    assert (REPOSTS.delays[positions] <= 1200).all()
    assert ((positions >= 40) == (owners == 0)).all()
    assert set(owners.tolist()) == {0, 2}


def test_at_most_so_many_reposts_of_a_post_are_drawn(monkeypatch):
    monkeypatch.setattr(attention, "SHARE_READ", 1.0)
    monkeypatch.setattr(attention, "SHARE_LATEST", 1.0)
    monkeypatch.setattr(attention, "MOST_READ", 7)
    positions, owners = draw_reposts(REPOSTS, np.array([0, 2]), ALL, np.random.default_rng(0))
    assert np.bincount(owners).tolist() == [7, 7]
    assert positions.tolist() == [*range(7), *range(40, 47)]


def test_dropout_keeps_the_mean():
    dropped = drop_out(np.ones((1000, 100), dtype=np.float16), np.random.default_rng(0))
    assert dropped.mean() == pytest.approx(1, abs=0.01)
    assert np.unique(dropped) == pytest.approx(np.array([0, 1 / 0.7]))


def test_embedded_reposts_are_standardized():
    vectors = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    values = Embedded(vectors, REPOSTS).values.astype(np.float64)
    assert values.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-3)
    assert values.std(axis=0) == pytest.approx(np.ones(4), abs=1e-3)
