"""The probability of a post over time, and the reposts that changed it most."""

from dataclasses import dataclass

import numpy as np

from hf_rumor.corpus.observed import Observed
from hf_rumor.labels import log_odds
from hf_rumor.reposts.model import RepostModel, Texts
from hf_rumor.reposts.running import RunningScores
from hf_rumor.reposts.tokens import encode


@dataclass(frozen=True)
class Moment:
    """The arrival of a repost."""

    delay: int  # seconds after the post
    words: str
    probability: float  # of rumor, after it
    change: float  # of the log-odds, by it


def timeline(model: RepostModel, text: Texts, observed: Observed) -> list[Moment]:
    """Return the moments at which the visible reposts of a post arrived, in order; `text` is of this post alone.

    The change at a moment is the difference between the log-odds with and without this repost, both at this time.
    """
    running, moments = RunningScores(model.weights), []

    def probability_at(delay: int) -> float:
        has_words = np.array([running.num_reposts > 0])
        return float(model.combine(text, np.array([running.scores()]), has_words, delay)[0])

    for delay, words in zip(observed.delays, observed.words, strict=True):
        before = probability_at(delay)
        running.add(encode([Observed((delay,), (words,))], model.tokenizer))
        after = probability_at(delay)
        change = log_odds(np.array([after, before]))
        moments.append(Moment(delay, words, after, float(change[0] - change[1])))
    return moments


def most_important(moments: list[Moment], number: int) -> list[Moment]:
    """Return the moments that changed the log-odds most, the largest change first."""
    return sorted(moments, key=lambda moment: -abs(moment.change))[:number]
