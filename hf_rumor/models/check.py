"""Check that a saved folder reproduces the reported probabilities, which the model in memory computed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from hf_rumor.corpus.post import Post
from hf_rumor.errors import RunError
from hf_rumor.labels import rumor_probabilities
from hf_rumor.models.logits import predict_logits
from hf_rumor.models.trained import load_classifier


TOLERANCE = 1e-5  # of a probability


def check_saved(folder: Path, posts: Sequence[Post], expected_probabilities: ArrayLike) -> None:
    """Load a finished folder, without the optimizations for CPUs, and compare its probabilities with those reported.

    Raises:
        RunError: They differ by more than `TOLERANCE`.
    """
    model, tokenizer, facts = load_classifier(str(folder))
    probabilities = rumor_probabilities(predict_logits(model, tokenizer, posts, facts.inputs), facts.activation)
    difference = float(np.abs(probabilities - np.asarray(expected_probabilities)).max(initial=0.0))
    if not difference <= TOLERANCE:
        raise RunError(
            f"{folder}: the saved model does not reproduce the reported probabilities (they differ by up to "
            f"{difference:.2g} on {len(posts)} test posts). Do not use it; train again with --calibration none."
        )
