"""Files of days -> one row per day: the share of rumors, and how far the posts differ from a reference."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hf_rumor.audit.giveaways import find_giveaways
from hf_rumor.corpus.columns import Columns
from hf_rumor.corpus.formats import open_input
from hf_rumor.corpus.near_duplicates import find_near_duplicates
from hf_rumor.corpus.normalization import normalize
from hf_rumor.corpus.post import Post
from hf_rumor.corpus.rows import read_items
from hf_rumor.corpus.seen import SeenPosts, find_seen
from hf_rumor.desk.drift import (
    MAX_POSTS,
    MIN_WINDOWS,
    Batch,
    Reference,
    Windows,
    alarm_limits,
    complete,
    concatenate,
    deviations,
    distinct,
    strengths,
)
from hf_rumor.desk.queue import readable
from hf_rumor.desk.text_drift import Indices
from hf_rumor.errors import CorpusError
from hf_rumor.evaluation.metrics import Floats
from hf_rumor.evaluation.prior import MIN_POSTS, Prior, Validation, estimate_prior
from hf_rumor.inference.classifier import RumorClassifier
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.models.inputs import encode


logger = logging.getLogger(__name__)

MIN_DAY = 20  # distinct posts; a smaller day is not tested
GROWTH = 0.25  # new posts, as a share of the reference, after which the reference of earlier days is updated
NUM_WORDS = 8
_ENCODED_AT_A_TIME = 1_000  # posts


@dataclass(frozen=True)
class Posts:
    """The posts of a file, scored."""

    name: str
    probabilities: Floats  # (num_posts,): of rumor
    batch: Batch


@dataclass(frozen=True)
class Drift:
    """The comparison of a day with the reference."""

    values: Floats  # (len(STATISTICS),)
    windows: Windows
    deviations: Floats  # (len(STATISTICS),): in standard deviations
    limits: Floats  # (len(STATISTICS),): largest deviations without an alarm
    more: tuple[str, ...] = ()  # pieces of text that are more frequent than in the reference; only for some days
    less: tuple[str, ...] = ()  # pieces of text that are less frequent

    @property
    def strongest(self) -> int:
        """Number of the statistic that deviates most, compared with its limit."""
        return int(np.argmax(strengths(self.deviations) / self.limits))

    @property
    def is_alarm(self) -> bool:
        """Return whether a statistic deviates by more than the limit."""
        return bool((strengths(self.deviations) > self.limits).any())


@dataclass(frozen=True)
class Row:
    """A day."""

    name: str
    num_posts: int
    num_distinct: int  # without near-duplicates
    prior: Prior | None  # estimated share of rumors; None: too few posts, or not trained by hf_rumor
    drift: Drift | None  # None: the day or the reference has too few posts


def read_posts(path: Path, columns: Columns) -> list[Post]:
    """Return the posts of a file, in the order of their times if all have one.

    Raises:
        CorpusError: The file cannot be read, or has no posts.
    """
    with open_input(path, is_labeled=False) as source:
        _, posts = readable(read_items(source, columns), str(path))
    return in_time(posts)


def in_time(posts: list[Post]) -> list[Post]:
    """Return posts in the order of their times, or as they are if one has no time."""
    times = [post.posted_at for post in posts if post.posted_at is not None]
    if len(times) < len(posts):
        return posts
    return [posts[number] for number in np.argsort(times, kind="stable")]


def unseen(posts: list[Post], seen: SeenPosts | None) -> list[Post]:
    """Return the posts that are no training posts of a model, nor near-duplicates; models are more confident on these.

    Raises:
        CorpusError: There is none.
    """
    if seen is None:
        return posts
    is_seen = find_seen([post.text for post in posts], seen, trained_only=True)
    kept = [post for post, skip in zip(posts, is_seen, strict=True) if not skip]
    if len(kept) < len(posts):
        skipped = len(posts) - len(kept)
        logger.info("reference: %d of %d posts skipped: the model was trained on them", skipped, len(posts))
    if not kept:
        raise CorpusError(
            "--reference: the model was trained on all of these posts. Pass posts that the model has not seen."
        )
    return kept


def score_posts(classifier: RumorClassifier, files: Sequence[tuple[str, list[Post]]]) -> list[Posts]:
    """Return the posts of several files, scored; near-duplicates are numbered across files."""
    texts = [normalize(post.text) for _, posts in files for post in posts]
    groups = find_near_duplicates(texts).groups
    scored, start = [], 0
    for name, posts in files:
        end = start + len(posts)
        probabilities = classifier.probabilities(posts)
        confidences = np.maximum(probabilities, 1 - probabilities)
        num_tokens, num_unknown = count_tokens(classifier, posts)
        batch = Batch(tuple(texts[start:end]), confidences, num_tokens, num_unknown, groups[start:end])
        scored.append(Posts(name, probabilities, batch))
        start = end
    return scored


def count_tokens(classifier: RumorClassifier, posts: Sequence[Post]) -> tuple[Indices, Indices]:
    """Return the number of tokens of each post, and how many of them are unknown. *Shape:* each `(num_posts,)`."""
    facts = classifier.facts
    counts = []
    for start in range(0, len(posts), _ENCODED_AT_A_TIME):
        for encoding in encode(posts[start : start + _ENCODED_AT_A_TIME], classifier.tokenizer, facts.inputs):
            num_unknown = sum(number == facts.tokenizer.unknown_id for number in encoding.ids)
            counts.append((len(encoding.ids), num_unknown))
    columns = np.array(counts, dtype=np.int64).reshape(-1, 2).T
    return columns[0], columns[1]


def monitor(
    days: Sequence[Posts], reference: Posts | None, validation: Validation | None, weekly_rate: float
) -> list[Row]:
    """Return a row for each day.

    Args:
        days: In order.
        reference: With what they are compared; None: with the days before that raised no alarm.
        validation: Of the model; None if it is unknown.
        weekly_rate: Probability of at least one alarm in seven days from the source of the reference.

    Raises:
        CorpusError: The last day cannot be tested.
    """
    against = None if reference is None else Reference(reference.batch)
    earlier: list[Batch] = []
    rows = []
    for number, day in enumerate(days):
        is_last = number == len(days) - 1
        batch = distinct(day.batch)
        if reference is None:
            against = _updated(against, earlier, len(batch))
        drift = None
        if _problem(len(batch), against) is None and against is not None:
            drift = compare(batch, against, weekly_rate, with_words=is_last)
        elif is_last:
            raise CorpusError(f"{day.name}: {_problem(len(batch), against)}")
        if drift is None or not drift.is_alarm:
            earlier.append(day.batch)
        rows.append(Row(day.name, len(day.probabilities), len(batch), estimate_share(day, validation), drift))
    return rows


def _updated(against: Reference | None, earlier: Sequence[Batch], size: int) -> Reference | None:
    """Return the reference of earlier days, rebuilt if it has too few windows or many posts are new."""
    if not earlier:
        return None
    num_posts = sum(len(batch) for batch in earlier)
    if against is not None:
        is_large = against.num_windows(size) >= MIN_WINDOWS
        if is_large and num_posts - against.num_given < GROWTH * len(against.batch):
            return against
    if num_posts // size < MIN_WINDOWS:
        return None
    return Reference(concatenate(earlier))


def _problem(size: int, against: Reference | None) -> str | None:
    """Return why a day cannot be tested, and what to do; None if it can."""
    if size < MIN_DAY:
        return f"{size} distinct posts, but {MIN_DAY} are needed. Use longer days, such as weeks."
    needed = MIN_WINDOWS * size
    available = 0 if against is None else len(against.batch)
    if available >= needed:
        return None
    if needed > MAX_POSTS:
        return f"{size} distinct posts, but at most {MAX_POSTS // MIN_WINDOWS} are supported. Pass a random sample."
    if against is None:
        return (
            f"the days before it have fewer than {needed} distinct posts without an alarm ({MIN_WINDOWS} times as "
            "many as this day). Pass more days, or posts of the training period with --reference."
        )
    return (
        f"{size} distinct posts, but the reference has {available}; {needed} are needed ({MIN_WINDOWS} times as "
        "many). Pass more posts with --reference."
    )


def compare(day: Batch, against: Reference, weekly_rate: float, *, with_words: bool = True) -> Drift:
    """Return the comparison of a day, one post per near-duplicate group, with the reference.

    Its words are those of days with an alarm, or of all with `with_words`.
    """
    windows = against.windows(len(day))
    values = complete(against.measure(day), windows)
    drift = Drift(values, windows, deviations(values, windows), alarm_limits(weekly_rate, windows))
    if not (with_words or drift.is_alarm):
        return drift
    more, less = find_words(day, against.batch)
    return replace(drift, more=more, less=less)


def find_words(day: Batch, reference: Batch) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the pieces of text that are significantly more, and less, frequent than in the reference."""
    is_day = np.arange(len(day) + len(reference)) < len(day)
    groups = np.concatenate([day.groups, reference.groups])
    found = find_giveaways((*day.texts, *reference.texts), is_day.astype(np.int64), groups)
    more = [one.piece for one in found if one.label == LABEL_NAMES[1]]
    less = [one.piece for one in found if one.label == LABEL_NAMES[0]]
    return tuple(more[:NUM_WORDS]), tuple(less[:NUM_WORDS])


def estimate_share(day: Posts, validation: Validation | None) -> Prior | None:
    """Return the estimated share of rumors; None if the day has too few posts, or without validation posts."""
    if validation is None or len(day.probabilities) < MIN_POSTS:
        return None
    return estimate_prior(day.probabilities, validation)
