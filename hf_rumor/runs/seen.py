"""Drop test posts that a model has seen when it is trained further."""

import logging
from dataclasses import replace

import numpy as np

from hf_rumor.corpus.parts import SplitCorpus
from hf_rumor.corpus.seen import SeenPosts, find_seen, merge, seen_posts
from hf_rumor.errors import ModelError
from hf_rumor.labels import LABEL_NAMES


logger = logging.getLogger(__name__)


def drop_seen(parts: SplitCorpus, seen: SeenPosts, name: str) -> SplitCorpus:
    """Drop test posts that the model `name` has seen; move validation posts that it was trained on to training.

    Raises:
        ModelError: Test or validation would be left without posts of a label.
    """
    posts, split = parts.corpus.posts, parts.split
    is_seen = find_seen(posts.select(split.test)["text"][:], seen)
    is_trained = find_seen(posts.select(split.validation)["text"][:], seen, trained_only=True)
    if not is_seen.any() and not is_trained.any():
        return parts
    split = replace(
        split,
        train=np.concatenate([split.train, split.validation[is_trained]]),
        validation=split.validation[~is_trained],
        test=split.test[~is_seen],
    )
    labels = np.asarray(posts["label"][:])
    for part, positions in (("test", split.test), ("validation", split.validation)):
        if len(np.unique(labels[positions])) < len(LABEL_NAMES):
            raise ModelError(
                f"{name}: the model has already seen {is_seen.sum():,} of {len(is_seen):,} test posts and was trained "
                f"on {is_trained.sum():,} of {len(is_trained):,} validation posts, so the {part} set lacks a label. "
                "Use the split and seed of that model, or start from another one."
            )
    logger.warning(
        "seen: %s has seen %d of %d test posts (dropped) and was trained on %d of %d validation posts (moved to the "
        "training set)",
        *(name, is_seen.sum(), len(is_seen), is_trained.sum(), len(is_trained)),
    )
    leaking = np.intersect1d(parts.leaking, split.test)
    return replace(parts, split=split, leaking=leaking, num_seen=int(is_seen.sum()))


def seen_after(parts: SplitCorpus, before: SeenPosts | None) -> SeenPosts:
    """Return the posts that a model will have seen: those of this run, and those `before` it."""
    dataset, split = parts.dataset, parts.split
    sketches = parts.corpus.near_duplicates.sketches(split.development())
    here = seen_posts(dataset["train"]["text"][:], dataset["validation"]["text"][:], sketches)
    return here if before is None else merge([before, here])
