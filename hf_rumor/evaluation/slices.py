"""Accuracy by length, year, link, reposts, author and corpus of the posts."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from hf_rumor.corpus.values import CHINA
from hf_rumor.evaluation.intervals import Groups, Interval, accuracy_interval
from hf_rumor.evaluation.metrics import Scored
from hf_rumor.labels import decide


TOO_SMALL = 30  # near-duplicate groups; with fewer an accuracy means almost nothing
LENGTHS = ("0 to 49", "50 to 99", "100 to 139", "140 and more")  # characters
LIMITS = (50, 100, 140)  # first length of each of `LENGTHS` but the first
ANSWERS = {True: "yes", False: "no", None: "unknown"}


@dataclass(frozen=True)
class PostTraits:
    """Properties of posts beside their label, each of length `num_posts`."""

    num_characters: Sequence[int]
    posted_at: Sequence[int | None]  # seconds since 1970-01-01 UTC
    has_url: Sequence[bool | None]
    num_reposts: Sequence[int | None]
    author_verified: Sequence[bool | None]
    source: Sequence[str] = ()  # name of the corpus; empty: one corpus


@dataclass(frozen=True)
class Slice:
    """The accuracy on posts that share a trait, e.g. `has a link`: `yes`."""

    trait: str
    slice: str
    num_posts: int
    num_rumors: int
    accuracy: float
    interval: Interval
    too_small: bool  # fewer than `TOO_SMALL` near-duplicate groups


def slice_names(traits: PostTraits) -> dict[str, list[str]]:
    """Return, for each trait, the slice of each post."""
    return {
        "characters": [LENGTHS[bisect_right(LIMITS, number)] for number in traits.num_characters],
        "year": [
            "unknown" if time is None else str(datetime.fromtimestamp(time, CHINA).year) for time in traits.posted_at
        ],
        "has a link": [ANSWERS[value] for value in traits.has_url],
        "has reposts": [ANSWERS[None if count is None else count > 0] for count in traits.num_reposts],
        "verified author": [ANSWERS[value] for value in traits.author_verified],
        "corpus": list(traits.source),
    }


def _sort_key(name: str) -> tuple[bool, int, str]:
    """Return the number at the start of the name of a slice, then the name; `unknown` comes last."""
    start = name.split()[0]
    return name == "unknown", int(start) if start.isdigit() else 0, name


def measure_slices(traits: PostTraits, scored: Scored, threshold: float, groups: Groups) -> tuple[Slice, ...]:
    """Return the slices of every trait; a trait that all posts share is skipped."""
    is_right = decide(scored.probabilities, threshold) == scored.labels
    slices: list[Slice] = []
    for trait, names in slice_names(traits).items():
        name_of_post = np.array(names)
        values = sorted(set(names), key=_sort_key)
        for value in values if len(values) > 1 else ():
            inside = name_of_post == value
            slices.append(
                Slice(
                    trait=trait,
                    slice=value,
                    num_posts=int(inside.sum()),
                    num_rumors=int(scored.labels[inside].sum()),
                    accuracy=float(is_right[inside].mean()),
                    interval=accuracy_interval(is_right[inside], groups[inside]),
                    too_small=len(np.unique(groups[inside])) < TOO_SMALL,
                )
            )
    return tuple(slices)
