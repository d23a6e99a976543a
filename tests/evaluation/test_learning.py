import numpy as np
import pytest

from hf_rumor.errors import ArgumentError
from hf_rumor.evaluation.learning import learning_curve


LABELS = np.arange(200) % 2


def make_texts(num_words, *, differ):
    """Return texts of 4 characters, drawn from those of the label or from those of both."""
    generator = np.random.default_rng(0)
    words = [chr(0x4E00 + number) for number in range(2 * num_words)]
    own = [words[num_words * label :][:num_words] if differ else words for label in (0, 1)]
    return ["".join(generator.choice(own[label], 4)) for label in LABELS]


def test_more_labels_help_where_the_labels_can_be_learned():
    curve = learning_curve(make_texts(100, differ=True), LABELS, np.arange(200))
    assert curve.sizes == (20, 40, 80, 160)
    assert list(curve.errors) == sorted(curve.errors, reverse=True)
    assert 0 < curve.low <= curve.gain <= curve.high < curve.errors[-1]


def test_more_labels_do_not_help_where_there_is_nothing_to_learn():
    curve = learning_curve(make_texts(100, differ=False), LABELS, np.arange(200))
    assert curve.low < 0 < curve.high
    assert abs(curve.gain) < 0.03


@pytest.mark.parametrize(("num", "num_groups"), [(99, 99), (200, 2)])
def test_too_few_posts_are_an_error(num, num_groups):
    texts = make_texts(100, differ=True)[:num]
    with pytest.raises(ArgumentError, match="learning curve: at least 100 labeled posts and"):
        learning_curve(texts, LABELS[:num], np.arange(num) % num_groups)


def test_posts_without_a_common_character_are_classified_as_the_majority():
    texts = [chr(0x4E00 + number) for number in range(200)]
    labels = (np.arange(200) % 4 == 0).astype(np.int64)
    curve = learning_curve(texts, labels, np.arange(200))
    assert curve.errors == pytest.approx([0.25] * 4, abs=0.08)
