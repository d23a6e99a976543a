import numpy as np
import pytest

from hf_rumor.corpus.observed import ALL
from hf_rumor.errors import ModelError
from hf_rumor.reposts.model import FOLDER, LONG, bucket_of, embed, load_reposts, tf_idf, with_lateness
from hf_rumor.reposts.tokens import Reposts


# Two posts: the first with the reposts [0, 0] and [2], the second with [1].
REPOSTS = Reposts(*(np.array(values) for values in ([0, 2, 3], [10, 20, 5], [False] * 3, [0, 2, 3, 4], [0, 0, 2, 1])))


def test_tf_idf_by_hand():
    values = tf_idf(np.array([1, 1, 2], dtype=np.float32), REPOSTS)
    first = np.array([1 + np.log(2), 0, 2])
    assert values == pytest.approx(np.array([first / np.linalg.norm(first), [0, 1, 0]]))


def test_a_repost_is_the_direction_of_its_tokens():
    vectors = np.array([[3, 4], [0, 2], [-1, 0]], dtype=np.float32)
    assert embed(vectors, REPOSTS) == pytest.approx(np.array([[0.6, 0.8], [-1, 0], [0, 1]]))


def test_buckets_of_delays_double():
    assert bucket_of(np.array([0, 59, 60, 179, 180, 511 * 60, 10**9])).tolist() == [0, 0, 1, 1, 2, 9, 9]


def test_a_week_and_later_are_equally_late():
    values = np.array([[2.0, 3.0, 4.0]])
    assert with_lateness(values, 0).tolist() == [[2, 3, 4, 0, 0, 0, 0]]
    assert with_lateness(values, ALL).tolist() == [[2, 3, 4, 1, 2, 3, 4]]
    assert with_lateness(values, LONG).tolist() == with_lateness(values, 2 * LONG).tolist()


def test_a_damaged_folder_is_an_error(tmp_path):
    (tmp_path / FOLDER).mkdir()
    with pytest.raises(ModelError, match=r"the model of the reposts is corrupt .* Train again\."):
        load_reposts(tmp_path)
