"""What a corpus is worth as training and test data: counts, copies, leakage, and what gives the label away."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from datasets import Dataset
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from hf_rumor.audit.giveaways import Giveaway, find_giveaways
from hf_rumor.audit.label_errors import LabelErrors, can_find_label_errors, find_label_errors
from hf_rumor.corpus.arrow import Corpus, split_dataset
from hf_rumor.corpus.findings import describe
from hf_rumor.corpus.near_duplicates import NearDuplicates, find_near_duplicates
from hf_rumor.corpus.splits import SPLITS, Split
from hf_rumor.corpus.values import CHINA
from hf_rumor.errors import CorpusError
from hf_rumor.labels import LABEL_NAMES


UNKNOWN_YEAR = "unknown"
NUM_DOUBTFUL_IDS = 20  # told by id; a table holds them all


@dataclass(frozen=True)
class Audit:
    """The findings of an audit; every value can be written as JSON.

    Attributes:
        path: The corpus.
        sha256: Digest of its content.
        findings: One line each on what was odd or left out.
        posts: Posts by label.
        lengths: Characters per post by label: mean, median, p95, max.
        years: Posts by year and label.
        near_duplicates: Groups of two and more, posts in them by label, size of the largest, exact copies.
        conflicts: Groups of near-duplicates that hold both labels, and posts left out because their very text does.
        leakage: For each split: test posts, those with a near-duplicate in training or validation, and those with a
            known author and with a post of that author there.
        giveaways: Pieces of text that give the label away, for each label the strongest first.
        label_errors: Posts whose label is likely wrong: how many, and ids of the most doubtful; or why not looked for.
        artefacts: For each piece of metadata: 5-fold accuracy of guessing the label from it alone.
        majority: Accuracy of always guessing the more frequent label.
    """

    path: str
    sha256: str
    findings: list[str]
    posts: dict[str, int]
    lengths: dict[str, dict[str, float]]
    years: dict[str, dict[str, int]]
    near_duplicates: dict[str, Any]
    conflicts: dict[str, int]
    leakage: dict[str, dict[str, int | str]]
    giveaways: list[Giveaway]
    label_errors: dict[str, Any]
    artefacts: dict[str, float]
    majority: float


@dataclass(frozen=True)
class Audited:
    """An audit, and what its tables are made of.

    Attributes:
        audit: The findings.
        near_duplicates: Of the posts of the corpus.
        label_errors: Of the posts of the corpus; None if not looked for.
    """

    audit: Audit
    near_duplicates: NearDuplicates
    label_errors: LabelErrors | None


def audit_corpus(corpus: Corpus, split_seed: int) -> Audited:
    """Audit a corpus; the splits are cut with `split_seed`."""
    posts = corpus.posts
    labels = np.asarray(posts["label"][:])
    near_duplicates = find_near_duplicates(posts["text"][:])
    counts = np.bincount(labels, minlength=len(LABEL_NAMES))
    errors, no_errors = _label_errors(posts, labels, near_duplicates)
    audit = Audit(
        path=str(corpus.path),
        sha256=corpus.sha256,
        findings=describe(corpus.findings),
        posts={name: int(count) for name, count in zip(LABEL_NAMES, counts, strict=True)},
        lengths=_lengths(posts["text"][:], labels),
        years=_years(posts["posted_at"][:], labels),
        near_duplicates=_near_duplicates(near_duplicates, labels),
        conflicts={
            "groups": len(conflicting_groups(near_duplicates, labels)),
            "posts_left_out": corpus.findings["conflicting_labels"],
        },
        leakage={name: _leakage(name, posts, near_duplicates, split_seed) for name in SPLITS},
        giveaways=find_giveaways(posts["text"][:], labels, near_duplicates.groups),
        label_errors={"not_looked_for": no_errors} if errors is None else _doubtful(errors, posts["id"][:]),
        artefacts=_artefacts(posts, labels),
        majority=float(counts.max() / counts.sum()),
    )
    return Audited(audit, near_duplicates, errors)


def conflicting_groups(near_duplicates: NearDuplicates, labels: Any) -> Any:
    """Return the numbers of the groups of near-duplicates that hold both labels. *Shape:* `(num_groups,)`."""
    groups = near_duplicates.groups
    return np.intersect1d(groups[labels == 0], groups[labels == 1])


def _lengths(texts: Sequence[str], labels: Any) -> dict[str, dict[str, float]]:
    lengths = np.array([len(text) for text in texts])
    return {
        name: {
            "mean": float(of_label.mean()),
            "median": float(np.median(of_label)),
            "p95": float(np.percentile(of_label, 95)),
            "max": float(of_label.max()),
        }
        for label, name in enumerate(LABEL_NAMES)
        if len(of_label := lengths[labels == label])
    }


def _years(posted_at: Sequence[int | None], labels: Any) -> dict[str, dict[str, int]]:
    years = [UNKNOWN_YEAR if time is None else str(datetime.fromtimestamp(time, CHINA).year) for time in posted_at]
    counts = Counter(zip(years, labels.tolist(), strict=True))
    return {year: {name: counts[year, label] for label, name in enumerate(LABEL_NAMES)} for year in sorted(set(years))}


def _near_duplicates(near_duplicates: NearDuplicates, labels: Any) -> dict[str, Any]:
    sizes = np.bincount(near_duplicates.groups)
    in_group = sizes[near_duplicates.groups] > 1
    return {
        "groups": int((sizes > 1).sum()),
        "largest": int(sizes.max()),
        "exact_copies": int(len(labels) - len(np.unique(near_duplicates.text_ids))),
        "posts": {name: int((in_group & (labels == label)).sum()) for label, name in enumerate(LABEL_NAMES)},
    }


def _leakage(name: str, posts: Dataset, near_duplicates: NearDuplicates, seed: int) -> dict[str, int | str]:
    try:
        split = split_dataset(posts, name, seed, near_duplicates.groups)
    except CorpusError as error:
        return {"not_possible": str(error)}
    leaking = near_duplicates.leaking(split.test, split.development())
    return {"test": len(split.test), "leaking": len(leaking), **_shared_authors(split, posts["author_id"][:])}


def _shared_authors(split: Split, authors: Sequence[str | None]) -> dict[str, int]:
    """Return how many test posts have a known author, and how many of these have an author with a post elsewhere."""
    elsewhere = {authors[position] for position in split.development()}
    known = [authors[position] for position in split.test if authors[position] is not None]
    return {"author_known": len(known), "author_elsewhere": sum(author in elsewhere for author in known)}


def _label_errors(
    posts: Dataset, labels: Any, near_duplicates: NearDuplicates
) -> tuple[LabelErrors | None, str | None]:
    """Return the label errors, or None and the reason."""
    if not can_find_label_errors():
        return None, "cleanlab is not installed. Run: pip install cleanlab"
    found = find_label_errors(posts["text"][:], labels, near_duplicates.groups)
    return found, None if found else "too few posts of a label"


def _doubtful(errors: LabelErrors, ids: Sequence[str]) -> dict[str, Any]:
    head = errors.order[: min(NUM_DOUBTFUL_IDS, errors.num_likely)]
    return {"likely": errors.num_likely, "most_doubtful": [ids[position] for position in head]}


def _artefacts(posts: Dataset, labels: Any) -> dict[str, float]:
    """Return the 5-fold accuracy of a logistic regression on each piece of metadata, and on all of them together.

    Far above `majority`, it says how the corpus was collected, not what a rumor is.
    """
    hours = [-1 if time is None else datetime.fromtimestamp(time, CHINA).hour for time in posts["posted_at"][:]]
    reposts = [-1 if count is None else int(np.log2(1 + count)) for count in posts["num_reposts"][:]]
    columns: dict[str, list[Any]] = {
        "hour of posting": hours,
        "author verified": [str(value) for value in posts["author_verified"][:]],
        "author known": [value is not None for value in posts["author_verified"][:]],
        "has a link": [str(value) for value in posts["has_url"][:]],
        "number of reposts (powers of 2)": reposts,
    }
    table = np.array([[str(value) for value in column] for column in columns.values()]).T
    chosen = {name: [position] for position, name in enumerate(columns)}
    chosen["all of these together"] = list(range(len(columns)))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    if np.bincount(labels, minlength=2).min() < folds.get_n_splits():
        return {}
    return {
        name: float(cross_val_score(_guesser(positions), table, labels, cv=folds).mean())
        for name, positions in chosen.items()
    }


def _guesser(columns: list[int]) -> Any:
    encoder = OneHotEncoder(handle_unknown="ignore")
    return make_pipeline(make_column_transformer((encoder, columns)), LogisticRegression(max_iter=1000))
