from dataclasses import asdict

import numpy as np
import pytest
from scipy.stats import binomtest

from hf_rumor.evaluation.intervals import (
    FEW,
    Difference,
    accuracy_interval,
    bootstrap_intervals,
    paired_differences,
    paired_roc_auc,
    sign_test,
)
from hf_rumor.evaluation.metrics import CELLS, METRICS, compute_metrics, confusion
from hf_rumor.labels import decide


def draw(num_posts, seed=0):
    """Return labels, decisions and probabilities of a classifier with an accuracy of 0.8."""
    random = np.random.default_rng(seed)
    labels = np.arange(num_posts) % 2
    right = random.random(num_posts) < 0.8
    distance = 0.1 + 0.4 * random.random(num_posts)
    probabilities = 0.5 + np.where((labels == 1) == right, distance, -distance)
    return labels, decide(probabilities, 0.5), probabilities


def intervals(columns, groups=None, num_resamples=60):
    groups = np.arange(len(columns[0])) if groups is None else groups
    return bootstrap_intervals(*columns, groups, num_resamples=num_resamples)


def widths(bounds):
    return {name: high - low for name, (low, high) in bounds.items()}


def test_an_interval_contains_its_metric():
    columns = draw(200)
    metrics = asdict(compute_metrics(*columns))
    bounds = intervals(columns)
    assert bounds.keys() == {*METRICS, *CELLS}
    for name in METRICS.keys() - {"ece"}:  # biased upwards: resampling adds noise
        assert bounds[name][0] < metrics[name] < bounds[name][1]


def test_the_interval_of_accuracy_is_that_of_the_binomial_distribution():
    columns = draw(400)
    accuracy = compute_metrics(*columns).accuracy
    half = 1.96 * np.sqrt(accuracy * (1 - accuracy) / 400)
    bounds = intervals(columns, num_resamples=200)["accuracy"]
    assert bounds == pytest.approx((accuracy - half, accuracy + half), abs=0.015)


def test_the_intervals_of_the_counts_contain_the_confusion():
    columns = draw(200)
    bounds = intervals(columns)
    for name, count in zip(CELLS, np.ravel(confusion(*columns[:2])), strict=True):
        assert bounds[name][0] < count < bounds[name][1]


def test_groups_of_identical_posts_give_wider_intervals_than_posts_drawn_alone():
    columns = tuple(np.repeat(column, 4) for column in draw(50))
    together = widths(intervals(columns, np.repeat(np.arange(50), 4)))
    alone = widths(intervals(columns))
    for name in METRICS.keys() - {"ece"}:
        assert together[name] > 1.4 * alone[name]  # in theory twice as wide


def test_copies_in_one_group_do_not_narrow_the_interval():
    columns = draw(50)
    copied = tuple(np.repeat(column, 3) for column in columns)
    names = METRICS.keys() - {"ece"}  # the bins of copies are others
    once, thrice = intervals(columns), intervals(copied, np.repeat(np.arange(50), 3))
    for name in names:
        assert thrice[name] == pytest.approx(once[name])


def test_the_numbers_of_groups_do_not_matter():
    columns = draw(60)
    groups = np.arange(60) // 2
    assert intervals(columns, groups * 1000 - 7, num_resamples=10) == intervals(columns, groups, num_resamples=10)


def test_the_interval_of_one_group_is_undefined():
    columns = draw(10)
    bounds = intervals(columns, np.zeros(10, dtype=np.int64), num_resamples=5)
    for name, interval in bounds.items():
        is_share = name.endswith(("accuracy", "precision", "recall"))
        assert interval == (0.0, 1.0) if is_share else np.isnan(interval).all()


def test_with_one_label_areas_and_the_recall_for_the_other_are_undefined():
    columns = (np.ones(6, dtype=np.int64), *draw(6)[1:])
    bounds = intervals(columns, num_resamples=10)
    undefined = {name for name, (low, high) in bounds.items() if np.isnan(low) and np.isnan(high)}
    assert undefined >= {"roc_auc", "pr_auc", "non_rumor_recall", "non_rumor_f1"}
    assert not undefined & {"accuracy", "rumor_recall", "brier"}


