import tracemalloc

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from hf_rumor.errors import ArgumentError
from hf_rumor.evaluation.decision import (
    Decision,
    Threshold,
    choose_threshold,
    coverage_curve,
    name_decisions,
    operating_point,
    parse_decision,
)


NAMES = ("non-rumor", "rumor")


@pytest.fixture
def posts():
    """Return labels and probabilities of a middling classifier."""
    random = np.random.default_rng(0)
    labels = (random.random(80) < 0.4).astype(np.int64)
    return labels, np.clip(0.35 + 0.25 * labels + random.normal(0, 0.15, 80), 0.01, 0.99)


@pytest.mark.parametrize(
    ("text", "rule", "values"),
    [
        ("0.5", "fixed", (0.5,)),
        (".25", "fixed", (0.25,)),
        ("max_f1", "max_f1", ()),
        ("precision>=0.9", "precision", (0.9,)),
        ("recall >= 1", "recall", (1.0,)),
        ("cost=5:1", "cost", (5.0, 1.0)),
    ],
)
def test_a_rule_is_read(text, rule, values):
    assert parse_decision(text) == Decision(rule, values, text)


@pytest.mark.parametrize(
    "text", ["", "0", "1", "1.5", "nan", "f1", "precision>0.9", "recall>=90", "cost=5", "cost=0:1"]
)
def test_what_is_no_rule_is_refused(text):
    with pytest.raises(ArgumentError, match="expected a number in"):
        parse_decision(text)


def many_thresholds():
    return np.linspace(0.0025, 0.9975, 200)


def test_max_f1_cannot_be_bettered(posts):
    labels, probabilities = posts
    chosen = choose_threshold(parse_decision("max_f1"), *posts).value
    best = max(f1_score(labels, probabilities >= value) for value in many_thresholds())
    assert f1_score(labels, probabilities >= chosen) == pytest.approx(best)


@pytest.mark.parametrize(
    ("rule", "aim", "other"),
    [("precision>=0.9", precision_score, recall_score), ("recall>=0.9", recall_score, precision_score)],
)
def test_a_share_is_reached_at_the_least_expense(posts, rule, aim, other):
    labels, probabilities = posts
    chosen = choose_threshold(parse_decision(rule), *posts)
    assert chosen.reached
    assert aim(labels, probabilities >= chosen.value) >= 0.9
    for value in many_thresholds():
        if aim(labels, probabilities >= value, zero_division=0.0) >= 0.9:
            assert other(labels, probabilities >= chosen.value) >= other(labels, probabilities >= value) - 1e-12


@pytest.mark.parametrize("rule", ["cost=1:1", "cost=10:1", "cost=1:10"])
def test_the_cost_cannot_be_lowered(posts, rule):
    labels, probabilities = posts
    decision = parse_decision(rule)

    def cost(value):
        called = probabilities >= value
        missed, false_alarms = ((labels == 1) & ~called).sum(), ((labels == 0) & called).sum()
        return decision.values[0] * missed + decision.values[1] * false_alarms

    assert cost(choose_threshold(decision, *posts).value) == min(map(cost, many_thresholds()))


def test_a_share_that_is_out_of_reach_is_said_to_be():
    labels, probabilities = np.array([1, 0, 1, 0]), np.array([0.1, 0.9, 0.2, 0.8])
    chosen = choose_threshold(parse_decision("precision>=0.9"), labels, probabilities)
    assert not chosen.reached
    assert (probabilities >= chosen.value).all()  # half of them are rumors: more than under any other threshold


def test_a_fixed_threshold_is_taken_as_it_is(posts):
    assert choose_threshold(parse_decision("0.7"), *posts) == Threshold(0.7)


@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_one_probability_for_all_leaves_a_threshold_inside_the_unit_interval(probability):
    chosen = choose_threshold(parse_decision("max_f1"), np.array([0, 1]), np.full(2, probability))
    assert 0 < chosen.value < 1


def test_below_the_confidence_that_was_asked_for_a_post_is_uncertain():
    probabilities = np.array([0.05, 0.3, 0.45, 0.6, 0.95])
    assert name_decisions(probabilities, 0.5, NAMES) == ["non-rumor"] * 3 + ["rumor"] * 2
    sure = name_decisions(probabilities, 0.5, NAMES, 0.7)
    assert sure == ["non-rumor", "non-rumor", "uncertain", "uncertain", "rumor"]


def test_a_rumor_that_is_called_against_the_odds_is_uncertain():
    assert name_decisions(np.array([0.3]), 0.2, NAMES, 0.6) == ["uncertain"]


def test_the_operating_point_agrees_with_scikit_learn(posts):
    labels, probabilities = posts
    found = operating_point(labels, probabilities, 0.5)
    assert found["precision"] == pytest.approx(precision_score(labels, probabilities >= 0.5))
    assert found["recall"] == pytest.approx(recall_score(labels, probabilities >= 0.5))
    assert found["share_flagged"] == pytest.approx((probabilities >= 0.5).mean())


def test_the_curve_ends_at_the_accuracy_of_all(posts):
    labels, probabilities = posts
    found = coverage_curve(labels, probabilities, 0.5)
    assert found["coverage"][-1] == 1
    assert found["accuracy"][-1] == pytest.approx(((probabilities >= 0.5) == labels).mean())
    assert found["confidence"] == sorted(found["confidence"], reverse=True)


def test_if_only_the_unsure_posts_are_wrong_the_curve_falls():
    found = coverage_curve(np.array([0, 1, 0, 1]), np.array([0.1, 0.8, 0.6, 0.45]), 0.5)
    assert found["accuracy"] == pytest.approx([1, 1, 2 / 3, 1 / 2])
    assert found["area"] == pytest.approx((1 + 1 + 2 / 3 + 1 / 2) / 4)


def test_choosing_needs_memory_for_the_posts_not_for_their_square():
    probabilities = np.linspace(0.01, 0.99, 20_000)
    tracemalloc.start()
    choose_threshold(parse_decision("max_f1"), (probabilities > 0.5).astype(np.int64), probabilities)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1000 * len(probabilities)  # bytes; a matrix of booleans would take 400 million


def test_posts_of_one_confidence_have_no_order():
    labels = np.array([1] * 50 + [0] * 50)
    for order in (slice(None), slice(None, None, -1)):
        found = coverage_curve(labels[order], np.full(100, 0.4), 0.5)
        assert found["accuracy"] == pytest.approx([0.5] * 100)
