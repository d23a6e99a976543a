"""The scores of one post to which reposts are added as they arrive, in any order; as `part_scores`, up to rounding."""

import math

import numpy as np

from hf_rumor.reposts.model import Weights, bucket_of, embed, read_member, score_member
from hf_rumor.reposts.tokens import Reposts


class RunningScores:
    """Sums over the reposts of a post, from which its scores follow; their size does not depend on their number."""

    def __init__(self, weights: Weights) -> None:
        self.num_reposts = 0  # with words of their own
        self._weights = weights
        self._counts: dict[int, int] = {}  # token -> count
        self._product = self._square = 0.0  # of TF-IDF before normalization: with the weights, and with itself
        members, _, hidden = weights.hidden.shape
        means = 1 + weights.attention.shape[2]
        self._sums = np.zeros((members, means, hidden), dtype=np.float32)
        self._totals = np.zeros((members, means), dtype=np.float32)

    def add(self, reposts: Reposts) -> None:
        """Add reposts of this post; `reposts` has one post."""
        weights = self._weights
        self.num_reposts += len(reposts.delays)
        for token in reposts.ids.tolist():
            count = self._counts.get(token, 0)
            self._counts[token] = count + 1
            idf, weight = float(weights.idf[token]), float(weights.words[token])
            before, after = (0.0 if number == 0 else (1 + math.log(number)) * idf for number in (count, count + 1))
            self._product += (after - before) * weight
            self._square += after**2 - before**2
        embedded, buckets = embed(weights.vectors, reposts), bucket_of(reposts.delays)
        for member in range(len(weights.output)):
            hidden, shares = read_member(weights, member, embedded, buckets)
            self._sums[member] += shares.T @ hidden
            self._totals[member] += shares.sum(axis=0)

    def scores(self) -> tuple[float, float]:
        """Return the scores of both parts, words and attention; 0 without reposts."""
        if not self.num_reposts:
            return 0.0, 0.0
        members = range(len(self._weights.output))
        scores = [score_member(self._weights, n, self._sums[n, None], self._totals[n, None])[0] for n in members]
        return self._product / max(math.sqrt(self._square), 1e-9), float(np.mean(scores))
