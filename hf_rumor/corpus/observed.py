"""What of the reposts of a post can be seen at a deadline: the only place where reposts are read."""

import math
import re
from dataclasses import dataclass

from hf_rumor.corpus.post import Post


ALL = math.inf  # deadline without a limit
DEADLINES = {"10min": 600, "1h": 3600, "6h": 21_600, "24h": 86_400, "all": ALL}  # name -> seconds since the post
# What clients write into a repost without words of its own.
FORWARDS = frozenset(["", "转发", "转发微博", "轉發微博", "快转微博", "repost"])
CHAIN = re.compile(r"//\s*@")  # starts the words of the repost that is answered: `own words//@name: earlier words`
ENDS = " \t\r\n。.!！,，"
DENIES = re.compile("谣言|辟谣|造谣|谣传|假的|不实|謠言|闢謠|造謠|謠傳|不實")  # the post is denied


@dataclass(frozen=True)
class Observed:
    """The reposts of a post that are visible at a deadline.

    Attributes:
        delays: Seconds since the post, of each repost with words of its own, in rising order.
        words: The own words of these reposts.
        num_bare: Number of bare forwards among the visible reposts. Not an input of any model.
        num_chains: Number of visible reposts that repeat the words of others.
    """

    delays: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    num_bare: int = 0
    num_chains: int = 0


def observe(post: Post, deadline: float) -> Observed:
    """Return the reposts that are visible `deadline` seconds after the post.

    A repost is visible if its date is known, not before the post, and not after the deadline. Without the time of the
    post nothing is visible. Reposts of the same second are in the order of their words: the order in the file does not
    matter.
    """
    if post.posted_at is None or deadline <= 0:
        return Observed()
    visible = [
        (repost.reposted_at - post.posted_at, repost.text)
        for repost in post.reposts
        if repost.reposted_at is not None and 0 <= repost.reposted_at - post.posted_at <= deadline
    ]
    spoken = sorted((delay, words) for delay, text in visible if (words := own_words(text)))
    return Observed(
        delays=tuple(delay for delay, _ in spoken),
        words=tuple(words for _, words in spoken),
        num_bare=len(visible) - len(spoken),
        num_chains=sum(CHAIN.search(text) is not None for _, text in visible),
    )


def own_words(text: str) -> str:
    """Return the words that the author of a repost added; empty for a bare forward."""
    words = CHAIN.split(text, maxsplit=1)[0].strip()
    return "" if words.strip(ENDS).lower() in FORWARDS else words
