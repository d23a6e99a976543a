import pytest

from hf_rumor.corpus.post import Post, Repost
from hf_rumor.serve.problem import Problem
from hf_rumor.serve.requests import post_of_page, post_to_explain, posts_of_request


NOON = 1372478400  # 2013-06-29 12:00 in China


def test_the_api_takes_one_post_many_texts_or_many_posts():
    reposts = [{"text": "假的", "time": NOON + 5}]
    post = {"text": "停水", "time": "2013-06-29 12:00", "reposts": reposts, "observed_at": NOON + 60}
    [one] = posts_of_request(post)
    assert (one.text, one.posted_at, one.observed_at) == ("停水", NOON, NOON + 60)
    assert [(repost.text, repost.reposted_at) for repost in one.reposts] == [("假的", NOON + 5)]
    assert posts_of_request({"posts": [post, {"text": "下雨"}]})[0] == one
    assert [post.text for post in posts_of_request({"texts": ["停水", "下雨"]})] == ["停水", "下雨"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ([], "expected"),
        ({"posts": {}}, "expected"),
        ({"posts": ["停水"]}, "texts not empty"),
        ({"text": "停水", "time": "soon"}, "a time of the post cannot be read"),
        ({"text": "停水", "time": NOON, "reposts": [{"text": "假的", "time": "?"}]}, "the time of a repost cannot"),
        ({"text": "停水", "reposts": [{"text": "假的", "time": NOON}]}, "a post with reposts needs a time"),
        ({"text": "停水", "time": NOON, "reposts": [{"time": NOON}]}, "a repost without 'text'"),
        ({"text": "停水", "observed_at": "?"}, "a time of the post cannot be read"),
    ],
)
def test_what_cannot_be_read_says_why(body, problem):
    with pytest.raises(ValueError, match=problem):
        posts_of_request(body)


def test_reposts_on_the_page_start_with_their_time():
    post = post_of_page("停水", "2013-06-29 12:00", "2013-06-29 12:01:05 真的 吗\n\n1372478405\t假的\n")
    assert post == Post(
        text="停水", posted_at=NOON, reposts=(Repost("", "假的", NOON + 5), Repost("", "真的 吗", NOON + 65))
    )


@pytest.mark.parametrize(
    ("posted_at", "reposts", "line"),
    [("2013-06-29 12:00", "真的吗", "真的吗"), ("noon", "", "noon"), ("", "1372478405 假的", "")],
)
def test_a_line_without_a_time_is_named(posted_at, reposts, line):
    with pytest.raises(ValueError, match=f"^{line}$"):
        post_of_page("停水", posted_at, reposts)


def test_a_post_to_explain_has_reposts_as_lines_or_as_a_list():
    lines = {"text": "停水", "time": "2013-06-29 12:00", "reposts": "2013-06-29 12:01 假的"}
    listed = {"text": "停水", "time": NOON, "reposts": [{"text": "假的", "time": NOON + 60}]}
    one, other = post_to_explain(lines), post_to_explain(listed)
    assert (one.posted_at, one.reposts) == (other.posted_at, other.reposts)
    assert post_to_explain({"text": "停水", "time": "", "reposts": ""}).reposts == ()
    assert post_to_explain({"text": "停水"}).text == "停水"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], "request"),
        ({"texts": ["停水"]}, "request"),
        ({"text": 3}, "request"),
        ({"text": " "}, "empty"),
        ({"text": "停水", "time": "soon", "reposts": ""}, "time"),
        ({"text": "停水", "time": "2013-06-29 12:00", "reposts": "假的 \ud800"}, "time"),
    ],
)
def test_a_request_that_is_not_one_post_is_refused(body, code):
    with pytest.raises(Problem) as caught:
        post_to_explain(body)
    assert (caught.value.status, caught.value.code) == (400, code)
    str(caught.value).encode("utf-8")
