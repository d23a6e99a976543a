import numpy as np
import pytest

from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.corpus.parts import split_corpus
from hf_rumor.corpus.seen import find_seen, seen_posts
from hf_rumor.errors import ModelError
from hf_rumor.runs.seen import drop_seen, seen_after


@pytest.fixture(scope="module")
def parts(make_posts):
    return split_corpus(load_corpus(make_posts(200)), "random")


def texts_of(parts, name):
    return parts.dataset[name]["text"][:]


def test_seen_test_posts_are_dropped_and_validation_posts_that_were_trained_on_move_to_training(parts):
    test, validation = texts_of(parts, "test"), texts_of(parts, "validation")
    left = drop_seen(parts, seen_posts([*test[:5], *validation[:3]], [*test[5:7], *validation[3:]]), "model")
    assert texts_of(left, "test") == test[7:]
    assert texts_of(left, "validation") == validation[3:]
    assert texts_of(left, "train")[-3:] == validation[:3]
    assert left.num_seen == 7
    assert len(left.split.train) + len(left.split.validation) + len(left.split.test) + left.num_seen == 200


def test_a_model_that_has_seen_nothing_changes_nothing(parts):
    assert drop_seen(parts, seen_posts(["别的帖子"], []), "model") is parts


def test_a_part_that_would_lose_a_label_is_an_error(parts):
    rumors = [
        text for text, label in zip(texts_of(parts, "test"), parts.dataset["test"]["label"][:], strict=True) if label
    ]
    with pytest.raises(ModelError, match=r"has already seen 20 of 40 test posts .* so the test set lacks a label"):
        drop_seen(parts, seen_posts(rumors, []), "model")


def test_a_chain_of_trainings_remembers_every_post(parts):
    before = seen_posts(["更早的一条帖子"], [])
    after = seen_after(parts, before)
    assert find_seen(["更早的一条帖子", *texts_of(parts, "train"), *texts_of(parts, "validation")], after).all()
    np.testing.assert_array_equal(find_seen(texts_of(parts, "test"), after), np.isin(parts.split.test, parts.leaking))
