import numpy as np
import pytest

from hf_rumor.corpus.observed import Observed
from hf_rumor.labels import log_odds
from hf_rumor.reposts.model import Texts
from hf_rumor.reposts.timeline import most_important, timeline
from hf_rumor.reposts.tokens import encode


TEXT = Texts(np.array([0.3]), np.array([0.2]))
OBSERVED = Observed((5, 60, 700), ("假的", "真的吗", "快看"))


def test_after_each_repost_the_probability_is_that_of_the_model(reading_classifier):
    model = reading_classifier.reposts
    moments = timeline(model, TEXT, OBSERVED)
    reposts = encode([OBSERVED], model.tokenizer)
    expected = [float(model.probabilities(TEXT, reposts, delay)[0]) for delay in OBSERVED.delays]
    assert [moment.probability for moment in moments] == pytest.approx(expected, abs=1e-5)


def test_the_first_change_is_the_difference_to_the_text_alone(reading_classifier):
    first = timeline(reading_classifier.reposts, TEXT, OBSERVED)[0]
    expected = log_odds(np.array([first.probability])) - log_odds(np.array([0.3]))
    assert first.change == pytest.approx(float(expected[0]))


def test_the_most_important_reposts_are_those_with_the_largest_change_in_either_direction(reading_classifier):
    moments = timeline(reading_classifier.reposts, TEXT, OBSERVED)
    [one, two] = most_important(moments, 2)
    rest = next(moment for moment in moments if moment not in (one, two))
    assert abs(one.change) >= abs(two.change) >= abs(rest.change)


def test_a_post_without_reposts_has_no_moments(reading_classifier):
    assert timeline(reading_classifier.reposts, TEXT, Observed()) == []
