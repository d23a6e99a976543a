"""Check a corpus: counts, near-duplicates, leakage, giveaways, likely label errors."""

import importlib.util
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from datasets import Dataset
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from hf_rumor.audit.giveaways import Giveaway, find_giveaways
from hf_rumor.audit.label_errors import LabelErrors, find_label_errors
from hf_rumor.corpus.arrow import Corpus
from hf_rumor.corpus.findings import describe
from hf_rumor.corpus.near_duplicates import NearDuplicates
from hf_rumor.corpus.parts import split_dataset
from hf_rumor.corpus.splits import SPLITS, Split
from hf_rumor.corpus.values import CHINA
from hf_rumor.errors import CorpusError
from hf_rumor.labels import LABEL_NAMES


NUM_DOUBTFUL_IDS = 20  # in the audit; the table has all posts


@dataclass(frozen=True)
class Audit:
    """The results of an audit, as JSON values.

    Attributes:
        path: Path of the corpus.
        sha256: Digest of its content.
        findings: One line for each kind of oddity.
        posts: Number of posts of each label.
        lengths: Characters per post of each label: mean, median, p95, max.
        years: Number of posts of each year and label.
        near_duplicates: Number of groups of two or more posts, size of the largest, exact copies, posts by label.
        conflicts: Number of near-duplicate groups with both labels, and of skipped posts, whose exact text has both.
        leakage: For each split: number of test posts, of those with a near-duplicate in training or validation, of
            those with a known author, and of those whose author has other posts there. Or why it is not possible.
        giveaways: Pieces of text that give the label away, the strongest of each label first.
        label_errors: Number of likely label errors, and the ids of the first ones; or why they were not looked for.
        artefacts: 5-fold accuracy of predicting the label from each piece of metadata alone.
        majority: Accuracy of always predicting the more frequent label.
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
    """An audit, and the details for its tables."""

    audit: Audit
    near_duplicates: NearDuplicates
    label_errors: LabelErrors | None


def audit_corpus(corpus: Corpus, split_seed: int) -> Audited:
    """Audit a corpus; the splits are cut with `split_seed`."""
    posts = corpus.posts
    labels = np.asarray(posts["label"][:])
    near_duplicates = corpus.near_duplicates
    counts = np.bincount(labels, minlength=len(LABEL_NAMES))
    errors, label_errors = _label_errors(posts, labels, near_duplicates)
    audit = Audit(
        path=str(corpus.path),
        sha256=corpus.sha256,
        findings=describe(corpus.findings),
        posts={name: int(count) for name, count in zip(LABEL_NAMES, counts, strict=True)},
        lengths=_lengths(posts["text"][:], labels),
        years=years_of(posts["posted_at"][:], labels),
        near_duplicates=_near_duplicates(near_duplicates, labels),
        conflicts={
            "groups": len(conflicting_groups(near_duplicates, labels)),
            "posts_left_out": corpus.findings["conflicting_labels"],
        },
        leakage={name: _leakage(name, posts, near_duplicates, split_seed) for name in SPLITS},
        giveaways=find_giveaways(posts["text"][:], labels, near_duplicates.groups),
        label_errors=label_errors,
        artefacts=_artefacts(posts, labels),
        majority=float(counts.max() / counts.sum()),
    )
    return Audited(audit, near_duplicates, errors)


def conflicting_groups(near_duplicates: NearDuplicates, labels: Any) -> Any:
    """Return the numbers of the near-duplicate groups with both labels. *Shape:* `(num_groups,)`."""
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


def years_of(posted_at: Sequence[int | None], labels: Any) -> dict[str, dict[str, int]]:
    """Return the number of posts of each year and label."""
    years = ["unknown" if time is None else str(datetime.fromtimestamp(time, CHINA).year) for time in posted_at]
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
    """Count the test posts with a known author, and those whose author has posts in training or validation."""
    elsewhere = {authors[position] for position in split.development()}
    known = [authors[position] for position in split.test if authors[position] is not None]
    return {"author_known": len(known), "author_elsewhere": sum(author in elsewhere for author in known)}


def _label_errors(
    posts: Dataset, labels: Any, near_duplicates: NearDuplicates
) -> tuple[LabelErrors | None, dict[str, Any]]:
    """Return the label errors and their summary, or None and the reason."""
    if not importlib.util.find_spec("cleanlab"):
        return None, {"not_looked_for": "cleanlab is not installed. Run: pip install cleanlab"}
    errors = find_label_errors(posts["text"][:], labels, near_duplicates.groups)
    if errors is None:
        return None, {"not_looked_for": "too few posts of a label"}
    likely = errors.order[: errors.num_likely]
    most_doubtful = posts.select(likely[:NUM_DOUBTFUL_IDS])["id"][:]
    return errors, {"likely": errors.num_likely, "most_doubtful": most_doubtful}


def _artefacts(posts: Dataset, labels: Any) -> dict[str, float]:
    """Return the 5-fold accuracy of a logistic regression on each piece of metadata, and on all of them together.

    An accuracy far above `majority` shows how the corpus was collected, not what a rumor is.
    """
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    if np.bincount(labels, minlength=2).min() < folds.get_n_splits():
        return {}
    hours = [-1 if time is None else datetime.fromtimestamp(time, CHINA).hour for time in posts["posted_at"][:]]
    reposts = [-1 if count is None else int(np.log2(1 + count)) for count in posts["num_reposts"][:]]
    columns: dict[str, list[Any]] = {
        "hour of posting": hours,
        "author verified": posts["author_verified"][:],
        "author known": [value is not None for value in posts["author_verified"][:]],
        "has a link": posts["has_url"][:],
        "number of reposts (powers of 2)": reposts,
    }
    tables = {name: np.array([[str(value)] for value in column]) for name, column in columns.items()}
    tables["all of these together"] = np.hstack(list(tables.values()))
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(max_iter=1000))
    return {name: float(cross_val_score(model, table, labels, cv=folds).mean()) for name, table in tables.items()}
