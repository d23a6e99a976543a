"""Decide which posts of a corpus are kept.

A post is skipped if its text is empty, if it is a copy (same id, text and label as another post), or if its text
occurs under both labels, since the right one is unknown. Equal texts under one label stay; the `grouped` split keeps
them together. Different texts with the same id, such as an id rounded by a spreadsheet, stay with new ids.
"""

import hashlib
from collections.abc import Sequence

from hf_rumor.corpus.findings import Findings


def clean_posts(
    ids: Sequence[str], texts: Sequence[str], labels: Sequence[int]
) -> tuple[list[int], list[str], Findings]:
    """Return the positions of the posts to keep, in order, the ids of all posts, and what was skipped or changed.

    Args:
        ids: Id of each post.
        texts: Normalized text of each post.
        labels: 0 (non-rumor) or 1 (rumor) of each post.
    """
    findings = Findings()
    seen: set[tuple[str, str, int]] = set()
    labels_of_text: dict[str, set[int]] = {}
    unique = []
    for position, post in enumerate(zip(ids, texts, labels, strict=True)):
        if not post[1]:
            findings["empty_texts"] += 1
        elif post in seen:
            findings["duplicate_ids"] += 1
        else:
            seen.add(post)
            labels_of_text.setdefault(post[1], set()).add(post[2])
            unique.append(position)
    kept = [position for position in unique if len(labels_of_text[texts[position]]) == 1]
    findings["conflicting_labels"] += len(unique) - len(kept)
    return kept, _unique_ids(list(ids), texts, kept, findings), findings


def _unique_ids(ids: list[str], texts: Sequence[str], kept: list[int], findings: Findings) -> list[str]:
    """Append the digest of the text to all but one of equal ids. The result does not depend on the order of posts."""
    owners: dict[str, list[int]] = {}
    for position in kept:
        owners.setdefault(ids[position], []).append(position)
    used = set(ids)
    for post_id, positions in owners.items():
        if len(positions) == 1:
            continue
        findings["shared_ids"] += len(positions)
        for position in sorted(positions, key=lambda position: texts[position])[1:]:
            digest = hashlib.sha256(texts[position].encode("utf-8")).hexdigest()
            candidates = (f"{post_id}#{digest[:length]}" for length in range(8, len(digest) + 1))
            ids[position] = next(candidate for candidate in candidates if candidate not in used)
            used.add(ids[position])
    return ids
