"""Verdicts in a queue -> the desk's corpus, and how often the predictions were right."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from hf_rumor.corpus.columns import Columns
from hf_rumor.corpus.formats import open_input
from hf_rumor.corpus.normalization import normalize
from hf_rumor.corpus.post import Post
from hf_rumor.corpus.rows import read_items
from hf_rumor.corpus.values import CHINA
from hf_rumor.desk.verdicts import UNDECIDED, verdict_in
from hf_rumor.errors import CorpusError
from hf_rumor.evaluation.metrics import Scored
from hf_rumor.evaluation.slices import PostTraits, Slice, measure_slices
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.util.files import write_text


@dataclass(frozen=True)
class Verdict:
    """What a person decided about a post."""

    post: Post
    label: str  # one of `VERDICTS`
    decision: str  # the prediction in the queue; empty if unknown


@dataclass(frozen=True)
class Added:
    """What became of the verdicts."""

    added: int
    changed: int  # posts of the corpus whose label is another one now
    known: int  # posts that the corpus has with this label


@dataclass(frozen=True)
class Hits:
    """How many posts with one prediction are rumors, with an exact 95% interval (Clopper and Pearson, 1934)."""

    decision: str
    num_posts: int
    num_rumors: int
    low: float  # of the share of rumors
    high: float


def read_verdicts(path: Path, columns: Columns) -> tuple[list[Verdict], int]:
    """Return the verdicts in a filled queue, and the number of rows without one.

    Raises:
        CorpusError: The file cannot be read, a verdict is unknown, or a row with a verdict has no text.
    """
    verdicts, num_open = [], 0
    with open_input(path, is_labeled=False) as source:
        for item in read_items(source, columns):
            try:
                label = verdict_in(item.values)
                if label and item.post is None:
                    raise ValueError(item.error)
            except ValueError as error:
                raise CorpusError(f"{path}: post {item.id}: {error}. Nothing was added; fix the file.") from error
            if label and item.post is not None:
                verdicts.append(Verdict(item.post, label, str(item.values.get("decision") or "")))
            else:
                num_open += 1
    return verdicts, num_open


def add_to_corpus(corpus: Path, verdicts: Sequence[Verdict], author: str | None, now: datetime) -> Added:
    """Add decided posts to a corpus of JSON lines, whole or not at all; a new verdict replaces an old one.

    Args:
        corpus: Is created if it does not exist.
        verdicts: Those that are undecided are not added.
        author: Who decided.
        now: When.

    Raises:
        CorpusError: A line of the corpus is not a post.
    """
    # Not `splitlines`: JSON may contain U+2028, which is a line end for it.
    lines = corpus.read_text(encoding="utf-8").split("\n") if corpus.exists() else []
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            rows.append({**row, "text": str(row["text"]), "label": row["label"]})
        except (ValueError, KeyError, TypeError) as error:
            raise CorpusError(f"{corpus}: line {number}: not a post with text and label ({error}). Fix it.") from error
    places = {normalize(row["text"]): place for place, row in enumerate(rows)}
    counts = dict.fromkeys(("added", "changed", "known"), 0)
    for verdict in verdicts:
        if verdict.label == UNDECIDED:
            continue
        place = places.setdefault(normalize(verdict.post.text), len(rows))
        if place == len(rows):
            counts["added"] += 1
            rows.append({})
        elif rows[place]["label"] == verdict.label:
            counts["known"] += 1
            continue
        else:
            counts["changed"] += 1
        rows[place] = corpus_row(verdict, author, now)
    write_text(corpus, "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))
    return Added(**counts)


def corpus_row(verdict: Verdict, author: str | None, now: datetime) -> dict[str, Any]:
    """Return a decided post as a line of the desk's corpus."""
    post = verdict.post
    row = {"id": post.post_id, "text": post.text, "label": verdict.label}
    if post.posted_at is not None:
        row["posted_at"] = datetime.fromtimestamp(post.posted_at, CHINA).isoformat()
    row |= {"verdict_by": author} if author else {}
    return {**row, "verdict_at": now.astimezone(UTC).isoformat(timespec="seconds")}


def count_hits(verdicts: Sequence[Verdict]) -> list[Hits]:
    """Return, for each prediction, how many posts with it are rumors; undecided posts are skipped."""
    from scipy.stats import binomtest

    hits = []
    for decision in dict.fromkeys(verdict.decision for verdict in verdicts if verdict.decision):
        labels = [one.label for one in verdicts if one.decision == decision and one.label != UNDECIDED]
        if labels:
            num_rumors = labels.count(LABEL_NAMES[1])
            interval = binomtest(num_rumors, len(labels)).proportion_ci()
            hits.append(Hits(decision, len(labels), num_rumors, float(interval.low), float(interval.high)))
    return hits


def slice_verdicts(verdicts: Sequence[Verdict]) -> tuple[Slice, ...]:
    """Return how often the predictions were right by traits of the posts; small slices are skipped.

    Verdicts that are undecided are skipped, and so are predictions that are uncertain.
    """
    from hf_rumor.corpus.near_duplicates import find_near_duplicates

    decided = [one for one in verdicts if one.label in LABEL_NAMES and one.decision in LABEL_NAMES]
    if not decided:
        return ()
    posts = [one.post for one in decided]
    traits = PostTraits(
        num_characters=[len(post.text) for post in posts],
        posted_at=[post.posted_at for post in posts],
        has_url=[post.has_url for post in posts],
        num_reposts=[post.num_reposts for post in posts],
        author_verified=[post.author_verified for post in posts],
    )
    labels = np.array([LABEL_NAMES.index(one.label) for one in decided])
    predicted = np.array([float(LABEL_NAMES.index(one.decision)) for one in decided])
    scored = Scored([post.post_id for post in posts], labels, predicted, np.nan)
    groups = find_near_duplicates([post.text for post in posts]).groups
    return tuple(one for one in measure_slices(traits, scored, 0.5, groups) if not one.too_small)
