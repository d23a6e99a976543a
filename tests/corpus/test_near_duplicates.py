import random
from itertools import combinations
from zlib import crc32

import numpy as np
import pytest

from hf_rumor.corpus.near_duplicates import (
    _COLUMNS,
    THRESHOLD,
    _pairs_in_buckets,
    find_near_duplicates,
    jaccard,
    shingles,
)
from hf_rumor.corpus.normalization import normalize


def partition(groups, names):
    """Return the groups as a set of sets of names."""
    return {frozenset(name for name, group in zip(names, groups, strict=True) if group == one) for one in set(groups)}


@pytest.fixture(scope="module")
def texts(make_posts):
    """Return 60 synthetic texts, and for 20 of them copies with more and more characters replaced."""
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


def near_pairs(texts):
    """Return the positions of near-duplicates, by comparing all with all."""
    clean = [normalize(text) for text in texts]
    return [(i, j) for i, j in combinations(range(len(clean)), 2) if jaccard(clean[i], clean[j]) >= THRESHOLD]


def chains(texts):
    """Return the groups of positions that pairs of near-duplicates link, by comparing all with all."""
    members = {number: {number} for number in range(len(texts))}
    for one, other in near_pairs(texts):
        merged = members[one] | members[other]
        for number in merged:
            members[number] = merged
    return {frozenset(group) for group in members.values()}


@pytest.mark.parametrize("at_a_time", [10_000, 7, 1])
def test_groups_are_the_chains_of_pairs(texts, monkeypatch, at_a_time):
    monkeypatch.setattr("hf_rumor.corpus.near_duplicates._AT_A_TIME", at_a_time)
    expected = chains(texts)
    assert len(expected) < len(texts) - 50
    assert partition(find_near_duplicates(texts).groups.tolist(), range(len(texts))) == expected


@pytest.mark.parametrize("at_a_time", [10_000, 7, 1])
def test_each_pair_of_a_bucket_with_two_classes_is_yielded(monkeypatch, at_a_time):
    monkeypatch.setattr("hf_rumor.corpus.near_duplicates._AT_A_TIME", at_a_time)
    generator = np.random.default_rng(0)
    keys, classes = generator.integers(0, 4, 60).astype(np.uint64), generator.integers(-1, 9, 60)
    assert {frozenset(pair) for pairs in _pairs_in_buckets(keys, classes) for pair in pairs.tolist()} == {
        frozenset((i, j))
        for i, j in combinations(range(60), 2)
        if keys[i] == keys[j] and classes[i] != classes[j] and classes[i] >= 0 and classes[j] >= 0
    }


@pytest.mark.parametrize("seed", range(5))
def test_leakage_equals_an_exhaustive_comparison(texts, seed):
    order = np.random.default_rng(seed).permutation(len(texts))
    held_out, training = order[:40], order[40:100]
    near = {frozenset(pair) for pair in near_pairs(texts)}
    expected = [one for one in held_out.tolist() if any({one, other} in near for other in training.tolist())]
    assert 0 < len(expected) < len(held_out)
    assert find_near_duplicates(texts).leaking(held_out, training).tolist() == expected


def test_few_pairs_of_many_variants_are_compared(monkeypatch):
    compared = []
    monkeypatch.setattr(
        "hf_rumor.corpus.near_duplicates.jaccard", lambda *pair: compared.append(pair) or jaccard(*pair)
    )
    monkeypatch.setattr("hf_rumor.corpus.near_duplicates._AT_A_TIME", 50)
    beginning = "听说明天起全市停水三天大家赶紧存水转发给家人看一看吧"
    duplicates = find_near_duplicates([f"{beginning}{chr(0x4E00 + number)}" for number in range(300)])
    assert len(set(duplicates.groups.tolist())) == 1
    assert len(compared) < 600
    compared.clear()
    assert len(duplicates.leaking(np.arange(100), np.arange(100, 300))) == 100
    assert len(compared) < 200


@pytest.mark.parametrize("seed", range(3))
def test_the_groups_do_not_depend_on_the_order(texts, seed):
    order = np.random.default_rng(seed).permutation(len(texts))
    groups = find_near_duplicates([texts[position] for position in order]).groups
    assert partition(groups.tolist(), order.tolist()) == partition(
        find_near_duplicates(texts).groups.tolist(), range(len(texts))
    )


