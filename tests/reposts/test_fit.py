from dataclasses import replace

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfTransformer
from tokenizers import Tokenizer

from hf_rumor.corpus.observed import ALL, Observed
from hf_rumor.models.encoders import MINI_FOLDER
from hf_rumor.reposts import attention
from hf_rumor.reposts.baselines import count_tokens
from hf_rumor.reposts.fit import Examples, fit_reposts
from hf_rumor.reposts.model import Texts, load_reposts, save_reposts, tf_idf
from hf_rumor.reposts.tokens import encode


LABELS = np.array([0, 1] * 12)
TOKENIZER = Tokenizer.from_file(str(MINI_FOLDER / "tokenizer.json"))
NO_TEXT = Texts(np.full(len(LABELS), 0.5), np.zeros(len(LABELS)))  # says nothing


VECTORS = MINI_FOLDER / "model.safetensors"
DEADLINES = [600, ALL]


@pytest.fixture(scope="module")
def examples():
    """Return posts whose rumors are denied after ten minutes; a third of them are validation posts."""
    words = [("好看", ("天气不错", "这是谣言")[label]) for label in LABELS]
    reposts = encode([Observed((60, 900), pair) for pair in words], TOKENIZER)
    validation = np.arange(16, len(LABELS))
    texts = ["昨夜停水"] * len(LABELS)
    return Examples(texts, reposts, LABELS, np.arange(len(LABELS)), validation, NO_TEXT.probabilities[validation])


@pytest.fixture(scope="module")
def fitted(examples):
    """Return a model of these posts, and their reposts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "EPOCHS", 3)
        return fit_reposts(examples, TOKENIZER, VECTORS, DEADLINES, seed=0), examples.reposts


def test_reposts_that_deny_tell_rumors_from_the_moment_they_are_visible(fitted):
    model, reposts = fitted
    late, early = (model.probabilities(NO_TEXT, reposts, deadline) for deadline in (900, 899))
    assert ((late > 0.5) == LABELS).all()
    assert np.ptp(early) < 1e-6  # in float32


def test_without_a_visible_repost_the_probability_is_that_of_the_text(fitted):
    model, reposts = fitted
    texts = Texts(np.linspace(0.1, 0.9, len(LABELS)), np.arange(len(LABELS)))
    assert np.array_equal(model.probabilities(texts, reposts, 0), texts.probabilities)
    assert np.array_equal(model.probabilities(texts, reposts, 59), texts.probabilities)


def test_a_saved_model_gives_the_same_probabilities(fitted, tmp_path):
    model, reposts = fitted
    save_reposts(model, tmp_path)
    loaded = load_reposts(tmp_path)
    assert np.array_equal(loaded.probabilities(NO_TEXT, reposts, ALL), model.probabilities(NO_TEXT, reposts, ALL))
    assert load_reposts(tmp_path / "reposts") is None


def test_the_same_seed_gives_the_same_model(examples, fitted):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "EPOCHS", 3)
        again = fit_reposts(examples, TOKENIZER, VECTORS, DEADLINES, seed=0)
    assert np.array_equal(again.weights.output, fitted[0].weights.output)


def test_fitting_and_scoring_compute_the_same_tf_idf(fitted):
    model, reposts = fitted
    counts = count_tokens(reposts, len(model.weights.idf))
    expected = TfidfTransformer(sublinear_tf=True).fit(counts).transform(counts).toarray()
    assert tf_idf(model.weights.idf, reposts) == pytest.approx(expected, abs=1e-6)


def test_validation_posts_of_one_label_leave_the_probability_of_the_text(examples):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "EPOCHS", 1)
        one_label = np.flatnonzero(LABELS)[-4:]
        few = replace(examples, validation=one_label, text_probabilities=NO_TEXT.probabilities[one_label])
        model = fit_reposts(few, TOKENIZER, VECTORS, DEADLINES, seed=0)
    texts = Texts(np.linspace(0.1, 0.9, len(LABELS)), np.arange(len(LABELS)))
    assert model.probabilities(texts, examples.reposts, ALL) == pytest.approx(texts.probabilities)
