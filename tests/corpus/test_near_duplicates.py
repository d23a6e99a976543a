import random
from itertools import combinations

import numpy as np
import pytest

from hf_rumor.corpus.near_duplicates import THRESHOLD, find_near_duplicates, jaccard, normalise, shingles


def partition(groups, names):
    """Return the groups as a set of sets of names."""
    return {frozenset(name for name, group in zip(names, groups, strict=True) if group == one) for one in set(groups)}


@pytest.fixture(scope="module")
def texts(make_posts):
    """Return 60 invented texts, and for 20 of them copies with ever more characters replaced."""
    generator = random.Random(3)
    originals = [post.text for post in make_posts(60, seed=3)]
    copies = []
    for original in originals[:20]:
        for num_changes in (0, 1, 2, 3, 5):
            copy = list(original)
            for position in generator.sample(range(len(copy)), num_changes):
                copy[position] = generator.choice("甲乙丙丁")
            copies.append("".join(copy))
    return originals + copies


def test_the_pairs_are_those_of_an_exhaustive_comparison(texts):
    found = find_near_duplicates(texts)
    distinct = list(dict.fromkeys(normalise(text) for text in texts))
    expected = [
        (i, j) for i, j in combinations(range(len(distinct)), 2) if jaccard(distinct[i], distinct[j]) >= THRESHOLD
    ]
    assert len(expected) > 50
    assert list(map(tuple, found.pairs.tolist())) == expected


@pytest.mark.parametrize("at_a_time", [1, 7])
def test_the_pairs_do_not_depend_on_how_many_are_compared_at_a_time(texts, monkeypatch, at_a_time):
    expected = find_near_duplicates(texts).pairs
    monkeypatch.setattr("hf_rumor.corpus.near_duplicates._AT_A_TIME", at_a_time)
    assert np.array_equal(find_near_duplicates(texts).pairs, expected)


def test_of_many_variants_of_one_text_all_pairs_are_found():
    beginning = "听说明天起全市停水三天大家赶紧存水转发给家人看一看吧"
    variants = [f"{beginning}{chr(0x4E00 + number)}" for number in range(60)]
    found = find_near_duplicates(variants)
    assert list(map(tuple, found.pairs.tolist())) == list(combinations(range(60), 2))


def test_groups_are_the_chains_of_pairs(texts):
    found = find_near_duplicates(texts)
    neighbours = {number: {number} for number in found.text_ids.tolist()}
    for one, other in found.pairs.tolist():
        merged = neighbours[one] | neighbours[other]
        for number in merged:
            neighbours[number] = merged
    expected = partition([min(neighbours[number]) for number in found.text_ids.tolist()], range(len(texts)))
    assert partition(found.groups.tolist(), range(len(texts))) == expected


@pytest.mark.parametrize("seed", range(3))
def test_the_groups_do_not_depend_on_the_order(texts, seed):
    order = np.random.default_rng(seed).permutation(len(texts))
    groups = find_near_duplicates([texts[position] for position in order]).groups
    assert partition(groups.tolist(), order.tolist()) == partition(
        find_near_duplicates(texts).groups.tolist(), range(len(texts))
    )


def test_blanks_and_case_do_not_matter():
    found = find_near_duplicates(["Breaking 雪 NEWS", "breaking雪news", "\u3000BREAKING\n雪 news ", "晴"])
    assert found.text_ids.tolist() == [0, 0, 0, 1]
    assert found.groups[0] == found.groups[1] == found.groups[2] != found.groups[3]


def test_texts_that_share_nothing_are_alone():
    found = find_near_duplicates(["一二三四五六", "七八九十百千", "万", ""])
    assert len(found.pairs) == 0
    assert len(set(found.groups.tolist())) == 4


def test_no_text_at_all_has_no_groups():
    found = find_near_duplicates([])
    assert (len(found.text_ids), len(found.groups), found.pairs.shape) == (0, 0, (0, 2))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [("", [""]), ("雪", ["雪"]), ("一二三四五", ["一二三四五"]), ("一二三四五六", ["一二三四五", "二三四五六"])],
)
def test_shingles_are_the_pieces_of_five_characters(text, pieces):
    assert shingles(text) == {piece.encode() for piece in pieces}


@pytest.mark.parametrize(
    ("one", "other", "similarity"),
    [
        ("一二三四五六", "一二三四五六", 1.0),
        ("一二三四五六", "七八九十百千", 0.0),
        ("一二三四五六", "一二三四五", 1 / 2),  # {a, b} and {a}
        ("一二三四五六", "二三四五六七", 1 / 3),  # {a, b} and {b, c}
    ],
)
def test_similarity_by_hand(one, other, similarity):
    assert jaccard(one, other) == jaccard(other, one) == similarity


def test_a_pair_at_exactly_the_threshold_is_a_near_duplicate():
    assert find_near_duplicates(["一二三四五六", "一二三四五"]).pairs.tolist() == [[0, 1]]


@pytest.fixture
def chain():
    """Return four posts: a text, one near it, one near the second but not the first, and a copy of the third."""
    letters = "一二三四五六七八九十百千万亿"
    return find_near_duplicates([letters[:10], letters[2:12], letters[4:14], f" {letters[4:14]}"])


def test_a_chain_is_one_group(chain):
    assert chain.pairs.tolist() == [[0, 1], [1, 2]]
    assert len(set(chain.groups.tolist())) == 1


@pytest.mark.parametrize(
    ("held_out", "training", "leaking"),
    [
        ([2], [3], [2]),  # an exact copy
        ([0], [1], [0]),  # a near copy
        ([1], [0], [1]),  # the relation has no direction
        ([0], [2, 3], []),  # of the same group, but no near-duplicate
        ([0, 1, 2], [3], [1, 2]),
        ([0], [], []),
        ([], [0, 1], []),
        ([3, 1, 0], [2], [3, 1]),  # in the order asked for
    ],
)
def test_a_post_leaks_if_a_copy_or_a_near_copy_of_itself_is_in_training(chain, held_out, training, leaking):
    found = chain.leaking(np.array(held_out, dtype=np.int64), np.array(training, dtype=np.int64))
    assert found.tolist() == leaking
