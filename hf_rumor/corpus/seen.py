"""Save which posts a model has seen, as digests and MinHash sketches that do not reveal the texts.

A post counts as seen if its normalized text, or a near-duplicate, was in the training or validation set of the run
that trained the model, or of an earlier run that the model continues. Near-duplicates are detected by the Jaccard
similarity, which is estimated from the sketches (Broder, 1997, https://doi.org/10.1109/SEQUEN.1997.666900) with a
standard error of 0.045 at the threshold of 0.5.
"""

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hf_rumor.corpus.near_duplicates import BANDS, ROWS, THRESHOLD, sketch
from hf_rumor.corpus.normalization import normalize
from hf_rumor.errors import ModelError
from hf_rumor.util.files import written_whole


SEEN_FILE = "seen_posts.npz"


@dataclass(frozen=True)
class SeenPosts:
    """The distinct normalized texts that a model has seen."""

    digests: NDArray[np.uint64]  # (num_texts,): 64 bits of the SHA-256 of each text, sorted
    sketches: NDArray[np.uint16]  # (num_texts, BANDS * ROWS): lower 16 bits of the MinHash values
    is_trained: NDArray[np.bool_]  # (num_texts,): False for validation posts

    @cached_property
    def bands(self) -> list[tuple[NDArray[np.uint64], NDArray[np.int64]]]:
        """For each band, the sorted keys and the positions of their texts."""
        all_keys = [_band_keys(self.sketches, band) for band in range(BANDS)]
        orders = [np.argsort(keys, kind="stable") for keys in all_keys]
        return [(keys[order], order) for keys, order in zip(all_keys, orders, strict=True)]


def seen_posts(
    training: Sequence[str], validation: Sequence[str], sketches: NDArray[np.uint32] | None = None
) -> SeenPosts:
    """Return the posts that a model with these training and validation texts has seen.

    Args:
        training: Texts.
        validation: Texts.
        sketches: Of the texts, training posts first, if they are known. *Shape:* `(num_texts, BANDS * ROWS)`.
    """
    texts = [normalize(text) for text in (*training, *validation)]
    values = _lower_bits(sketch(texts) if sketches is None else sketches)
    return merge([SeenPosts(_digests(texts), values, np.arange(len(texts)) < len(training))])


def merge(parts: Sequence[SeenPosts]) -> SeenPosts:
    """Return the union; `is_trained` is true if it is in any part."""
    whole = SeenPosts(
        np.concatenate([part.digests for part in parts]),
        np.concatenate([part.sketches for part in parts]),
        np.concatenate([part.is_trained for part in parts]),
    )
    order = np.lexsort((~whole.is_trained, whole.digests))  # of equal texts, training posts come first
    return _select(whole, order[np.unique(whole.digests[order], return_index=True)[1]])


def _select(seen: SeenPosts, positions: NDArray[np.int64]) -> SeenPosts:
    return SeenPosts(seen.digests[positions], seen.sketches[positions], seen.is_trained[positions])


def find_seen(texts: Sequence[str], seen: SeenPosts, *, trained_only: bool = False) -> NDArray[np.bool_]:
    """Return whether each text, or a near-duplicate of it, was seen (`trained_only`: as a training post)."""
    if trained_only:
        seen = _select(seen, np.flatnonzero(seen.is_trained))
    texts = [normalize(text) for text in texts]
    sketches = _lower_bits(sketch(texts))
    is_seen = np.isin(_digests(texts), seen.digests)
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
    """Return the posts that the model in `folder` has seen; None if unknown.

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
        raise ModelError(f"{path}: not a file of seen posts ({error}). Restore or remove it.") from error
    if seen.sketches.shape != (len(seen.digests), BANDS * ROWS) or seen.is_trained.shape != seen.digests.shape:
        raise ModelError(f"{path}: the shapes of its arrays do not match. Restore or remove it.")
    return seen


def _digests(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Return the digests of normalized texts, as in `SeenPosts`."""
    return np.frombuffer(b"".join(hashlib.sha256(text.encode()).digest()[:8] for text in texts), dtype=np.uint64)


def _lower_bits(sketches: NDArray[np.uint32]) -> NDArray[np.uint16]:
    return sketches.astype(np.uint16)


def _band_keys(sketches: NDArray[np.uint16], band: int) -> NDArray[np.uint64]:
    """Return the three values of a band as one number. *Shape:* `(num_texts,)`."""
    values = sketches[:, band * ROWS : (band + 1) * ROWS].astype(np.uint64)
    return values[:, 0] << np.uint64(32) | values[:, 1] << np.uint64(16) | values[:, 2]
