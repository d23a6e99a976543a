"""Lines of JSON -> events: a post, or a repost of one."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, TypeAlias

from hf_rumor.corpus.values import parse_text, parse_time


LATEST = 86_400  # seconds; an event that is dated further in the future is malformed


@dataclass(frozen=True)
class PostEvent:
    """A post."""

    post_id: str
    text: str
    posted_at: int  # seconds since 1970-01-01 UTC


@dataclass(frozen=True)
class RepostEvent:
    """A repost of a post, which may not have arrived yet."""

    post_id: str
    key: str  # its id, or a digest of its time and text
    text: str
    reposted_at: int


Event: TypeAlias = PostEvent | RepostEvent


def parse_events(line: str, now: float) -> list[Event]:
    """Return the events of a line: a repost, or a post and the reposts in it.

    A post is `{"id", "text", "time"}`, perhaps with `reposts`, a list of `{"id", "text", "time"}`; a repost on a line
    of its own names its post: `{"repost_of", "id", "text", "time"}`. The id of a repost is optional.

    Raises:
        ValueError: The line is no event.
    """
    values = json.loads(line)
    if not isinstance(values, dict):
        raise ValueError("not a JSON object")
    if "repost_of" in values:
        return [_repost(values, _id(values, "repost_of"), now)]
    post = PostEvent(_id(values, "id"), parse_text(_value(values, "text")).strip(), _time(values, now))
    if not post.text:
        raise ValueError("the text is empty")
    reposts = values.get("reposts") or []
    if not isinstance(reposts, list) or not all(isinstance(repost, dict) for repost in reposts):
        raise ValueError("reposts is not a list of objects")
    return [post, *(_repost(repost, post.post_id, now) for repost in reposts)]


def _repost(values: dict[str, Any], post_id: str, now: float) -> RepostEvent:
    text, reposted_at = parse_text(_value(values, "text")), _time(values, now)
    key = parse_text(values.get("id")) or hashlib.sha256(f"{reposted_at} {text}".encode()).hexdigest()[:16]
    return RepostEvent(post_id, key, text, reposted_at)


def _value(values: dict[str, Any], key: str) -> Any:
    if key not in values:
        raise ValueError(f"no {key}")
    return values[key]


def _id(values: dict[str, Any], key: str) -> str:
    if not (text := parse_text(_value(values, key)).strip()):
        raise ValueError(f"{key} is empty")
    return text


def _time(values: dict[str, Any], now: float) -> int:
    seconds = parse_time(_value(values, "time"))
    if seconds is None or seconds > now + LATEST:
        raise ValueError(f"time {values['time']!r:.40} is not a time, or in the future")
    return seconds
