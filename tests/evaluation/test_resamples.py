import numpy as np
import pytest
from hf_rumor.evaluation.resamples import COUNTS, metrics_of_resamples, scores_of_counts

from hf_rumor.evaluation.metrics import METRICS, compute_metrics, confusion


def resamples(num_posts, num_resamples, digits, seed=0):
    """Return labels, decisions and probabilities, with ties where digits are few, and how often each is drawn."""
    random = np.random.default_rng(seed)
    labels = random.integers(2, size=num_posts)
    probabilities = np.round(0.3 * labels + 0.7 * random.random(num_posts), digits)
    predicted = random.integers(2, size=num_posts)
    times = random.multinomial(num_posts, np.full(num_posts, 1 / num_posts), size=num_resamples)
    return labels, predicted, probabilities, times


@pytest.mark.parametrize("digits", [0, 1, 12])
@pytest.mark.parametrize("num_posts", [1, 2, 5, 60])
def test_each_resample_has_the_metrics_of_its_posts(num_posts, digits):
    *columns, times = resamples(num_posts, 20, digits)
    found = metrics_of_resamples(*columns, times)
    assert list(found) == [*METRICS, *COUNTS]
    for number, row in enumerate(times):
        posts = [np.repeat(column, row) for column in columns]
        counts = np.ravel(confusion(*posts[:2]))
        expected = compute_metrics(*posts) | dict(zip(COUNTS, counts, strict=True))
        assert {name: values[number] for name, values in found.items()} == {
            name: pytest.approx(value, abs=1e-12, nan_ok=True) for name, value in expected.items()
        }


def test_of_no_post_a_share_is_0():
    scores = scores_of_counts(np.zeros((1, 4)))
    assert [values.tolist() for values in scores.values()] == [[0.0]] * 8
