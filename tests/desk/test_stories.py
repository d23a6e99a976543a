import numpy as np
import pytest

from hf_rumor.corpus.post import Post
from hf_rumor.desk.stories import HALF_LIFE, SECONDS_PER_DAY, Earlier, find_stories


TEXTS = ["".join(chr(0x4E00 + 97 * number + 31 * place) for place in range(20)) for number in range(4)]


def posts(*texts, days=None):
    times = [None] * len(texts) if days is None else [round(1e9 + day * SECONDS_PER_DAY) for day in days]
    return [Post(text=text, posted_at=at) for text, at in zip(texts, times, strict=True)]


def test_near_duplicates_are_one_story_that_its_widest_post_stands_for():
    found = find_stories(
        posts(TEXTS[0], TEXTS[1], f"{TEXTS[0]}！", TEXTS[0]), np.array([0.4, 0.9, 0.6, 0.8]), [1, 0, 7, 2]
    )
    [story] = [story for story in found if len(story.posts) > 1]
    assert story.posts == (2, 3, 0)
    assert story.probability == pytest.approx(0.6)
    assert story.reach == 10


def test_probability_reach_and_freshness_raise_the_value_of_a_check():
    texts = (TEXTS[0], TEXTS[1], TEXTS[2])
    probable = find_stories(posts(*texts), np.array([0.2, 0.9, 0.5]), [0, 0, 0])
    assert [story.posts for story in probable] == [(1,), (2,), (0,)]
    seen = find_stories(posts(*texts), np.array([0.5, 0.5, 0.5]), [10, 1000, 0])
    assert [story.posts for story in seen] == [(1,), (0,), (2,)]
    recent = find_stories(posts(*texts, days=[0, HALF_LIFE, 1]), np.array([0.5, 0.5, 0.5]), [0, 0, 0])
    assert [story.posts for story in recent] == [(1,), (2,), (0,)]
    assert recent[0].value == pytest.approx(0.5)
    assert recent[-1].value == pytest.approx(0.25)


def test_stories_that_were_checked_come_last():
    history = [
        Earlier(TEXTS[0], ""),
        Earlier(f"{TEXTS[0]}。", "rumor"),
        Earlier(TEXTS[1], ""),
        Earlier(TEXTS[3], "rumor"),
    ]
    checked, other, new = TEXTS[:3]
    found = find_stories(posts(checked, other, new), np.array([0.9, 0.8, 0.1]), [0, 0, 0], history)
    assert [story.posts for story in found] == [(1,), (2,), (0,)]
    assert [(story.num_earlier, story.earlier_verdict) for story in found] == [(1, ""), (0, ""), (2, "rumor")]
