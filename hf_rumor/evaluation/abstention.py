"""Abstain so that few posts get a wrong decision, with a guarantee."""

import re

import numpy as np

from hf_rumor.errors import ArgumentError
from hf_rumor.evaluation.decision import confidence
from hf_rumor.evaluation.intervals import Groups
from hf_rumor.evaluation.metrics import Floats, Labels
from hf_rumor.labels import decide


RISK = 0.05  # probability that the bound does not hold


def parse_abstain(rule: str) -> float:
    """Return the bound in a rule such as `error<=0.05`.

    Raises:
        ArgumentError: It is not such a rule.
    """
    match = re.fullmatch(r"error<=(0?\.\d+)", rule.replace(" ", ""))
    if not match or not 0 < float(match[1]) < 0.5:
        raise ArgumentError(f'--abstain {rule}: not a rule such as "error<=0.05", with a number below 0.5. Fix it.')
    return float(match[1])


def choose_confidence(
    labels: Labels, probabilities: Floats, threshold: float, groups: Groups, bound: float
) -> float | None:
    """Return the lowest confidence for which at most a share `bound` of all posts gets a wrong decision.

    With a probability of 95%, this holds for posts that are drawn like the validation posts: the exact binomial bound
    of the error is at most `bound` (Bates et al., 2021, https://arxiv.org/abs/2101.02703, Theorem 1; conformal risk
    control, https://arxiv.org/abs/2208.02814, bounds its mean only). The unit is a group of near-duplicates, which is
    wrong if one of its posts is. Fewer decisions are never wrong more often, so the lowest such confidence is safe.

    Args:
        labels: Of validation posts.
        probabilities: Of rumor.
        threshold: Of the decision.
        groups: Number of the near-duplicate group of each post.
        bound: Share of posts, in (0, 0.5).

    Returns:
        A confidence of at least 0.5; None if no confidence keeps the bound, as with too few posts.
    """
    from scipy.stats import binom

    sure = confidence(probabilities, threshold)
    wrong = decide(probabilities, threshold) != labels
    names, numbers = np.unique(groups, return_inverse=True)
    num_allowed = int(np.searchsorted(binom.cdf(np.arange(len(names) + 1), len(names), bound), RISK, side="right"))
    if num_allowed == 0:  # even no wrong post would not be enough
        return None
    surest = np.zeros(len(names))  # confidence of the surest wrong post of each group
    np.maximum.at(surest, numbers[wrong], sure[wrong])
    falling = np.sort(surest)[::-1]
    if num_allowed > len(names) or (limit := float(falling[num_allowed - 1])) == 0:
        return 0.5
    above = sure[sure > limit]
    return (limit + float(above.min())) / 2 if len(above) else None
