import tracemalloc

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from hf_rumor.errors import ArgumentError
from hf_rumor.evaluation.decision import (
    Certain,
    Rule,
    Threshold,
    choose_threshold,
    coverage_curve,
    measure_decision,
    name_decisions,
    operating_point,
    parse_decision,
)
from hf_rumor.evaluation.metrics import Scored


THRESHOLDS = np.linspace(0.0025, 0.9975, 200)


@pytest.fixture
def posts():
    """Return labels and probabilities of a mediocre classifier."""
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
        ("flag=30", "flag", (30.0,)),
    ],
)
def test_a_rule_is_parsed(text, rule, values):
    assert parse_decision(text) == Rule(rule, values)


@pytest.mark.parametrize(
    "text",
    ["", "0", "1", "1.5", "nan", "f1", "precision>0.9", "recall>=90", "cost=5", "cost=0:1", "flag=0", "flag=2.5"],
)
def test_a_value_that_is_not_a_rule_is_refused(text):
    with pytest.raises(ArgumentError, match="not a threshold or a rule"):
        parse_decision(text)


def test_no_threshold_has_a_higher_f1_than_max_f1(posts):
    labels, probabilities = posts
    chosen = choose_threshold(parse_decision("max_f1"), *posts).value
    best = max(f1_score(labels, probabilities >= value) for value in THRESHOLDS)
    assert f1_score(labels, probabilities >= chosen) == pytest.approx(best)


@pytest.mark.parametrize(
    ("rule", "aim", "other"),
    [("precision>=0.9", precision_score, recall_score), ("recall>=0.9", recall_score, precision_score)],
)
def test_a_precision_or_recall_is_reached_at_the_lowest_cost(posts, rule, aim, other):
    labels, probabilities = posts
    chosen = choose_threshold(parse_decision(rule), *posts)
    assert chosen.reached
    assert aim(labels, probabilities >= chosen.value) >= 0.9
    for value in THRESHOLDS:
        if aim(labels, probabilities >= value, zero_division=0.0) >= 0.9:
            assert other(labels, probabilities >= chosen.value) >= other(labels, probabilities >= value) - 1e-12


@pytest.mark.parametrize("rule", ["cost=1:1", "cost=10:1", "cost=1:10"])
def test_the_cost_cannot_be_lowered(posts, rule):
    labels, probabilities = posts
    decision = parse_decision(rule)

    def cost(value):
        flagged = probabilities >= value
        missed, false_alarms = ((labels == 1) & ~flagged).sum(), ((labels == 0) & flagged).sum()
        return decision.values[0] * missed + decision.values[1] * false_alarms

    assert cost(choose_threshold(decision, *posts).value) == min(map(cost, THRESHOLDS))


def test_a_precision_that_no_threshold_reaches_is_reported():
    labels, probabilities = np.array([1, 0, 1, 0]), np.array([0.1, 0.9, 0.2, 0.8])
    chosen = choose_threshold(parse_decision("precision>=0.9"), labels, probabilities)
    assert not chosen.reached
    assert (probabilities >= chosen.value).all()  # precision is 0.5, higher than with any other threshold


@pytest.mark.parametrize(("number", "flagged"), [(1, 1), (2, 2), (3, 2), (4, 4), (9, 5)])
def test_as_many_posts_are_flagged_as_can_be_checked(number, flagged):
    probabilities = np.array([0.9, 0.8, 0.5, 0.5, 0.1])  # two equal ones are flagged together
    chosen = choose_threshold(parse_decision(f"flag={number}"), np.zeros(5, dtype=np.int64), probabilities)
    assert (chosen.reached, (probabilities >= chosen.value).sum()) == (True, flagged)


def test_more_certain_rumors_than_can_be_checked_are_reported():
    chosen = choose_threshold(parse_decision("flag=1"), np.zeros(3, dtype=np.int64), np.array([1.0, 1.0, 0.2]))
    assert not chosen.reached


def test_a_fixed_threshold_is_used_as_it_is(posts):
    assert choose_threshold(parse_decision("0.7"), *posts) == Threshold(0.7)


@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_one_probability_for_all_leaves_a_threshold_inside_the_unit_interval(probability):
    chosen = choose_threshold(parse_decision("max_f1"), np.array([0, 1]), np.full(2, probability))
    assert 0 < chosen.value < 1


def test_a_post_below_the_requested_confidence_is_uncertain():
    probabilities = np.array([0.05, 0.3, 0.45, 0.6, 0.95])
    assert name_decisions(probabilities, 0.5) == ["non-rumor"] * 3 + ["rumor"] * 2
    sure = name_decisions(probabilities, 0.5, 0.7)
    assert sure == ["non-rumor", "non-rumor", "uncertain", "uncertain", "rumor"]


def test_a_rumor_predicted_with_a_probability_below_one_half_is_uncertain():
    assert name_decisions(np.array([0.3]), 0.2, 0.6) == ["uncertain"]


def test_the_operating_point_agrees_with_scikit_learn(posts):
    labels, probabilities = posts
    point = operating_point(labels, probabilities, 0.5)
    assert point.precision == pytest.approx(precision_score(labels, probabilities >= 0.5))
    assert point.recall == pytest.approx(recall_score(labels, probabilities >= 0.5))
    assert point.share_flagged == pytest.approx((probabilities >= 0.5).mean())


def test_the_coverage_curve_ends_at_the_accuracy_of_all_posts(posts):
    labels, probabilities = posts
    curve = coverage_curve(labels, probabilities, 0.5)
    assert curve.coverage[-1] == 1
    assert curve.accuracy[-1] == pytest.approx(((probabilities >= 0.5) == labels).mean())


def test_the_coverage_curve_falls_if_only_the_least_confident_posts_are_wrong():
    curve = coverage_curve(np.array([0, 1, 0, 1]), np.array([0.1, 0.8, 0.6, 0.45]), 0.5)
    assert curve.accuracy == pytest.approx((1, 1, 2 / 3, 1 / 2))


def test_choosing_a_threshold_needs_memory_linear_in_the_number_of_posts():
    probabilities = np.linspace(0.01, 0.99, 20_000)
    tracemalloc.start()
    choose_threshold(parse_decision("max_f1"), (probabilities > 0.5).astype(np.int64), probabilities)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1000 * len(probabilities)  # bytes; a matrix of booleans would take 400 million


def test_posts_with_equal_confidence_have_no_order():
    labels = np.array([1] * 50 + [0] * 50)
    for order in (slice(None), slice(None, None, -1)):
        curve = coverage_curve(labels[order], np.full(100, 0.4), 0.5)
        assert curve.accuracy == pytest.approx((0.5,) * 100)


@pytest.mark.parametrize(("abstain_below", "certain"), [(0.8, Certain(2, 1.0)), (0.55, Certain(4, 0.5)), (None, None)])
def test_the_accuracy_of_certain_posts_is_measured(abstain_below, certain):
    scored = Scored(["a", "b", "c", "d"], np.array([0, 1, 1, 0]), np.array([0.1, 0.9, 0.4, 0.6]), 0.0)
    point = operating_point(scored.labels, scored.probabilities, 0.5)
    assert measure_decision("0.5", Threshold(0.5), abstain_below, scored, point).certain == certain
    none = measure_decision("0.5", Threshold(0.5), 0.95, scored, point).certain
    assert none.num_posts == 0
    assert np.isnan(none.accuracy)
