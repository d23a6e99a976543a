"""The queue of a day: one row per story, the most valuable check first."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hf_rumor.corpus.columns import REACH_NAMES, Columns
from hf_rumor.corpus.formats import open_input
from hf_rumor.corpus.formats.input import Input
from hf_rumor.corpus.post import Post
from hf_rumor.corpus.rows import Item, read_items
from hf_rumor.corpus.values import parse_count
from hf_rumor.desk.stories import Earlier, Story, find_stories
from hf_rumor.desk.verdicts import COLUMNS, verdict_in
from hf_rumor.errors import CorpusError, ModelError
from hf_rumor.evaluation.decision import name_decisions
from hf_rumor.inference.classifier import RumorClassifier
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.util.tables import beside_input


logger = logging.getLogger(__name__)

UNCERTAIN_BELOW = 0.7  # confidence, if the model does not abstain
NUM_WORDS = 5
OWN_COLUMNS = (
    "rank",
    COLUMNS[0],
    "decision",
    "probability",
    "posts",
    "reach",
    "words",
    "earlier_posts",
    "earlier_verdict",
)


@dataclass(frozen=True)
class Queue:
    """A table to fill in.

    Attributes:
        columns: Ours, then those of the input.
        rows: One per story.
        posts: The post that stands for each story.
        num_posts: Number of posts of the input.
        num_stories: Number of stories, those omitted included.
        omitted: Expected number of rumors among the stories that were omitted.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    posts: tuple[Post, ...]
    num_posts: int
    num_stories: int
    omitted: float


def make_queue(
    classifier: RumorClassifier, items: Iterable[Item], history: Sequence[Earlier] = (), top: int | None = None
) -> Queue:
    """Return the queue of the posts in `items`; rows with an error are skipped and counted in the log.

    Args:
        classifier: Its probabilities order the queue.
        items: The posts of a day, with the values of their rows.
        history: Posts of earlier days, the oldest first.
        top: Number of stories to keep; None: all.

    Raises:
        CorpusError: There is no post.
    """
    kept, posts = readable(items, "triage")
    probabilities = classifier.probabilities(posts)
    stories = find_stories(posts, probabilities, [reach_of(item.values) for item in kept], history)
    shown, omitted = stories[:top], stories[len(stories[:top]) :]
    words = _influential_words(classifier, [posts[story.posts[0]].text for story in shown])
    own = [_own(rank, story, classifier, words[rank - 1]) for rank, story in enumerate(shown, start=1)]
    columns, rows = beside_input(OWN_COLUMNS, own, [kept[story.posts[0]].values for story in shown])
    return Queue(
        columns=columns,
        rows=rows,
        posts=tuple(posts[story.posts[0]] for story in shown),
        num_posts=len(posts),
        num_stories=len(stories),
        omitted=sum(story.probability for story in omitted),
    )


def readable(items: Iterable[Item], name: str) -> tuple[list[Item], list[Post]]:
    """Return the items that have a post, and their posts; the others are counted in the log.

    Args:
        items: Of a file.
        name: Of the file or command, for messages.

    Raises:
        CorpusError: There is no post.
    """
    kept, posts, errors = [], [], []
    for item in items:
        if item.post is not None:
            kept.append(item)
            posts.append(item.post)
        else:
            errors.append(item)
    if errors:
        logger.warning("%s: %d rows skipped, such as %s: %s", name, len(errors), errors[0].id, errors[0].error)
    if not kept:
        raise CorpusError(f"{name}: no posts. Use a file with posts.")
    return kept, posts


def _own(rank: int, story: Story, classifier: RumorClassifier, words: str) -> tuple[Any, ...]:
    facts, probability = classifier.facts, story.probability
    [decision] = name_decisions(np.array([probability]), facts.threshold, facts.abstain_below or UNCERTAIN_BELOW)
    earlier = (story.num_earlier, story.earlier_verdict)
    return (rank, None, decision, round(probability, 3), len(story.posts), story.reach, words, *earlier)


def reach_of(values: Mapping[str, Any]) -> int:
    """Return the number of reposts, comments and likes in a row; 0 if it has none."""
    return sum(count for name, value in values.items() if name in REACH_NAMES and (count := parse_count(value)))


def _influential_words(classifier: RumorClassifier, texts: Sequence[str]) -> list[str]:
    """Return, for each text, the words that speak most for its prediction; empty texts if they cannot be computed."""
    from hf_rumor.inference.explain import Explainer

    try:
        explainer = Explainer(classifier)
        explanations = [explainer.explain(text) for text in texts]
    except ModelError as error:
        logger.info("triage: the column words is empty (%s)", error)
        return [""] * len(texts)
    found = []
    for one in explanations:
        sign = 1 if one.prediction.rumor_probability >= classifier.facts.threshold else -1
        words = [word for word in one.words if sign * word.weight > 0 and any(map(str.isalnum, word.text))]
        words.sort(key=lambda word: -sign * word.weight)
        found.append("、".join(list(dict.fromkeys(word.text for word in words))[:NUM_WORDS]))
    return found


def read_history(paths: Iterable[Path]) -> list[Earlier]:
    """Return the posts of earlier days: exports, filled queues, or the desk's corpus, in this order.

    Raises:
        CorpusError: A file cannot be read, or has an unknown verdict.
    """
    history = []
    for path in paths:
        with open_input(path, is_labeled=False) as source:
            for item in read_items(source, Columns()):
                if item.post is not None:
                    history.append(Earlier(item.post.text, _verdict(source, item)))
    return history


def _verdict(source: Input, item: Item) -> str:
    try:
        label = item.values.get("label")
        return verdict_in(item.values) or (label if label in LABEL_NAMES else "")
    except ValueError as error:
        raise CorpusError(f"{source.name}: post {item.id}: {error}.") from error
