import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from hf_rumor.desk import text_drift
from hf_rumor.desk.text_drift import Style, Surprise, TwoSampleTest, auc_error, bigrams, vectorize


@pytest.fixture
def posts(make_posts):
    return [post.text for post in make_posts(40)]


def left_out_auc(features, is_inside):
    """Return the AUC of the slow definition: a regression without each post."""
    targets = is_inside - is_inside.mean()
    predicted = [
        Ridge(alpha=text_drift.RIDGE, fit_intercept=False)
        .fit(np.delete(features, one, axis=0), np.delete(targets, one))
        .predict(features[[one]])[0]
        for one in range(len(features))
    ]
    return roc_auc_score(is_inside, predicted)


def test_the_closed_form_equals_a_regression_without_each_post(posts):
    features = vectorize(posts)
    is_inside = np.arange(40) < 10
    [auc] = TwoSampleTest(features).within([np.arange(10)])
    assert auc == pytest.approx(left_out_auc(features, is_inside))


def test_excluded_posts_have_no_effect(posts):
    features, excluded = vectorize(posts), np.array([12, 20])
    without = np.delete(features[10:], excluded, axis=0)
    auc = TwoSampleTest(features[10:]).against(features[:10], excluded)
    is_new = np.arange(38) < 10
    assert auc == pytest.approx(left_out_auc(np.concatenate([features[:10], without]), is_new))


def test_texts_of_another_source_are_separated(posts):
    other = [f"{number} breaking news from abroad" for number in range(10)]
    assert TwoSampleTest(vectorize(posts)).against(vectorize(other), np.array([], dtype=int)) > 0.99


def test_the_error_of_an_auc_is_that_of_random_scores():
    generator = np.random.default_rng(0)
    labels = np.arange(60) < 20
    aucs = [roc_auc_score(labels, generator.random(60)) for _ in range(500)]
    assert auc_error(20, 40) == pytest.approx(np.std(aucs), rel=0.1)


def test_surprise_is_the_cross_entropy_of_the_smoothed_model():
    surprise = Surprise(bigrams(["ab", "ab"]))  # two bigrams each: the start with a, then ab
    prior, characters = text_drift.PRIOR_COUNT, text_drift.NUM_CHARACTERS
    single = (2 + 1) / (4 + characters)
    expected = -np.log2((2 + prior * single) / (2 + prior))  # the same for both bigrams
    assert surprise.score(bigrams(["ab", ""]), np.array([], dtype=int)) == pytest.approx(
        [expected, np.nan], nan_ok=True
    )


def test_excluded_texts_are_not_counted(posts):
    nothing, excluded = np.array([], dtype=int), np.arange(5)
    day = bigrams(posts[:5])
    whole, rest = Surprise(bigrams(posts)), Surprise(bigrams(posts[5:]))
    np.testing.assert_allclose(whole.score(day, excluded), rest.score(day, nothing))
    assert (whole.score(day, nothing) < rest.score(day, nothing)).all()


def test_bigrams_of_some_texts_are_those_of_the_texts_alone(posts):
    some, alone = bigrams(posts).of(np.array([3, 1])), bigrams([posts[3], posts[1]])
    np.testing.assert_array_equal(some.pairs, alone.pairs)
    np.testing.assert_array_equal(some.starts, alone.starts)


def test_the_distance_in_style_is_that_of_the_rates_of_characters():
    texts, windows = ["aab", "abb", "aab", "abb"], [np.array([0]), np.array([1]), np.array([2]), np.array([3])]
    style = Style(texts)
    np.testing.assert_allclose(style.rates(windows)[:, 0], [2 / 3, 1 / 3, 2 / 3, 1 / 3])
    spread = np.sqrt(0.5 / 4)  # of four independent characters; that of the windows is smaller
    assert style.against(["aaaa"], style.rates(windows)) == pytest.approx(np.log(0.5 / max(spread, 1 / np.sqrt(27))))


def test_another_style_has_a_larger_distance_than_any_window(posts):
    style, windows = Style(posts), list(np.arange(40).reshape(8, 5))
    assert (
        style.against([f"{post}听听听听听听听听" for post in posts[:5]], style.rates(windows))
        > style.within(windows).max()
    )
