"""Which posts a model has seen: digests and MinHash sketches in its folder, from which no text can be read.

A post counts as seen if its normalized text, or a near-duplicate of it, was in the training or validation part of the
run that made the model, or of a run that it was trained further from. Near-duplicates are found by the estimate of the
Jaccard similarity that the sketches give (Broder, 1997, https://doi.org/10.1109/SEQUEN.1997.666900), whose standard
error at the threshold of 0.5 is 0.045.
"""

import hashlib
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hf_rumor.corpus.near_duplicates import BANDS, ROWS, THRESHOLD, sketch
from hf_rumor.corpus.normalization import normalise
from hf_rumor.errors import ModelError
from hf_rumor.util.files import written_whole


SEEN_FILE = "seen_posts.npz"


@dataclass(frozen=True)
class SeenPosts:
    """The posts that a model has seen.

    Attributes:
        digests: 64 bits of the SHA-256 of each normalized text, sorted, each once. *Shape:* `(num_texts,)`.
        sketches: The lower 16 bits of its MinHash values. *Shape:* `(num_texts, 126)`.
        is_trained: Whether weights were fitted to it; else it was a validation post. *Shape:* `(num_texts,)`.
    """

    digests: NDArray[np.uint64]
    sketches: NDArray[np.uint16]
    is_trained: NDArray[np.bool_]

    @cached_property
    def bands(self) -> list[tuple[NDArray[np.uint64], NDArray[np.int64]]]:
        """The keys of each band, sorted, and the positions of their texts."""
        keys = [_band_keys(self.sketches, band) for band in range(BANDS)]
        orders = [np.argsort(of_band, kind="stable") for of_band in keys]
        return [(of_band[order], order) for of_band, order in zip(keys, orders, strict=True)]


def seen_posts(training: Sequence[str], validation: Sequence[str]) -> SeenPosts:
    """Return what a model has seen that was trained on these texts."""
    return merge(_make(texts, is_trained=trained) for texts, trained in ((training, True), (validation, False)))


def merge(parts: Iterable[SeenPosts]) -> SeenPosts:
    """Return the union; a post is trained on if it is in any part."""
    known = [*parts]
    whole = SeenPosts(
        np.concatenate([part.digests for part in known]),
        np.concatenate([part.sketches for part in known]),
        np.concatenate([part.is_trained for part in known]),
    )
    order = np.lexsort((~whole.is_trained, whole.digests))  # of equal texts, one that was trained on comes first
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = whole.digests[order][1:] != whole.digests[order][:-1]
    return _select(whole, order[is_first])


def _select(seen: SeenPosts, positions: NDArray[np.int64]) -> SeenPosts:
    return SeenPosts(seen.digests[positions], seen.sketches[positions], seen.is_trained[positions])


def find_seen(texts: Sequence[str], seen: SeenPosts, *, trained_only: bool = False) -> NDArray[np.bool_]:
    """Return whether each text, or a near-duplicate of it, was seen. *Shape:* `(num_texts,)`.

    Args:
        texts: Of posts.
        seen: By a model.
        trained_only: Leave validation posts of that model out.
    """
    if trained_only:
        seen = _select(seen, np.flatnonzero(seen.is_trained))
    normalized = [normalise(text) for text in texts]
    is_seen = np.isin(_digests(normalized), seen.digests)
    sketches = sketch(normalized).astype(np.uint16)
    for band, (keys_seen, order) in enumerate(seen.bands):
        keys = _band_keys(sketches, band)
        start, end = np.searchsorted(keys_seen, keys, side="left"), np.searchsorted(keys_seen, keys, side="right")
        for position in np.flatnonzero((end > start) & ~is_seen):
            candidates = seen.sketches[order[start[position] : end[position]]]
            is_seen[position] = (candidates == sketches[position]).mean(axis=1).max() >= THRESHOLD
    return is_seen


def write_seen(folder: Path, seen: SeenPosts) -> None:
    """Write `seen_posts.npz` into the folder of a model."""
    with written_whole(folder / SEEN_FILE) as part, part.open("wb") as file:
        np.savez(file, digests=seen.digests, sketches=seen.sketches, is_trained=seen.is_trained)


def read_seen(folder: Path) -> SeenPosts | None:
    """Return what the model in `folder` has seen; None if it is not known.

    Raises:
        ModelError: The file is corrupt.
    """
    path = folder / SEEN_FILE
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            seen = SeenPosts(arrays["digests"], arrays["sketches"], arrays["is_trained"])
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: this is not a file of seen posts ({error}). Restore or remove it.") from error
    if seen.sketches.shape != (len(seen.digests), BANDS * ROWS) or seen.is_trained.shape != seen.digests.shape:
        raise ModelError(f"{path}: the arrays do not belong together. Restore or remove it.")
    return seen


def _make(texts: Sequence[str], *, is_trained: bool) -> SeenPosts:
    normalized = list(map(normalise, texts))
    sketches = sketch(normalized).astype(np.uint16)  # the lower bits
    return SeenPosts(_digests(normalized), sketches, np.full(len(texts), is_trained))


def _digests(normalized: Sequence[str]) -> NDArray[np.uint64]:
    digests = b"".join(hashlib.sha256(text.encode()).digest()[:8] for text in normalized)
    return np.frombuffer(digests, dtype=np.uint64)


def _band_keys(sketches: NDArray[np.uint16], band: int) -> NDArray[np.uint64]:
    """Return the three values of a band as one number. *Shape:* `(num_texts,)`."""
    values = sketches[:, band * ROWS : (band + 1) * ROWS].astype(np.uint64)
    return values[:, 0] << np.uint64(32) | values[:, 1] << np.uint64(16) | values[:, 2]