def test_resamples_with_one_label_are_ignored_by_the_areas():
    # of four posts, one in eight resamples has one label only
    labels, probabilities = np.array([0, 1, 0, 1]), np.array([0.1, 0.3, 0.4, 0.9])
    low, high = intervals((labels, decide(probabilities, 0.5), probabilities))["roc_auc"]
    assert 0 <= low <= high <= 1


def test_a_difference_is_the_difference_of_the_metrics():
    labels, ours, _ = draw(100)
    theirs = draw(100, seed=1)[1]
    bounds = paired_differences(labels, ours, theirs, np.arange(100), num_resamples=200)
    for name in ("accuracy", "macro_f1"):
        value = getattr(bounds, name)
        one, other = (getattr(compute_metrics(labels, it, it.astype(float)), name) for it in (ours, theirs))
        assert value.difference == pytest.approx(one - other)
        assert value.low < value.difference < value.high


def test_the_interval_of_a_difference_depends_on_the_posts_that_differ():
    labels, ours, _ = draw(400)
    theirs = np.where(np.arange(400) % 10 == 0, 1 - ours, ours)  # the two differ on 40 posts
    gain = (ours == labels).astype(float) - (theirs == labels)
    half = 1.96 * gain.std() / np.sqrt(400)
    bounds = paired_differences(labels, ours, theirs, np.arange(400), num_resamples=4000).accuracy
    assert (bounds.low, bounds.high) == pytest.approx((gain.mean() - half, gain.mean() + half), abs=0.004)


def test_equal_decisions_on_few_posts_do_not_prove_equal_accuracy():
    labels, ours, _ = draw(30)
    differences = paired_differences(labels, ours, ours, np.arange(30), num_resamples=20)
    bound = 1 - 0.025 ** (1 / 30)  # of the share of posts on which decisions differ
    assert vars(differences.accuracy) == pytest.approx({"difference": 0.0, "low": -bound, "high": bound})
    assert differences.macro_f1 == Difference(0.0, 0.0, 0.0)


def test_copies_in_one_group_do_not_narrow_the_interval_of_a_difference():
    labels, ours, _ = draw(60)
    theirs = draw(60, seed=1)[1]
    once = paired_differences(labels, ours, theirs, np.arange(60), num_resamples=50)
    copied = [np.repeat(column, 3) for column in (labels, ours, theirs, np.arange(60))]
    thrice = paired_differences(*copied, num_resamples=50)
    assert asdict(once.accuracy) == pytest.approx(asdict(thrice.accuracy))


def test_posts_of_several_runs_are_drawn_together():
    labels, ours, _ = draw(60)
    theirs, groups = draw(60, seed=1)[1], np.arange(60) // 2
    once = paired_differences(labels, ours, theirs, groups, num_resamples=50)
    columns = [np.tile(column, 3) for column in (labels, ours, theirs, groups)]
    thrice = paired_differences(*columns, runs=np.repeat(np.arange(3), 60), num_resamples=50)
    assert asdict(thrice.accuracy) == pytest.approx(asdict(once.accuracy))
    assert asdict(thrice.macro_f1) == pytest.approx(asdict(once.macro_f1))


def test_a_difference_over_runs_is_the_mean_of_their_differences():
    labels, ours, _ = draw(60)
    theirs, runs = draw(60, seed=1)[1], np.array([0] * 20 + [7] * 40)
    bounds = paired_differences(labels, ours, theirs, np.arange(60), runs=runs, num_resamples=2)
    for name in ("accuracy", "macro_f1"):
        parts = [
            getattr(
                paired_differences(labels[run], ours[run], theirs[run], np.flatnonzero(run), num_resamples=2), name
            )
            for run in (runs == 0, runs == 7)
        ]
        assert getattr(bounds, name).difference == pytest.approx(np.mean([part.difference for part in parts]))


