"""What the page and the API receive -> posts."""

from typing import Any

from hf_rumor.corpus.columns import Columns
from hf_rumor.corpus.findings import Findings
from hf_rumor.corpus.formats.input import Row
from hf_rumor.corpus.post import Post, Repost
from hf_rumor.corpus.reposts import sort_reposts
from hf_rumor.corpus.rows import to_post
from hf_rumor.corpus.values import parse_text, parse_time
from hf_rumor.serve.problem import Problem
from hf_rumor.util.tables import encodable


EXPECTED = (
    'expected {"text": "..."}, {"texts": ["...", ...]} or {"posts": [{"text": "...", "time": "...", '
    '"reposts": [{"text": "...", "time": "..."}]}, ...]}'
)
TIMES = {
    "times_unreadable": "a time of the post cannot be read",
    "repost_dates_unreadable": "the time of a repost cannot be read",
}


def posts_of_request(body: Any) -> list[Post]:
    """Return the posts of an API request: one with its columns, or `texts`, or `posts`.

    Raises:
        ValueError: It is none of these, or a post cannot be read.
    """
    body = body if isinstance(body, dict) else {}
    rows = [body] if "text" in body else body.get("posts")
    if rows is None and isinstance(body.get("texts"), list):
        rows = [{"text": text} for text in body["texts"]]
    if not rows or not isinstance(rows, list):
        raise ValueError(EXPECTED)
    return [_post(number, row) for number, row in enumerate(rows, 1)]


def _post(number: int, values: Any) -> Post:
    text = values.get("text") if isinstance(values, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{EXPECTED}, texts not empty")
    findings = Findings()
    post = to_post(Row(number, f"post {number}", values), Columns(), findings, is_labeled=False)
    problem = next((words for finding, words in TIMES.items() if findings[finding]), None)
    if post.reposts and post.posted_at is None:
        problem = problem or "a post with reposts needs a time"
    if problem:
        raise ValueError(f"expected times of posts and reposts (post {number}: {problem})")
    return post


def post_to_explain(body: Any) -> Post:
    """Return the one post of a request; its reposts are a list, as for predictions, or lines, as on the page.

    Raises:
        Problem: It is not one post, or a time cannot be read.
    """
    values = body if isinstance(body, dict) else {}
    text = values.get("text")
    if isinstance(text, str) and not text.strip():
        raise Problem(400, "empty", 'expected {"text": "..."}, not empty')
    reposts = values.get("reposts")
    try:
        if isinstance(text, str) and isinstance(reposts, str):
            return post_of_page(text, str(values.get("time") or ""), reposts)
        [post] = posts_of_request({"posts": [{name: value for name, value in values.items() if value != ""}]})
    except ValueError as error:
        shown = encodable(f"{str(error).strip():.60}")
        is_lines = isinstance(reposts, str)
        message = f"expected a time as 2026-11-30 12:00:00, got {shown!r}" if is_lines else str(error)
        raise Problem(400, "time" if is_lines else "request", message, shown=shown) from error
    return post


def post_of_page(text: str, posted_at: str, reposts: str) -> Post:
    """Return the post that was entered on the page.

    Args:
        text: Its text.
        posted_at: Its time; only needed with reposts.
        reposts: One per line: its time, a space, and its words.

    Raises:
        ValueError: A line has no time at its start; the message is the line.
    """
    read = []
    for line in filter(None, map(str.strip, reposts.splitlines())):
        time, words = _split_time(line)
        if time is None:
            raise ValueError(line)
        read.append(Repost("", words, time))
    time = parse_time(posted_at) if posted_at.strip() else None
    if time is None and (read or posted_at.strip()):
        raise ValueError(posted_at)
    return Post(text=text, posted_at=time, reposts=sort_reposts(read))


def _split_time(line: str) -> tuple[int | None, str]:
    """Return the time at the start of a line, of one word or of two, and the rest."""
    words = line.replace("\t", " ").split(" ")
    for number in (2, 1):
        time = parse_time(" ".join(words[:number]))
        if time is not None:
            return time, parse_text(" ".join(words[number:]))
    return None, line
