import numpy as np
import pytest

from hf_rumor.errors import ArgumentError
from hf_rumor.evaluation.abstention import choose_confidence, parse_abstain
from hf_rumor.evaluation.decision import confidence
from hf_rumor.labels import decide


def wrong_share(labels, probabilities, limit):
    """Return the share of posts with a wrong decision at a confidence."""
    sure = confidence(probabilities, 0.5) >= limit
    return float((sure & (decide(probabilities, 0.5) != labels)).mean())


def draw(random, num_posts):
    """Return labels and probabilities of which about an eighth is wrong."""
    probabilities = random.beta(0.6, 0.6, num_posts)
    return (random.random(num_posts) < probabilities).astype(np.int64), probabilities


def test_the_bound_holds_for_95_of_100_draws():
    random = np.random.default_rng(0)
    everything = draw(random, 100_000)
    shares = []
    for _ in range(300):
        labels, probabilities = draw(random, 300)
        chosen = choose_confidence(labels, probabilities, 0.5, np.arange(300), 0.05)
        shares.append(wrong_share(*everything, chosen))
    assert np.mean(np.array(shares) <= 0.05) >= 0.95
    assert np.mean(shares) > 0.02  # not by abstaining from everything


def test_the_lowest_confidence_that_the_bound_allows_is_chosen():
    labels, probabilities = draw(np.random.default_rng(1), 400)
    chosen = choose_confidence(labels, probabilities, 0.5, np.arange(400), 0.05)
    # The exact bound allows 12 of 400: P(at most 12) = 0.038, P(at most 13) = 0.065.
    assert round(400 * wrong_share(labels, probabilities, chosen)) == 12
    below = np.sort(confidence(probabilities, 0.5)[confidence(probabilities, 0.5) < chosen])[-1]
    assert round(400 * wrong_share(labels, probabilities, below)) == 13


def test_a_model_without_mistakes_decides_on_everything():
    labels = np.arange(200) % 2
    assert choose_confidence(labels, np.where(labels == 1, 0.9, 0.2), 0.5, np.arange(200), 0.05) == 0.5


def test_too_few_groups_allow_no_bound():
    labels = np.arange(200) % 2
    assert choose_confidence(labels, labels.astype(float), 0.5, np.arange(200) // 4, 0.05) is None  # 50 groups
    assert choose_confidence(labels, labels.astype(float), 0.5, np.arange(200) // 3, 0.05) == 0.5  # 67 groups


def test_a_group_counts_once():
    labels, probabilities = np.ones(300, dtype=np.int64), np.full(300, 0.9)
    probabilities[:60] = 0.3  # wrong, all in one group
    groups = np.concatenate([np.zeros(60, dtype=np.int64), np.arange(1, 241)])
    assert choose_confidence(labels, probabilities, 0.5, groups, 0.05) == 0.5


@pytest.mark.parametrize("rule", ["error<0.05", "error<=5", "error<=0.5", "error<=0", "0.05", ""])
def test_other_rules_are_refused(rule):
    with pytest.raises(ArgumentError, match=r"not a rule such as"):
        parse_abstain(rule)
    assert parse_abstain("error <= 0.05") == 0.05
