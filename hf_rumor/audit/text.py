"""An audit for people: as text, and as tables to open in a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset

from hf_rumor.audit.audit import Audit, Audited, conflicting_groups
from hf_rumor.audit.giveaways import Giveaway
from hf_rumor.corpus.near_duplicates import THRESHOLD, jaccard
from hf_rumor.corpus.normalization import normalise
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.util.files import written_whole


NUM_PIECES = 8  # of each label, in the text


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
        f"near-duplicates (character 5-gram Jaccard of {THRESHOLD} or more)",
        f"  {near['groups']:,} groups, the largest of {near['largest']:,} posts; in groups: {near['posts'][rumor]:,} "
        f"rumors, {near['posts'][non_rumor]:,} non-rumors; {near['exact_copies']:,} exact copies",
        f"  groups with both labels: {audit.conflicts['groups']:,}; posts left out because their very text has both: "
        f"{audit.conflicts['posts_left_out']:,}",
        "",
        "test posts with a near-duplicate in training, and with an author who has posts there, by --split",
        *(
            f"  {name:<18} {_leakage_text(of)}"
            for name, of in audit.leakage.items()
            if name != "column" or "leaking" in of  # few corpora name parts
        ),
        "",
        *_giveaway_lines(audit),
        "",
        *_label_error_lines(audit),
        "",
        f"accuracy of guessing the label without the text (always the same label: {audit.majority:.3f})",
        *(f"  {name:<34} {accuracy:.3f}" for name, accuracy in audit.artefacts.items()),
        "  Far above the first number, it shows how the corpus was collected, not what a rumor is.",
    ]
    return "\n".join(lines)


def _leakage_text(of: dict[str, Any]) -> str:
    if "not_possible" in of:
        return f"not possible: {of['not_possible']}"
    leaking = f"{of['leaking']:,} of {of['test']:,} ({of['leaking'] / of['test']:.1%})"
    known = of["author_known"]
    authors = f"{of['author_elsewhere']:,} of {known:,} ({of['author_elsewhere'] / known:.1%})" if known else "unknown"
    return f"{leaking:<22} authors: {authors}"


def _giveaway_lines(audit: Audit) -> list[str]:
    lines = ["characters and words that give the label away (rumors, non-rumors with it; near-duplicates count once)"]
    for name in reversed(LABEL_NAMES):
        told = [_piece(giveaway) for giveaway in audit.giveaways if giveaway.label == name][:NUM_PIECES]
        lines.append(f"  {name:<18} {'  '.join(told) or 'none'}")
    strongest = max(audit.giveaways, key=lambda giveaway: giveaway.accuracy, default=None)
    if strongest:
        lines.append(
            f"  The strongest alone, {readable(strongest.piece)}, guesses {strongest.accuracy:.1%} right; always the "
            f"same label, {strongest.majority:.1%}."
        )
    return lines


def _piece(giveaway: Giveaway) -> str:
    return f"{readable(giveaway.piece)} ({giveaway.num_rumors:,}, {giveaway.num_non_rumors:,})"


def readable(piece: str) -> str:
    """Return `piece` with characters that do not show written as their code points.

    >>> readable("看\\u200b")
    '看U+200B'
    """
    return "".join(letter if letter.isprintable() else f"U+{ord(letter):04X}" for letter in piece)


def _label_error_lines(audit: Audit) -> list[str]:
    found = audit.label_errors
    if "not_looked_for" in found:
        return [f"likely label errors: not looked for: {found['not_looked_for']}"]
    lines = [f"likely label errors: {found['likely']:,} (a model that did not see the post or a copy is against them)"]
    return lines + ([f"  most doubtful: {', '.join(found['most_doubtful'][:3])}"] if found["likely"] else [])


def failures(audit: Audit, split: str, kinds: Sequence[str]) -> list[str]:
    """Return one line for each of the `kinds` of faults that the corpus has.

    Args:
        audit: Of the corpus.
        split: Whose test posts must not leak.
        kinds: Out of `leakage`, `conflicts`.
    """
    leakage, conflicts = audit.leakage[split], audit.conflicts
    found = {"leakage": "", "conflicts": ""}
    if "not_possible" in leakage:
        found["leakage"] = f"--split {split} is not possible: {leakage['not_possible']}"
    elif leakage["leaking"]:
        found["leakage"] = (
            f"{leakage['leaking']:,} of {leakage['test']:,} test posts of --split {split} have a near-duplicate in "
            "training"
        )
    if any(conflicts.values()):
        found["conflicts"] = (
            f"{conflicts['groups']:,} groups of near-duplicates hold both labels, {conflicts['posts_left_out']:,} "
            "posts were left out because their very text has both"
        )
    return [f"{kind}: {found[kind]}" for kind in kinds if found[kind]]


def write_tables(audited: Audited, posts: Dataset, folder: Path) -> list[Path]:
    """Write the near-duplicates, the giveaways and the doubtful labels as CSV; return the files.

    Raises:
        OSError: The folder cannot be written.
    """
    groups = ("group", "both_labels", "id", "label", "similarity_to_first", "text")
    tables: dict[str, tuple[Sequence[str], Iterable[Sequence[Any]]]] = {
        "near_duplicates.csv": (groups, _group_rows(audited, posts)),
        "giveaways.csv": (
            ("label", "piece", "rumors", "non_rumors", "accuracy_alone"),
            [
                (of.label, readable(of.piece), of.num_rumors, of.num_non_rumors, f"{of.accuracy:.4f}")
                for of in audited.audit.giveaways
            ],
        ),
    }
    if audited.label_errors:
        doubts = ("rank", "likely_error", "id", "label", "probability_of_label", "text")
        tables["label_errors.csv"] = (doubts, _doubt_rows(audited, posts))
    for name, (header, rows) in tables.items():
        with (
            written_whole(folder / name) as part,
            part.open("w", encoding="utf-8-sig", newline="") as file,  # spreadsheets need the mark to see UTF-8
        ):
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows([_safe(value) for value in row] for row in rows)
    return [folder / name for name in tables]


def _safe(value: Any) -> Any:
    """Keep a spreadsheet from taking the text of a post for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _group_rows(audited: Audited, posts: Dataset) -> Iterator[Sequence[Any]]:
    """Yield the posts of each group of two and more, the largest group first."""
    groups, labels = audited.near_duplicates.groups, np.asarray(posts["label"][:])
    ids, texts = posts["id"][:], posts["text"][:]
    sizes = np.bincount(groups)
    both = set(conflicting_groups(audited.near_duplicates, labels).tolist())
    of_group = np.split(np.argsort(groups, kind="stable"), np.cumsum(sizes)[:-1])
    for number, group in enumerate(np.argsort(-sizes, kind="stable")[: (sizes > 1).sum()], 1):
        first, *_ = members = of_group[group]
        for position in members:
            similarity = jaccard(normalise(texts[first]), normalise(texts[position]))
            told = ("yes" if group in both else "no", ids[position], LABEL_NAMES[labels[position]])
            yield (number, *told, f"{similarity:.2f}", texts[position])


def _doubt_rows(audited: Audited, posts: Dataset) -> Iterator[Sequence[Any]]:
    """Yield every post, the most doubtful label first."""
    errors, ids, texts, labels = audited.label_errors, posts["id"][:], posts["text"][:], posts["label"][:]
    if errors is None:
        return
    for rank, position in enumerate(errors.order):
        probability = f"{errors.probability_of_label[position]:.4f}"
        likely = "yes" if rank < errors.num_likely else "no"
        yield rank + 1, likely, ids[position], LABEL_NAMES[labels[position]], probability, texts[position]
