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

from hf_rumor.corpus.dataset import Corpus, split_dataset
from hf_rumor.corpus.findings import describe
from hf_rumor.corpus.near_duplicates import NearDuplicates, find_near_duplicates
from hf_rumor.corpus.post import LABEL_NAMES
from hf_rumor.corpus.splits import SPLITS
from hf_rumor.corpus.values import CHINA
from hf_rumor.errors import CorpusError


UNKNOWN_YEAR = "unknown"


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
        leakage: For each split: test posts, and those with a near-duplicate in training or validation.
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
    leakage: dict[str, dict[str, int | str]]
    artefacts: dict[str, float]
    majority: float


def audit_corpus(corpus: Corpus, split_seed: int) -> Audit:
    """Audit a corpus; the splits are cut with `split_seed`."""
    posts = corpus.posts
    labels = np.asarray(posts["label"][:])
    near_duplicates = find_near_duplicates(posts["text"][:])
    counts = np.bincount(labels, minlength=len(LABEL_NAMES))
    return Audit(
        path=str(corpus.path),
        sha256=corpus.sha256,
        findings=describe(corpus.findings),
        posts={name: int(count) for name, count in zip(LABEL_NAMES, counts, strict=True)},
        lengths=_lengths(posts["text"][:], labels),
        years=_years(posts["posted_at"][:], labels),
        near_duplicates=_near_duplicates(near_duplicates, labels),
        leakage={name: _leakage(name, posts, near_duplicates, split_seed) for name in SPLITS},
        artefacts=_artefacts(posts, labels),
        majority=float(counts.max() / counts.sum()),
    )


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
    return {"test": len(split.test), "leaking": len(near_duplicates.leaking(split.test, split.development()))}


def _artefacts(posts: Dataset, labels: Any) -> dict[str, float]:
    """Return the 5-fold accuracy of a logistic regression on each piece of metadata, and on all of them together.

    Far above `majority`, it says how the corpus was collected, not what a rumor is.
    """
    hours = [-1 if time is None else datetime.fromtimestamp(time, CHINA).hour for time in posts["posted_at"][:]]
    reposts = [int(np.log2(1 + count)) for count in posts["num_reposts"][:]]
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


def to_text(audit: Audit) -> str:
    """Return the audit for people."""
    rumor, non_rumor = LABEL_NAMES[1], LABEL_NAMES[0]
    near = audit.near_duplicates
    lines = [
        f"{audit.path}  SHA-256 {audit.sha256}",
        f"posts: {audit.posts[rumor]:,} rumor, {audit.posts[non_rumor]:,} non-rumor",
        *(f"  {line}" for line in audit.findings),
        "",
        "characters per post      mean  median     p95     max",
        *(
            f"  {name:<18} {of['mean']:8.0f}{of['median']:8.0f}{of['p95']:8.0f}{of['max']:8.0f}"
            for name, of in audit.lengths.items()
        ),
        "",
        "year                    rumor  non-rumor",
        *(f"  {year:<18} {of[rumor]:8,}   {of[non_rumor]:8,}" for year, of in audit.years.items()),
        "",
        "near-duplicates (character 5-gram Jaccard of 0.5 or more)",
        f"  {near['groups']:,} groups, the largest of {near['largest']:,} posts; in groups: {near['posts'][rumor]:,} "
        f"rumors, {near['posts'][non_rumor]:,} non-rumors; {near['exact_copies']:,} exact copies",
        "",
        "test posts with a near-duplicate in training, by --split",
        *(f"  {name:<18} {_leakage_text(of)}" for name, of in audit.leakage.items()),
        "",
        f"accuracy of guessing the label without the text (always the same label: {audit.majority:.3f})",
        *(f"  {name:<34} {accuracy:.3f}" for name, accuracy in audit.artefacts.items()),
        "  Far above the first number, it shows how the corpus was collected, not what a rumor is.",
    ]
    return "\n".join(lines)


def _leakage_text(of: dict[str, Any]) -> str:
    if "not_possible" in of:
        return f"not possible: {of['not_possible']}"
    return f"{of['leaking']:,} of {of['test']:,} ({of['leaking'] / of['test']:.1%})"
