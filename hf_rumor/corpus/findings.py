"""What was odd in a corpus: counted while reading and cleaning, told in plain words."""

import os
from collections import Counter


Findings = Counter[str]  # finding -> how often

NUM_NAMES = 3  # of skipped files

DESCRIPTIONS = {
    "hidden_files": "hidden files skipped (leftovers of macOS)",
    "other_files": "files skipped: not part of the CED layout",
    "files_in_gb18030": "files read as GB18030, not UTF-8",
    "labels_true_or_false": "labels say true or false; true is read as rumor (where it is a true story, turn them)",
    "posts_without_label": "posts left out: no repost file, hence no label",
    "posts_under_both_labels": "posts left out: repost files under both labels",
    "reposts_without_post": "repost files skipped: the post is not there",
    "times_as_text": "posts whose time is written out as text (read all the same)",
    "times_unreadable": "posts whose time cannot be read (kept, time unknown)",
    "authors_missing": "posts without an author record",
    "repost_dates_unreadable": "reposts whose date cannot be read (kept, put last)",
    "reposts_without_text": "reposts without a text (kept)",
    "empty_texts": "posts left out: empty text",
    "duplicate_ids": "posts left out: id seen before (the first is kept)",
    "conflicting_labels": "posts left out: the same text under both labels (all of them)",
}


def describe(findings: Findings) -> list[str]:
    """Return one line for each finding that occurred, in the order of `DESCRIPTIONS`."""
    return [
        f"{findings[key]:,} {words}{_names(findings, key)}" for key, words in DESCRIPTIONS.items() if findings[key]
    ]


def without_names(findings: Findings) -> Findings:
    """Return the counts alone: names of skipped files may be about people, or private."""
    return Findings({finding: count for finding, count in findings.items() if ": " not in finding})


def note_file(findings: Findings, finding: str, name: str) -> None:
    """Count `finding`, and keep the name of the file, as it can be printed, if it is among the first few."""
    if findings[finding] < NUM_NAMES:
        findings[f"{finding}: {os.fsencode(name).decode('utf-8', 'replace')}"] += 1
    findings[finding] += 1


def _names(findings: Findings, finding: str) -> str:
    names = [key.removeprefix(f"{finding}: ") for key in findings if key.startswith(f"{finding}: ")]
    more = ", ..." if findings[finding] > len(names) else ""
    return f": {', '.join(names)}{more}" if names else ""
