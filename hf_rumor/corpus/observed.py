"""What of the reposts of a post can be seen at a deadline: the only place where reposts are read."""

import math
import re
from dataclasses import dataclass

from hf_rumor.corpus.post import Post


ALL = math.inf  # deadline without a limit
# What clients write into a repost without words of its own.
FORWARDS = frozenset(["", "转发", "转发微博", "轉發微博", "快转微博", "repost"])
CHAIN = re.compile(r"//\s*@")  # starts the words of the repost that is answered: `own words//@name: earlier words`
ENDS = " \t\r\n。.!！,，"


@dataclass(frozen=True)
class Observed:
    """The reposts of a post that are visible at a deadline.

    Attributes:
        delays: Seconds since the post, of each repost with words of its own, in rising order.
        words: The own words of these reposts.
        num_reposts: Number of visible reposts; bare forwards are counted too. Not an input of any model.
    """

    delays: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    num_reposts: int = 0


def observe(post: Post, deadline: float) -> Observed:
    """Return the reposts that are visible `deadline` seconds after the post.

    A repost is visible if its date is known, not before the post, and not after the deadline. Without the time of the
    post nothing is visible. Reposts of the same second are in the order of their words: the order in the file does not
    matter.
    """
    if post.posted_at is None or deadline <= 0:
        return Observed()
    delays = [
        (repost.reposted_at - post.posted_at, own_words(repost.text))
        for repost in post.reposts
        if repost.reposted_at is not None and 0 <= repost.reposted_at - post.posted_at <= deadline
    ]
    spoken = sorted(pair for pair in delays if pair[1])
    return Observed(tuple(delay for delay, _ in spoken), tuple(words for _, words in spoken), len(delays))


def own_words(text: str) -> str:
    """Return the words that the author of a repost added; empty for a bare forward."""
    words = CHAIN.split(text, maxsplit=1)[0].strip()
    return "" if words.strip(ENDS).lower() in FORWARDS else words
