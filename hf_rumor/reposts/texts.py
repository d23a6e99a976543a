"""The text of a post -> the score of a linear model over tokens and pairs of tokens. Needs numpy only."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hf_rumor.reposts.tokens import token_ids


if TYPE_CHECKING:
    from tokenizers import Tokenizer

NUM_PAIRS = 1 << 16  # features of pairs of tokens, which share them by chance
MAX_TOKENS = 512
FACTOR = 1_000_003  # of the hash of a pair; prime


def text_features(texts: Sequence[str], tokenizer: "Tokenizer") -> list[NDArray[np.int64]]:
    """Return the features of each text: its tokens, then a hash of each two neighboring tokens."""
    size = tokenizer.get_vocab_size()
    features = []
    for tokens in token_ids(texts, tokenizer, MAX_TOKENS):
        ids = np.array(tokens, dtype=np.int64)
        features.append(np.concatenate([ids, size + (ids[:-1] * FACTOR + ids[1:]) % NUM_PAIRS]))
    return features


def text_score(features: NDArray[np.int64], idf: NDArray[np.float32], weights: NDArray[np.float32]) -> float:
    """Return the product of the weights with the TF-IDF of a text, with sublinear counts and length 1."""
    numbers, counts = np.unique(features, return_counts=True)
    values = (1 + np.log(counts)) * idf[numbers]
    return float(values @ weights[numbers]) / max(math.sqrt(values @ values), 1e-9)
