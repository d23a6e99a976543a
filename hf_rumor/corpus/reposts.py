"""A list of reposts in a row -> reposts, oldest first."""

from typing import Any

from hf_rumor.corpus.findings import Findings
from hf_rumor.corpus.post import Repost
from hf_rumor.corpus.values import parse_text, parse_time, parse_without_year


TIMES = ("reposted_at", "time", "created_at", "date")  # keys; the first one that a repost has is read


def read_reposts(raw: Any, posted_at: int | None, findings: Findings) -> tuple[Repost, ...]:
    """Read a list of texts, or of objects with `text` and perhaps `id`, `reposted_at`, `time` or `date`, and more.

    Raises:
        ValueError: An object has no `text`, or a value is no text.
    """
    if not isinstance(raw, list):  # a column of counts, or a CSV that cannot hold a list
        return ()
    reposts = [_read_repost(item, posted_at, findings) for item in raw]
    if reposts and posted_at is None:
        findings["posts_with_reposts_without_time"] += 1
    return sort_reposts(reposts)


def _read_repost(item: Any, posted_at: int | None, findings: Findings) -> Repost:
    fields = item if isinstance(item, dict) else {"text": item}
    if "text" not in fields:
        raise ValueError(f"a repost without 'text' (keys: {sorted(fields)})")
    place = next((key for key in TIMES if key in fields), None)
    reposted_at = None
    if place is not None:
        reposted_at = parse_time(fields[place])
        if reposted_at is None:
            reposted_at = parse_without_year(fields[place], posted_at)
            findings["repost_years_missing"] += reposted_at is not None
        findings["repost_dates_unreadable"] += reposted_at is None
    if reposted_at is not None and posted_at is not None:
        findings["reposts_before_post"] += reposted_at < posted_at
    text = parse_text(fields["text"])
    findings["reposts_without_text"] += not text
    return Repost(
        repost_id=parse_text(fields.get("id")),
        text=text,
        reposted_at=reposted_at,
        author_id=parse_text(fields.get("author_id")) or None,
        parent_id=parse_text(fields.get("parent_id")) or None,
    )


def sort_reposts(reposts: list[Repost]) -> tuple[Repost, ...]:
    """Return the reposts oldest first, those without a time last.

    The published files run newest first: the first k of them would be the future.
    """
    return tuple(sorted(reposts, key=lambda repost: (repost.reposted_at is None, repost.reposted_at or 0)))
