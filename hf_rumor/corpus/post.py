"""Posts and reposts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Repost:
    """One repost of a post, or a comment on it."""

    repost_id: str
    text: str
    reposted_at: int | None = None  # seconds since 1970-01-01 UTC
    author_id: str | None = None
    parent_id: str | None = None  # the repost that it answers; None: the post


@dataclass(frozen=True, kw_only=True)
class Post:
    """One original microblog post, with its label if it has one."""

    text: str
    post_id: str = ""
    is_rumor: bool | None = None  # None: unlabeled
    posted_at: int | None = None  # seconds since 1970-01-01 UTC
    author_id: str | None = None
    author_verified: bool | None = None
    has_url: bool | None = None
    num_reposts: int | None = None
    reposts: tuple[Repost, ...] = ()  # oldest first, those without a time last; may be incomplete
    observed_at: int | None = None  # when the reposts were collected, in seconds since 1970-01-01 UTC; None: now
    split: str | None = None  # "train", "validation" or "test", if the corpus names parts
    source: str = ""  # name of the corpus
