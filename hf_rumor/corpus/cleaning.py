"""Decide which posts of a corpus are kept.

A post is skipped if its text is empty, if it is a copy (id, text and label of another post), or if its text occurs
under both labels: nobody can know which is right, so all of these posts go. Equal texts under one label stay; the
`grouped` split keeps them together. An id is trusted less than the text: different texts with one id (as after
rounding by a spreadsheet) stay, all but one of them with an id of their own.
"""

import hashlib
from collections.abc import Sequence

from hf_rumor.corpus.findings import Findings
from hf_rumor.corpus.normalization import normalise


def clean_posts(
    ids: Sequence[str], texts: Sequence[str], labels: Sequence[int]
) -> tuple[list[int], list[str], Findings]:
    """Return the positions of the posts to keep, in order, the ids of all posts, and the counts of what was done.

    Args:
        ids: Id of each post.
        texts: Text of each post.
        labels: 0 (non-rumor) or 1 (rumor) of each post.
    """
    findings = Findings()
    normalised = [normalise(text) for text in texts]
    seen: set[tuple[str, str, int]] = set()
    readable = []
    for position, post in enumerate(zip(ids, normalised, labels, strict=True)):
        if not post[1]:
            findings["empty_texts"] += 1
        elif post in seen:
            findings["duplicate_ids"] += 1
        else:
            seen.add(post)
            readable.append(position)
    labels_of_text: dict[str, set[int]] = {}
    for position in readable:
        labels_of_text.setdefault(normalised[position], set()).add(labels[position])
    kept = [position for position in readable if len(labels_of_text[normalised[position]]) == 1]
    findings["conflicting_labels"] += len(readable) - len(kept)
    return kept, _unique_ids(list(ids), normalised, kept, findings), findings


def _unique_ids(ids: list[str], texts: list[str], kept: list[int], findings: Findings) -> list[str]:
    """Return the ids, with the digest of the text behind an id that another text has; in any order of the posts."""
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
