"""Counts of oddities in a corpus, and their descriptions."""

from collections import Counter
from collections.abc import Callable


Findings = Counter[str]  # finding -> how often; "finding: example" -> 1

NUM_EXAMPLES = 3  # of each finding

DESCRIPTIONS = {
    "hidden_files": "hidden files skipped (leftovers of macOS)",
    "other_files": "files skipped: not part of the corpus",
    "files_in_gb18030": "files read as GB18030, not UTF-8",
    "columns_unused": "columns that are not used",
    "known_corpora": "public corpora recognized",
    "labels_as_answers": "posts whose label is an answer such as yes or 1",
    "labels_by_convention": "posts whose label is read by convention, since the corpus does not define it",
    "labels_mapped": "posts whose label is read with the label map",
    "labels_skipped": "posts skipped: the label map maps their label to null",
    "posts_without_label": "posts skipped: no repost file, hence no label",
    "posts_under_both_labels": "posts skipped: repost files under both labels",
    "events_without_file": "lines of Weibo.txt skipped: no file for the event",
    "reposts_without_post": "repost files skipped: no file for the post",
    "splits_unreadable": "posts whose split is not train, validation or test",
    "times_as_text": "posts whose time is written as text",
    "times_unreadable": "posts whose time cannot be read (kept, time unknown)",
    "authors_missing": "posts without an author record",
    "repost_dates_unreadable": "reposts whose date cannot be read (kept, put last)",
    "repost_years_missing": "reposts whose date has no year (the earliest possible date after the post is used)",
    "reposts_before_post": "reposts dated before their post (kept, not used)",
    "posts_with_reposts_without_time": "posts without a time, whose reposts cannot be used",
    "reposts_without_text": "reposts without a text (kept)",
    "ids_from_rows": "posts without an id: the line or row number is used",
    "ids_rounded": "posts whose id was rounded by a spreadsheet",
    "empty_texts": "posts skipped: empty text",
    "duplicate_ids": "posts skipped: copies (id and text seen before)",
    "shared_ids": "posts with the same id as a different post (kept under a new id)",
    "conflicting_labels": "posts skipped: the same text under both labels (all of them)",
    "labels_exchanged": "posts whose labels were swapped: near-duplicates in other sources have the opposite ones",
    "copies_dropped": "posts skipped: near-duplicates of posts in a source that was named earlier",
    "copies_kept": "posts with a near-duplicate in a source that was named earlier",
    "copies_with_other_label": "posts whose near-duplicate in another source has the other label",
}


def describe(findings: Findings, translate: Callable[[str], str] = str) -> list[str]:
    """Return one line for each finding that occurred, in the order of `DESCRIPTIONS`, whose words are translated."""
    return [
        f"{findings[key]:,} {translate(words)}{_examples(findings, key)}"
        for key, words in DESCRIPTIONS.items()
        if findings[key]
    ]


def without_names(findings: Findings) -> Findings:
    """Return the counts without the examples, which may name people or private paths; public corpora keep theirs."""
    return Findings(
        {
            finding: count
            for finding, count in findings.items()
            if ": " not in finding or finding.startswith("known_corpora: ")
        }
    )


def note(findings: Findings, finding: str, example: str) -> None:
    """Count `finding`; keep the first few different examples, in a printable form."""
    findings[finding] += 1
    key = f"{finding}: {' '.join(example.encode('utf-8', 'replace').decode('utf-8').split()):.100}"
    if key not in findings and sum(known.startswith(f"{finding}: ") for known in findings) < NUM_EXAMPLES:
        findings[key] = 1


def _examples(findings: Findings, finding: str) -> str:
    examples = [key.removeprefix(f"{finding}: ") for key in findings if key.startswith(f"{finding}: ")]
    more = ", ..." if len(examples) == NUM_EXAMPLES and findings[finding] > NUM_EXAMPLES else ""
    return f": {', '.join(examples)}{more}" if examples else ""
