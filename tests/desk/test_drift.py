import numpy as np
import pytest
from scipy.stats import t as student

from hf_rumor.desk import drift
from hf_rumor.desk.drift import (
    MARGIN,
    MIN_WINDOWS,
    STATISTICS,
    Batch,
    Measured,
    Reference,
    Windows,
    alarm_limits,
    complete,
    concatenate,
    deviations,
    distinct,
    in_units,
    strengths,
    summarize_windows,
)


@pytest.fixture(scope="module")
def batch(make_posts):
    texts = tuple(post.text for post in make_posts(400))
    generator = np.random.default_rng(0)
    unknown = generator.poisson(0.1, size=400)
    return Batch(texts, generator.uniform(0.5, 1, size=400), np.full(400, 40), unknown, np.arange(400))


def test_one_post_of_each_near_duplicate_group_is_kept(batch):
    doubled = concatenate([batch, batch.take(np.arange(50))])
    assert distinct(doubled).texts == batch.texts


def test_a_reference_keeps_the_latest_posts(batch, monkeypatch):
    monkeypatch.setattr(drift, "MAX_POSTS", 100)
    assert Reference(batch).batch.texts == batch.texts[-100:]


def test_days_from_the_source_of_the_reference_raise_no_alarm(batch):
    reference = Reference(batch.take(np.arange(240)))
    windows = reference.windows(20)
    limits = alarm_limits(0.05, windows)
    for day in np.arange(240, 400).reshape(-1, 20):
        assert (strengths(deviations(complete(reference.measure(batch.take(day)), windows), windows)) < limits).all()


@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_day_that_differs_in_one_respect_raises_an_alarm_there(batch, statistic):
    reference, day = Reference(batch.take(np.arange(360))), batch.take(np.arange(360, 380))
    others = tuple(f"{text[:20]} breaking news from abroad" for text in day.texts)
    changed = {
        "auc": Batch(others, day.confidences, day.num_tokens, day.num_unknown, day.groups),
        "wording": Batch(others, day.confidences, day.num_tokens, day.num_unknown, day.groups),
        "style": Batch(others, day.confidences, day.num_tokens, day.num_unknown, day.groups),
        "surprise": Batch(others, day.confidences, day.num_tokens, day.num_unknown, day.groups),
        "confidence": Batch(day.texts, np.full(20, 0.55), day.num_tokens, day.num_unknown, day.groups),
        "length": Batch(
            tuple(text[:8] for text in day.texts), day.confidences, day.num_tokens, day.num_unknown, day.groups
        ),
        "unknown": Batch(day.texts, day.confidences, day.num_tokens, np.full(20, 3), day.groups),
    }[statistic]
    windows = reference.windows(20)
    deviation = strengths(deviations(complete(reference.measure(changed), windows), windows))
    assert (deviation > alarm_limits(0.05, windows))[STATISTICS.index(statistic)]


def test_near_duplicates_of_the_day_are_excluded_from_the_reference(batch):
    day = batch.take(np.arange(380, 400))
    values = [Reference(batch.take(np.arange(end))).measure(day).values for end in (380, 400)]
    kept = np.array(STATISTICS[:-1]) != "style"  # its rates are those of all windows
    np.testing.assert_allclose(*(value[kept] for value in values))


def test_windows_are_compared_with_the_rest_of_the_reference(batch):
    whole, windows = Reference(batch.take(np.arange(160))), []
    for start in range(0, 160 - 20 + 1, 10):
        piece = np.arange(start, start + 20)
        rest = Reference(batch.take(np.delete(np.arange(160), piece)))
        windows.append(rest.measure(batch.take(piece)).values)
    kept = np.flatnonzero(np.array(STATISTICS[:-1]) != "style")  # compared with the windows that do not overlap
    np.testing.assert_allclose(whole.windows(20).means[kept], np.mean(windows, axis=0)[kept])
    assert whole.num_windows(20) == MIN_WINDOWS
    assert whole.windows(20).num_windows == pytest.approx(15 / 1.5)  # since each overlaps with its neighbours


def test_the_limit_has_the_stated_rate_for_normal_statistics():
    generator, alarms, num_weeks = np.random.default_rng(0), 0, 2000
    for _ in range(num_weeks):
        shape = (20, len(STATISTICS) - 1)
        windows = summarize_windows(generator.normal(size=shape), np.zeros(shape), 20)
        windows = windows._replace(largest=np.zeros(len(STATISTICS)))
        week = [Measured(values, np.zeros(6)) for values in generator.normal(size=(7, 6))]
        days = [strengths(deviations(complete(day, windows), windows)) for day in week]
        alarms += bool((np.stack(days) > alarm_limits(0.05, windows) / MARGIN).any())
    assert 0.025 < alarms / num_weeks < 0.05  # below 0.05, since some statistics are one-sided


def test_fewer_windows_and_outliers_among_them_widen_the_limit():
    windows = Windows(np.zeros(7), np.ones(7), 40, np.zeros(7))
    assert alarm_limits(0.05, windows) == pytest.approx(MARGIN * student.isf((1 - 0.95 ** (1 / 7)) / 14, 39))
    assert (alarm_limits(0.05, windows._replace(num_windows=8)) > alarm_limits(0.05, windows) + 1).all()
    outliers = windows._replace(largest=np.array([0, 0, 0, 0, 6.0, 0, 0]))
    assert (alarm_limits(0.05, outliers) == 6.0 * MARGIN).tolist() == [False, False, False, False, True, False, False]


def test_a_spread_is_at_least_that_of_independent_posts():
    windows = summarize_windows(np.zeros((10, 6)), np.full((10, 6), 0.2), 5)
    assert windows.spreads[:-1] == pytest.approx(0.2 * np.sqrt(1 + 1 / 5))
    assert windows.largest.tolist() == [0.0] * 7


def test_a_low_auc_and_a_small_distance_do_not_count():
    assert strengths(np.array([-9.0, -3.0, -2.0, 1.0, 0.0, 0.0, -5.0])).tolist() == [0.0, 0.0, 2.0, 1.0, 0.0, 0.0, 0.0]


def test_statistics_have_units():
    values = [in_units(name, value) for name, value in (("length", np.log(80)), ("unknown", 0.1), ("auc", 0.6))]
    assert values == pytest.approx([80, 0.01, 0.6])
