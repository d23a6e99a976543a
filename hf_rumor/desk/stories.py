"""Group posts into stories, and order them by the expected value of a check."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hf_rumor.corpus.near_duplicates import find_near_duplicates
from hf_rumor.corpus.post import Post
from hf_rumor.evaluation.metrics import Floats


HALF_LIFE = 3.0  # days after which the value of a check has halved
SECONDS_PER_DAY = 86_400


@dataclass(frozen=True)
class Story:
    """Posts that tell the same story: a group of near-duplicates.

    Attributes:
        posts: Positions; the first one, with the widest reach, stands for the story.
        probability: Mean probability of rumor.
        reach: Number of reposts, comments and likes of all posts.
        value: Expected value of a check.
        num_earlier: Number of posts of this story in the history.
        earlier_verdict: Verdict of the latest of these that has one; empty if there is none.
    """

    posts: tuple[int, ...]
    probability: float
    reach: int
    value: float
    num_earlier: int
    earlier_verdict: str


@dataclass(frozen=True)
class Earlier:
    """A post of the history."""

    text: str
    verdict: str  # empty if unknown


def find_stories(
    posts: Sequence[Post], probabilities: Floats, reach: Sequence[int], history: Sequence[Earlier] = ()
) -> list[Story]:
    """Return the stories, the most valuable check first; those with a verdict in the history come last.

    The value of a check is `probability · log2(2 + reach) · 2^(-age / HALF_LIFE)`, where the age is that of the latest
    post of the story, counted from the latest post of all; unknown ages are 0.

    Args:
        posts: Of today.
        probabilities: Of rumor. *Shape:* `(num_posts,)`.
        reach: Number of reposts, comments and likes of each post.
        history: Earlier posts, the oldest first.
    """
    groups = find_near_duplicates([*(post.text for post in posts), *(one.text for one in history)]).groups.tolist()
    earlier: dict[int, list[Earlier]] = {}
    for group, one in zip(groups[len(posts) :], history, strict=True):
        earlier.setdefault(group, []).append(one)
    members: dict[int, list[int]] = {}
    for position, group in enumerate(groups[: len(posts)]):
        members.setdefault(group, []).append(position)
    now = max((post.posted_at for post in posts if post.posted_at is not None), default=0)
    stories = []
    for group, positions in members.items():
        positions.sort(key=lambda position: -reach[position])
        latest = max((at for position in positions if (at := posts[position].posted_at) is not None), default=now)
        probability = float(np.mean(probabilities[positions]))
        total = sum(reach[position] for position in positions)
        freshness = 2 ** (-(now - latest) / SECONDS_PER_DAY / HALF_LIFE)
        verdicts = [one.verdict for one in earlier.get(group, ()) if one.verdict]
        stories.append(
            Story(
                posts=tuple(positions),
                probability=probability,
                reach=total,
                value=probability * math.log2(2 + total) * freshness,
                num_earlier=len(earlier.get(group, ())),
                earlier_verdict=verdicts[-1] if verdicts else "",
            )
        )
    return sorted(stories, key=lambda story: (bool(story.earlier_verdict), -story.value))
