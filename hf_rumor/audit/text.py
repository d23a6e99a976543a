"""An audit as text, and as tables for a spreadsheet."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset

from hf_rumor.audit.audit import Audit, Audited, conflicting_groups
from hf_rumor.audit.giveaways import Giveaway
from hf_rumor.audit.label_errors import LabelErrors
from hf_rumor.corpus.near_duplicates import THRESHOLD, NearDuplicates, jaccard
from hf_rumor.corpus.normalization import normalize
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.util.files import write_csv


NUM_PIECES = 8  # giveaways per label in the text


def to_text(audit: Audit) -> str:
    """Return the audit as text."""
    non_rumor, rumor = LABEL_NAMES
    near = audit.near_duplicates
    lines = [
        f"{audit.path}  SHA-256 {audit.sha256}",
        f"posts: {audit.posts[rumor]:,} rumor, {audit.posts[non_rumor]:,} non-rumor",
        *(f"  {line}" for line in audit.findings),
        "",
        "characters per post      mean  median     p95     max",
        *(
            f"  {name:<18} {row['mean']:8.0f}{row['median']:8.0f}{row['p95']:8.0f}{row['max']:8.0f}"
            for name, row in audit.lengths.items()
        ),
        "",
        "year                    rumor  non-rumor",
        *(f"  {year:<18} {row[rumor]:8,}   {row[non_rumor]:8,}" for year, row in audit.years.items()),
        "",
        f"near-duplicates (character 5-gram Jaccard of {THRESHOLD} or more)",
        f"  groups: {near['groups']:,} (largest: {near['largest']:,} posts); posts in groups: "
        f"{near['posts'][rumor]:,} rumors, {near['posts'][non_rumor]:,} non-rumors; exact copies: "
        f"{near['exact_copies']:,}",
        f"  groups with both labels: {audit.conflicts['groups']:,}; posts skipped because their exact text has both: "
        f"{audit.conflicts['posts_left_out']:,}",
        "",
        "test posts with a near-duplicate in training, and with an author who has posts there, by --split",
        *(
            f"  {name:<18} {_leakage_text(row)}"
            for name, row in audit.leakage.items()
            if name != "column" or "leaking" in row  # not listed for a corpus without parts
        ),
        "",
        *_giveaway_lines(audit),
        "",
        *_label_error_lines(audit),
        "",
        f"accuracy of predicting the label without the text (majority class: {audit.majority:.3f})",
        *(f"  {name:<34} {accuracy:.3f}" for name, accuracy in audit.artefacts.items()),
        "  An accuracy far above that of the majority class shows how the corpus was collected, not what a rumor is.",
    ]
    return "\n".join(lines)


def _leakage_text(row: dict[str, Any]) -> str:
    if "not_possible" in row:
        return f"not possible: {row['not_possible']}"
    authors = _share(row["author_elsewhere"], row["author_known"]) if row["author_known"] else "unknown"
    return f"{_share(row['leaking'], row['test']):<22} authors: {authors}"


def _share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({part / whole:.1%})"


def _giveaway_lines(audit: Audit) -> list[str]:
    lines = ["characters and words that reveal the label (rumors and non-rumors with it; near-duplicates count once)"]
    for name in reversed(LABEL_NAMES):
        pieces = [
            f"{readable(giveaway.piece)} ({giveaway.num_rumors:,}, {giveaway.num_non_rumors:,})"
            for giveaway in audit.giveaways
            if giveaway.label == name
        ]
        lines.append(f"  {name:<18} {'  '.join(pieces[:NUM_PIECES]) or 'none'}")
    strongest = max(audit.giveaways, key=lambda giveaway: giveaway.accuracy, default=None)
    if strongest:
        lines.append(
            f"  Accuracy of the strongest one alone ({readable(strongest.piece)}): {strongest.accuracy:.1%}; majority "
            f"class: {strongest.majority:.1%}."
        )
    return lines


def readable(piece: str) -> str:
    """Return `piece` with unprintable characters as code points.

    >>> readable("看\\u200b")
    '看U+200B'
    """
    return "".join(letter if letter.isprintable() else f"U+{ord(letter):04X}" for letter in piece)


def _label_error_lines(audit: Audit) -> list[str]:
    errors = audit.label_errors
    if "not_looked_for" in errors:
        return [f"likely label errors: not checked: {errors['not_looked_for']}"]
    lines = [f"likely label errors: {errors['likely']:,} (by a model that was not trained on the post or a copy)"]
    return lines + ([f"  most doubtful: {', '.join(errors['most_doubtful'][:3])}"] if errors["likely"] else [])


def failures(audit: Audit, split: str, kinds: Sequence[str]) -> list[str]:
    """Return one line for each of the `kinds` (`leakage` of the split, `conflicts`) that the corpus has."""
    leakage, conflicts = audit.leakage[split], audit.conflicts
    problems = {}
    if "not_possible" in leakage:
        problems["leakage"] = f"--split {split} is not possible: {leakage['not_possible']}"
    elif leakage["leaking"]:
        problems["leakage"] = (
            f"{leakage['leaking']:,} of {leakage['test']:,} test posts of --split {split} have a near-duplicate in "
            "training"
        )
    if any(conflicts.values()):
        problems["conflicts"] = (
            f"{conflicts['groups']:,} near-duplicate groups have both labels, {conflicts['posts_left_out']:,} posts "
            "were skipped because their exact text has both"
        )
    return [f"{kind}: {problems[kind]}" for kind in kinds if kind in problems]


def write_tables(audited: Audited, posts: Dataset, folder: Path) -> list[Path]:
    """Write the near-duplicates, the giveaways and the doubtful labels as CSV; return the files."""
    tables = {"near_duplicates.csv": _group_rows(audited.near_duplicates, posts)}
    tables["giveaways.csv"] = _giveaway_rows(audited.audit.giveaways)
    if audited.label_errors:
        tables["label_errors.csv"] = _doubt_rows(audited.label_errors, posts)
    for name, rows in tables.items():
        header, *body = rows
        write_csv(folder / name, header, body, for_people=True)
    return [folder / name for name in tables]


def _group_rows(near_duplicates: NearDuplicates, posts: Dataset) -> Iterator[Sequence[Any]]:
    """Yield the header, and the posts of each group of two or more, the largest group first."""
    yield "group", "both_labels", "id", "label", "similarity_to_first", "text"
    groups, labels = near_duplicates.groups, np.asarray(posts["label"][:])
    ids, texts = posts["id"][:], posts["text"][:]
    sizes = np.bincount(groups)
    conflicting = set(conflicting_groups(near_duplicates, labels).tolist())
    members = np.split(np.argsort(groups, kind="stable"), np.cumsum(sizes)[:-1])
    for number, group in enumerate(np.argsort(-sizes, kind="stable")[: (sizes > 1).sum()], 1):
        has_both = "yes" if group in conflicting else "no"
        first = normalize(texts[members[group][0]])
        for position in members[group]:
            similarity = f"{jaccard(first, normalize(texts[position])):.2f}"
            yield number, has_both, ids[position], LABEL_NAMES[labels[position]], similarity, texts[position]


def _giveaway_rows(giveaways: Sequence[Giveaway]) -> Iterator[Sequence[Any]]:
    yield "label", "piece", "rumors", "non_rumors", "accuracy_alone"
    for row in giveaways:
        yield row.label, readable(row.piece), row.num_rumors, row.num_non_rumors, f"{row.accuracy:.4f}"


def _doubt_rows(errors: LabelErrors, posts: Dataset) -> Iterator[Sequence[Any]]:
    """Yield the header, and every post, the most doubtful label first."""
    yield "rank", "likely_error", "id", "label", "probability_of_label", "text"
    ids, texts, labels = posts["id"][:], posts["text"][:], posts["label"][:]
    for rank, position in enumerate(errors.order):
        probability = f"{errors.probability_of_label[position]:.4f}"
        likely = "yes" if rank < errors.num_likely else "no"
        yield rank + 1, likely, ids[position], LABEL_NAMES[labels[position]], probability, texts[position]
