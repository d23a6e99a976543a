import numpy as np
import pytest

from hf_rumor.audit.giveaways import find_giveaways


def arrays(posts):
    return [post.text for post in posts], np.array([int(post.is_rumor) for post in posts])


def alone(labels):
    return np.arange(len(labels))


def test_a_character_of_one_label_is_found_with_its_counts(make_posts):
    texts, labels = arrays(make_posts(120))
    texts = [f"{text}※" if label else text for text, label in zip(texts, labels, strict=True)]
    first, *_ = find_giveaways(texts, labels, alone(labels))
    assert (first.piece, first.label) == ("※", "rumor")
    assert (first.num_rumors, first.num_non_rumors, first.accuracy) == (60, 0, 1.0)


def test_a_word_is_found_for_the_label_that_it_indicates(make_posts):
    texts, labels = arrays(make_posts(120))
    texts = [text if label else f"{text} Weather" for text, label in zip(texts, labels, strict=True)]
    giveaways = find_giveaways(texts, labels, alone(labels))
    assert [(giveaway.piece, giveaway.label) for giveaway in giveaways] == [("weather", "non-rumor")]


@pytest.mark.parametrize("seed", range(5))
def test_random_texts_give_nothing_away(make_posts, seed):
    texts, labels = arrays(make_posts(200, seed))
    assert find_giveaways(texts, labels, alone(labels)) == []


def test_a_post_and_its_copies_count_once(make_posts):
    texts, labels = arrays(make_posts(120))
    rumors = np.flatnonzero(labels)[:30]
    for position in rumors:
        texts[position] += "※"
    assert find_giveaways(texts, labels, alone(labels))[0].num_rumors == 30
    groups = alone(labels)
    groups[rumors] = rumors[0]
    assert find_giveaways(texts, labels, groups) == []


def test_of_pieces_in_the_same_posts_one_is_reported(make_posts):
    texts, labels = arrays(make_posts(120))
    texts = [f"{text}【速转】" if label else text for text, label in zip(texts, labels, strict=True)]
    assert len(find_giveaways(texts, labels, alone(labels))) == 1


@pytest.mark.parametrize(("texts", "labels"), [(["雪", "雨"], [1, 1]), ([" ", "　"], [0, 1]), (["雪", "雨"], [0, 1])])
def test_corpora_with_one_label_or_too_few_texts_have_no_giveaways(texts, labels):
    assert find_giveaways(texts, np.array(labels), np.arange(2)) == []
