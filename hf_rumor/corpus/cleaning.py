"""Decide which posts of a corpus are kept, by one rule.

A post is left out if it says nothing (empty text), repeats (an id seen before), or contradicts (its text stands under
both labels: nobody can tell which is right, so all of them go). Equal texts under one label stay; the `grouped` split
keeps them together.
"""

from collections.abc import Sequence

from hf_rumor.corpus.findings import Findings
from hf_rumor.corpus.near_duplicates import normalise


def posts_to_keep(ids: Sequence[str], texts: Sequence[str], labels: Sequence[int]) -> tuple[list[int], Findings]:
    """Return the positions of the posts to keep, in order, and the counts of those left out.

    Args:
        ids: Id of each post.
        texts: Text of each post.
        labels: 0 (non-rumor) or 1 (rumor) of each post.
    """
    findings = Findings()
    seen: set[str] = set()
    readable = []
    for position, (post_id, text) in enumerate(zip(ids, texts, strict=True)):
        if not text:
            findings["empty_texts"] += 1
        elif post_id in seen:
            findings["duplicate_ids"] += 1
        else:
            seen.add(post_id)
            readable.append(position)
    labels_of_text: dict[str, set[int]] = {}
    for position in readable:
        labels_of_text.setdefault(normalise(texts[position]), set()).add(labels[position])
    kept = [position for position in readable if len(labels_of_text[normalise(texts[position])]) == 1]
    findings["conflicting_labels"] += len(readable) - len(kept)
    return kept, findings
