"""Is the model as good on every kind of post?"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hf_rumor.corpus.values import CHINA
from hf_rumor.evaluation.intervals import accuracy_interval


TOO_SMALL = 30  # groups of near-duplicates; below, an accuracy says next to nothing
LENGTHS = ((0, 50), (50, 100), (100, 140), (140, None))  # characters, the upper bound not included
ANSWERS = {True: "yes", False: "no", None: "unknown"}


@dataclass(frozen=True)
class PostTraits:
    """What is known of posts beside their label; each of length `num_posts`."""

    texts: Sequence[str]
    posted_at: Sequence[int | None]  # seconds since 1970-01-01 UTC
    has_url: Sequence[bool | None]
    num_reposts: Sequence[int | None]
    author_verified: Sequence[bool | None]


def slice_names(traits: PostTraits) -> dict[str, list[str]]:
    """Return, for each trait, the slice that each post belongs to."""
    return {
        "characters": [_length_name(len(text)) for text in traits.texts],
        "year": [
            "unknown" if time is None else str(datetime.fromtimestamp(time, CHINA).year) for time in traits.posted_at
        ],
        "has a link": [ANSWERS[value] for value in traits.has_url],
        "has reposts": [ANSWERS[None if count is None else count > 0] for count in traits.num_reposts],
        "verified author": [ANSWERS[value] for value in traits.author_verified],
    }


def _length_name(length: int) -> str:
    for low, high in LENGTHS:
        if high is not None and length < high:
            return f"{low} to {high - 1}"
    return f"{LENGTHS[-1][0]} and more"


def _order(name: str) -> tuple[bool, int, str]:
    """Return what sorts slices: by the number they begin with, then by name, the unknown last."""
    digits = re.match(r"\d*", name)
    return name == "unknown", int(digits[0]) if digits and digits[0] else 0, name


def measure_slices(
    traits: PostTraits, labels: NDArray[np.int64], predicted: NDArray[np.int64], groups: NDArray[np.int64]
) -> list[dict[str, Any]]:
    """Return posts, rumors, accuracy and its 95 % interval of each slice; a trait that all posts share is left out.

    Args:
        traits: Of the posts.
        labels: 0 or 1. *Shape:* `(num_posts,)`.
        predicted: 0 or 1. *Shape:* `(num_posts,)`.
        groups: Number of the near-duplicate group of each post. *Shape:* `(num_posts,)`.
    """
    rows: list[dict[str, Any]] = []
    for trait, names in slice_names(traits).items():
        of_post = np.array(names)
        kinds = sorted(set(names), key=_order)
        for kind in kinds if len(kinds) > 1 else ():
            inside = of_post == kind
            right = labels[inside] == predicted[inside]
            low, high = accuracy_interval(right, groups[inside])
            rows.append(
                {
                    "trait": trait,
                    "slice": kind,
                    "num_posts": int(inside.sum()),
                    "num_rumors": int(labels[inside].sum()),
                    "accuracy": float(right.mean()),
                    "interval": [low, high],
                    "too_small": bool(len(np.unique(groups[inside])) < TOO_SMALL),
                }
            )
    return rows
