"""One corpus from several: near-duplicates and labels across sources."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hf_rumor.corpus.findings import Findings
from hf_rumor.corpus.near_duplicates import Indices, NearDuplicates, find_near_duplicates


logger = logging.getLogger(__name__)

MIN_VOTES = 10  # near-duplicates that exchange the labels of a source
MAX_AGREEING = 0.2  # of these, at most such a share has the same label


@dataclass(frozen=True)
class Part:
    """The posts of one source."""

    name: str
    texts: Sequence[str]
    labels: Indices  # 0 or 1
    by_convention: bool  # whether the meaning of the labels was assumed, as for a bare 1


@dataclass(frozen=True)
class Merged:
    """What remains of the posts of one source."""

    kept: Indices  # positions
    is_exchanged: bool  # whether 0 means rumor, not 1
    findings: Findings


def merge(parts: Sequence[Part], *, keep_copies: bool = False) -> tuple[list[Merged], NearDuplicates]:
    """Decide which posts of each source are kept, and what its labels mean.

    Of near-duplicates in several sources, the posts of the first source are kept. Those within a source all stay.

    Args:
        parts: The sources.
        keep_copies: Whether to keep all posts.

    Returns:
        What remains of each source, and the near-duplicates among the posts that are kept, one source after another.
    """
    near_duplicates = find_near_duplicates([text for part in parts for text in part.texts])
    ends = np.cumsum([len(part.texts) for part in parts])
    places = [np.arange(end - len(part.texts), end) for end, part in zip(ends, parts, strict=True)]
    labels = np.concatenate([part.labels for part in parts])
    is_exchanged = _exchange_labels(parts, places, labels, near_duplicates)
    merged, earlier = [], places[0][:0]
    for place, exchanged in zip(places, is_exchanged, strict=True):
        copies = near_duplicates.leaking(place, earlier)
        findings = Findings()
        findings["labels_exchanged"] += exchanged * len(place)
        findings["copies_with_other_label"] += count_votes(near_duplicates, labels, place, earlier)[1]
        findings["copies_kept" if keep_copies else "copies_dropped"] += len(copies)
        kept = place if keep_copies else np.setdiff1d(place, copies)
        earlier = np.concatenate([earlier, kept])
        merged.append(Merged(kept - place[0], exchanged, findings))
    return merged, near_duplicates.among(earlier)


def _exchange_labels(
    parts: Sequence[Part], places: Sequence[Indices], labels: Indices, near_duplicates: NearDuplicates
) -> list[bool]:
    """Swap the labels of sources that contradict their near-duplicates elsewhere, in place; return which ones."""
    clear = [place for place, part in zip(places, parts, strict=True) if not part.by_convention]
    known = np.concatenate([places[0][:0], *clear])
    is_exchanged = []
    for place, part in zip(places, parts, strict=True):
        same, other = count_votes(near_duplicates, labels, place, known) if part.by_convention else (0, 0)
        is_exchanged.append(other >= MIN_VOTES and same <= MAX_AGREEING * (same + other))
        if is_exchanged[-1]:
            labels[place] = 1 - labels[place]
            logger.warning(
                "labels: %s: 0 = rumor, 1 = non-rumor, since %d of %d near-duplicates in other sources have the "
                "opposite label; --label_map overrides this",
                *(part.name, other, same + other),
            )
    return is_exchanged


def count_votes(
    near_duplicates: NearDuplicates, labels: Indices, held_out: Indices, others: Indices
) -> tuple[int, int]:
    """Return how many of the `held_out` posts have a near-duplicate with the same label, and with the other one."""
    same = other = 0
    for label in (0, 1):
        near = near_duplicates.leaking(held_out, others[labels[others] == label])
        same += int((labels[near] == label).sum())
        other += int((labels[near] != label).sum())
    return same, other