def test_a_difference_of_areas_is_the_difference_of_the_metrics():
    labels, predicted, ours = draw(100)
    theirs = draw(100, seed=1)[2]
    bounds = paired_roc_auc(labels, ours, theirs, np.arange(100), num_resamples=200)
    areas = [compute_metrics(labels, predicted, probabilities).roc_auc for probabilities in (ours, theirs)]
    assert bounds.difference == pytest.approx(areas[0] - areas[1])
    assert bounds.low < bounds.difference < bounds.high
    copied = [np.repeat(column, 3) for column in (labels, ours, theirs, np.arange(100))]
    assert asdict(paired_roc_auc(*copied, num_resamples=200)) == pytest.approx(asdict(bounds))


def test_a_difference_of_areas_is_undefined_with_one_label():
    scores = draw(10)[2]
    difference = paired_roc_auc(np.ones(10, dtype=np.int64), scores, scores, np.arange(10), num_resamples=5)
    assert np.isnan([difference.difference, difference.low, difference.high]).all()


@pytest.mark.parametrize("all_right", [True, False])
@pytest.mark.parametrize("num_groups", [1, 20, 40])
def test_an_accuracy_of_0_or_1_has_the_exact_interval_of_as_many_groups(all_right, num_groups):
    groups, right = np.repeat(np.arange(num_groups), 3), np.full(3 * num_groups, all_right)
    low, high = accuracy_interval(right, groups)
    exact = binomtest(num_groups * all_right, num_groups).proportion_ci(method="exact")
    assert (low, high) == pytest.approx((exact.low, exact.high))
    labels = np.arange(3 * num_groups) // 3 % 2
    predicted = np.where(right, labels, 1 - labels)
    bounds = intervals((labels, predicted, np.full(len(labels), 0.5)), groups, num_resamples=2)
    assert bounds["accuracy"] == pytest.approx((exact.low, exact.high))


def test_a_recall_of_1_has_an_interval_as_wide_as_few_rumors_require():
    labels, predicted = np.array([1] * 5 + [0] * 50), np.array([1] * 5 + [0, 1] * 25)
    low, high = intervals((labels, predicted, np.full(55, 0.5)))["rumor_recall"]
    assert (low, high) == pytest.approx((0.025 ** (1 / 5), 1.0))


@pytest.mark.parametrize("num_posts", [20, 60, 200])
def test_another_error_never_raises_the_lower_bound(num_posts):
    lows = [accuracy_interval(np.arange(num_posts) >= wrong, np.arange(num_posts))[0] for wrong in range(FEW)]
    assert lows == sorted(lows, reverse=True)


def test_if_all_resamples_agree_the_interval_is_undefined_not_empty():
    labels = np.array([0, 1] * 15)
    bounds = intervals((labels, labels, labels.astype(np.float64)))
    for name in ("macro_f1", "rumor_f1", "roc_auc", "pr_auc"):
        assert np.isnan(bounds[name]).all()
    assert bounds["false_positives"] == pytest.approx((0.0, 30 * (1 - 0.025 ** (1 / 30))))
    none = np.zeros(30, dtype=np.int64)
    assert np.isnan(intervals((labels, none, none + 0.1))["rumor_precision"]).all()


def test_the_sign_test_counts_groups_and_ignores_ties():
    labels = np.zeros(40, dtype=np.int64)
    ours, theirs = labels.copy(), (np.arange(40) < 9).astype(np.int64)
    ours[9:11] = 1
    assert sign_test(labels, ours, theirs, np.arange(40)) == pytest.approx(binomtest(9, 11).pvalue)
    assert sign_test(labels, ours, theirs, np.where(np.arange(40) < 9, 0, np.arange(40))) == 1.0  # 1 against 2
    assert sign_test(labels, ours, ours, np.arange(40)) == 1.0


@pytest.mark.parametrize("group_size", [1, 3])
def test_an_interval_of_a_difference_excludes_0_only_if_the_sign_test_is_significant(group_size):
    for seed in range(40):
        labels, predicted, _ = draw(60, seed)
        other = np.where(np.random.default_rng(seed).random(60) < 0.15, 1 - labels, predicted)
        groups = np.arange(60) // group_size
        accuracy = paired_differences(labels, predicted, other, groups, num_resamples=200).accuracy
        if not accuracy.low <= 0 <= accuracy.high:
            assert sign_test(labels, predicted, other, groups) < 0.05
