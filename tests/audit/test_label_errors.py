import numpy as np
import pytest

from hf_rumor.audit.label_errors import find_label_errors
from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.corpus.near_duplicates import find_near_duplicates


@pytest.fixture
def learnable(make_posts):
    """Return 200 texts and labels; five words indicate each label."""
    posts = make_posts(200)
    generator = np.random.default_rng(0)
    words = {True: ["速转", "内部消息", "紧急", "扩散", "出大事"], False: ["散步", "晚安", "做饭", "读书", "看花"]}
    texts = [post.text + "".join(generator.choice(words[post.is_rumor], 2)) for post in posts]
    return texts, np.array([int(post.is_rumor) for post in posts])


def flip(labels, seed):
    """Return the labels with 5% of them flipped, and the positions of these."""
    flipped = np.random.default_rng(seed).choice(len(labels), len(labels) // 20, replace=False)
    labels = labels.copy()
    labels[flipped] = 1 - labels[flipped]
    return labels, flipped


@pytest.mark.parametrize("seed", [0, 1])
def test_most_flipped_labels_are_among_the_most_doubtful_tenth(learnable, seed):
    texts, labels = learnable
    labels, flipped = flip(labels, seed)
    errors = find_label_errors(texts, labels, np.arange(len(labels)))
    assert np.isin(flipped, errors.order[: len(labels) // 10]).mean() >= 0.9
    assert np.isin(flipped, errors.order[: errors.num_likely]).mean() >= 0.75
    assert errors.num_likely < len(labels) // 5
    assert errors.probability_of_label[flipped].max() < 0.5


def test_copies_do_not_confirm_each_other(learnable):
    texts, labels = learnable
    labels, flipped = flip(labels, 0)
    texts, labels = [*texts, *(texts[position] for position in flipped)], np.append(labels, labels[flipped])
    groups = np.append(np.arange(200), flipped)
    errors = find_label_errors(texts, labels, groups)
    assert errors.probability_of_label[flipped].max() < 0.5
    assert errors.probability_of_label[200:].max() < 0.5


def test_every_post_is_ranked_and_likely_errors_come_first(learnable):
    texts, labels = learnable
    labels, _ = flip(labels, 0)
    errors = find_label_errors(texts, labels, np.arange(len(labels)))
    assert sorted(errors.order) == list(range(len(labels)))
    doubts = errors.probability_of_label[errors.order]
    assert (np.diff(doubts[: errors.num_likely]) >= 0).all()
    assert (np.diff(doubts[errors.num_likely :]) >= 0).all()


def test_with_too_few_groups_of_a_label_there_is_no_ranking():
    assert find_label_errors(["雪", "雨"] * 10, np.array([0, 1] * 10), np.array([0, 1] * 10)) is None


@pytest.mark.slow
def test_on_the_published_corpus_half_of_the_flipped_labels_are_in_the_most_doubtful_tenth(shared):
    posts = load_corpus(shared / "data" / "Rumor_Dataset.zip").posts
    texts = posts["text"][:]
    labels, flipped = flip(np.array(posts["label"][:]), 0)
    errors = find_label_errors(texts, labels, find_near_duplicates(texts).groups)
    assert np.isin(flipped, errors.order[: len(labels) // 10]).mean() >= 0.5
