import random

import pytest

from hf_rumor.corpus.observed import ALL, Observed, observe, own_words
from hf_rumor.corpus.post import Post, Repost


def post(*reposts, posted_at=1000):
    return Post(
        text="t",
        posted_at=posted_at,
        reposts=tuple(Repost(str(n), text, time) for n, (time, text) in enumerate(reposts)),
    )


def test_a_repost_is_visible_from_its_second_on():
    seen = [observe(post((1060, "真的吗")), deadline).words for deadline in (59, 60, 61, ALL)]
    assert seen == [(), ("真的吗",), ("真的吗",), ("真的吗",)]


def test_a_repost_after_the_deadline_changes_nothing():
    early = [(1010, "假的"), (1020, "转发微博")]
    assert observe(post(*early, (1600, "谣言")), 599) == observe(post(*early), 599) == Observed((10,), ("假的",), 1)


def test_at_deadline_0_nothing_is_visible():
    assert observe(post((1000, "沙发")), 0) == Observed()


def test_the_order_in_the_file_does_not_matter():
    reposts = [(1000 + second, words) for second in (0, 5, 5, 9) for words in ("甲", "乙", "")]
    shuffled = random.Random(0).sample(reposts, len(reposts))
    assert observe(post(*shuffled), ALL) == observe(post(*reposts), ALL)


@pytest.mark.parametrize("time", [None, 999])
def test_a_repost_without_a_date_or_from_before_the_post_is_never_visible(time):
    assert observe(post((time, "假的")), ALL) == Observed()


def test_without_the_time_of_the_post_nothing_is_visible():
    assert observe(post((1010, "假的"), posted_at=None), ALL) == Observed()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("转发微博", ""),
        ("转发微博。", ""),
        ("Repost", ""),
        ("", ""),
        ("假的//@某人:真的？//@另一人:转", "假的"),
        ("//@某人:真的？", ""),
        ("转发微博 // @某人: 真的？", ""),
        ("转发微博的人想一想", "转发微博的人想一想"),
        ("http://t.cn/abc", "http://t.cn/abc"),
    ],
)
def test_only_the_own_words_of_a_repost_are_read(text, words):
    assert own_words(text) == words
