from dataclasses import FrozenInstanceError

import pytest

from hf_rumor.corpus.post import Post
from hf_rumor.labels import LABEL_NAMES


def test_the_position_of_a_label_name_is_its_number():
    assert (LABEL_NAMES[False], LABEL_NAMES[True]) == ("non-rumor", "rumor")


def test_a_post_cannot_be_changed():
    post = Post(post_id="1", text="雪", is_rumor=True)
    with pytest.raises(FrozenInstanceError):
        post.text = "雨"