def test_whitespace_and_case_do_not_matter():
    duplicates = find_near_duplicates(["Breaking 雪 NEWS", "breaking雪news", "\u3000BREAKING\n雪 news ", "晴"])
    assert duplicates.text_ids.tolist() == [0, 0, 0, 1]
    assert duplicates.groups[0] == duplicates.groups[1] == duplicates.groups[2] != duplicates.groups[3]


def test_texts_without_common_shingles_are_not_grouped():
    duplicates = find_near_duplicates(["一二三四五六", "七八九十百千", "万", ""])
    assert len(set(duplicates.groups.tolist())) == 4


def test_no_texts_have_no_groups():
    duplicates = find_near_duplicates([])
    assert (len(duplicates.text_ids), len(duplicates.groups)) == (0, 0)
    assert len(duplicates.leaking(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))) == 0


@pytest.mark.parametrize(
    ("text", "pieces"),
    [("", [""]), ("雪", ["雪"]), ("一二三四五", ["一二三四五"]), ("一二三四五六", ["一二三四五", "二三四五六"])],
)
def test_shingles_have_five_characters(text, pieces):
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


def test_hash_collisions_of_shingles_hide_no_pair():
    one, other = "喏糕澢笯仏", "倳圃誢缅签"
    assert len({crc32(text.encode()) % _COLUMNS for text in (one, other)}) == 1
    texts = [f"{one}{other}{end}" for end in ("甲乙丙", "丁戊己")]
    assert jaccard(*texts) == THRESHOLD
    duplicates = find_near_duplicates(texts)
    assert duplicates.groups.tolist() == [0, 0]
    assert duplicates.leaking(np.array([0]), np.array([1])).tolist() == [0]


def test_the_hashed_shingles_take_four_bytes_each(texts):
    assert find_near_duplicates(texts).fingerprints.shingles.indices.dtype == np.int32


def test_long_texts_are_compared_part_by_part(texts, monkeypatch):
    expected = find_near_duplicates(texts).groups
    monkeypatch.setattr("hf_rumor.corpus.near_duplicates._SHINGLES_AT_A_TIME", 100)
    assert np.array_equal(find_near_duplicates(texts).groups, expected)


def test_a_pair_at_exactly_the_threshold_is_a_near_duplicate():
    assert find_near_duplicates(["一二三四五六", "一二三四五"]).groups.tolist() == [0, 0]


@pytest.fixture
def chain():
    """Return four posts: a text, one near it, one near the second but not the first, and a copy of the third."""
    letters = "一二三四五六七八九十百千万亿"
    return find_near_duplicates([letters[:10], letters[2:12], letters[4:14], f" {letters[4:14]}"])


def test_a_chain_is_one_group(chain):
    assert len(set(chain.groups.tolist())) == 1


@pytest.mark.parametrize(
    ("held_out", "training", "leaking"),
    [
        ([2], [3], [2]),  # an exact copy
        ([0], [1], [0]),  # a near copy
        ([1], [0], [1]),  # the relation is symmetric
        ([0], [2, 3], []),  # of the same group, but not a near-duplicate
        ([0, 1, 2], [3], [1, 2]),
        ([0], [], []),
        ([], [0, 1], []),
        ([3, 1, 0], [2], [3, 1]),  # in the order of the held-out posts
    ],
)
def test_a_post_leaks_if_a_near_duplicate_is_in_training(chain, held_out, training, leaking):
    assert chain.leaking(np.array(held_out, dtype=int), np.array(training, dtype=int)).tolist() == leaking


def test_near_duplicates_among_some_posts_are_those_of_a_search_among_them(texts):
    found = find_near_duplicates(texts)
    for step in (1, 2, 5):
        some = np.arange(0, len(texts), step)
        among = found.among(some)
        names = range(len(some))
        assert partition(among.groups.tolist(), names) == chains([texts[number] for number in some])
        half = len(some) // 2
        direct = find_near_duplicates([texts[number] for number in some])
        assert (
            among.leaking(np.arange(half), np.arange(half, len(some))).tolist()
            == direct.leaking(np.arange(half), np.arange(half, len(some))).tolist()
        )
        np.testing.assert_array_equal(found.sketches(some), among.sketches(np.arange(len(some))))
