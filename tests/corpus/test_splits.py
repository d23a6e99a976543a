import logging
import math
from dataclasses import replace

import numpy as np
import pytest

from hf_rumor.corpus.splits import SPLITS, PostsToSplit, _hash, split_posts
from hf_rumor.errors import CorpusError


def make_columns(num_posts, *, rumors_per_100=45, num_groups=None, seed=0):
    """Return the columns of synthetic posts; each post is a group of its own unless a number of groups is given."""
    generator = np.random.default_rng(seed)
    ids = [f"{number * 7919 % 100003:06}" for number in range(num_posts)]
    return PostsToSplit(
        ids=ids,
        texts=[f"text {post_id}" for post_id in ids],
        labels=(generator.permutation(num_posts) * 100 / num_posts < rumors_per_100).astype(np.int64),
        posted_at=generator.integers(0, num_posts, size=num_posts).tolist(),  # some at the same time
        groups=np.arange(num_posts) if num_groups is None else generator.integers(num_groups, size=num_posts),
        parts=[("train", "train", "train", "validation", "test")[number % 5] for number in range(num_posts)],
    )


def select(columns, positions):
    """Return some of the posts, in this order."""
    return PostsToSplit(
        *([getattr(columns, name)[position] for position in positions] for name in ("ids", "texts")),
        columns.labels[positions],
        [columns.posted_at[position] for position in positions],
        columns.groups[positions],
        [columns.parts[position] for position in positions],
        [columns.sources[position] for position in positions] if columns.sources else (),
    )


def shuffled(columns, seed):
    """Return the same posts in another order, their groups with other numbers."""
    generator = np.random.default_rng(seed)
    numbers = generator.permutation(columns.groups.max() + 1)
    other = select(columns, generator.permutation(len(columns.ids)))
    return replace(other, groups=numbers[other.groups])


def ids_of_parts(split, columns):
    return {part: {columns.ids[position] for position in positions} for part, positions in split.parts().items()}


@pytest.mark.parametrize("name", SPLITS)
@pytest.mark.parametrize("num_posts", [60, 403])
def test_every_post_is_in_exactly_one_part(name, num_posts):
    split = split_posts(name, make_columns(num_posts, num_groups=num_posts // 2), seed=1)
    assert sorted(np.concatenate(list(split.parts().values())).tolist()) == list(range(num_posts))


@pytest.mark.parametrize("name", SPLITS)
@pytest.mark.parametrize("seed", [0, 13])
def test_a_split_does_not_depend_on_the_order_of_files(name, seed):
    columns = make_columns(203, num_groups=90)
    expected = ids_of_parts(split_posts(name, columns, seed=seed), columns)
    for order in range(3):
        other = shuffled(columns, order)
        assert ids_of_parts(split_posts(name, other, seed=seed), other) == expected


@pytest.mark.parametrize("name", SPLITS)
def test_seeds_give_different_splits_unless_the_posts_decide(name):
    columns = make_columns(203)
    tests = [frozenset(split_posts(name, columns, seed=seed).test.tolist()) for seed in range(4)]
    assert len(set(tests)) == (1 if name in ("chronological", "column") else 4)


@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_in_two_parts(seed):
    columns = make_columns(300, num_groups=80, seed=seed)
    parts = split_posts("grouped", columns, seed=seed).parts().values()
    groups = [set(columns.groups[positions].tolist()) for positions in parts]
    assert sum(map(len, groups)) == len(set.union(*groups)) == len(set(columns.groups.tolist()))


@pytest.mark.parametrize("seed", range(5))
def test_new_posts_do_not_change_the_assignment_of_others(seed):
    columns = make_columns(1600, num_groups=8000, seed=seed)
    before = select(columns, np.flatnonzero(columns.groups < 4000))
    assert 700 < len(before.ids) < 900
    for fold in range(5):
        old, new = (split_posts("grouped", posts, seed=seed, fold=fold) for posts in (before, columns))
        for part, positions in old.parts().items():
            assert {before.ids[i] for i in positions} <= {columns.ids[i] for i in new.parts()[part]}


@pytest.mark.parametrize("num_posts", [40, 100, 300, 3000])
@pytest.mark.parametrize("folds", [2, 5, 10])
def test_each_label_has_its_share_of_each_fold_within_a_half(num_posts, folds):
    columns = make_columns(num_posts, rumors_per_100=50)
    for label in (0, 1):
        num_label = int((columns.labels == label).sum())
        tests = [split_posts("grouped", columns, seed=1, folds=folds, fold=fold).test for fold in range(folds)]
        below = np.cumsum([(columns.labels[test] == label).sum() for test in tests])
        misses = np.abs(below / num_label - np.arange(1, folds + 1) / folds)
        assert misses.max() <= max(0.5 / folds, 0.5 / num_label) + 1e-9


def test_boundaries_of_large_corpora_are_those_of_the_hash():
    columns = make_columns(4000)
    hashes = [_hash(f"test 3 {digest}") for digest in columns.digests]
    for fold in range(5):
        test = split_posts("grouped", columns, seed=3, fold=fold).test
        assert sorted(test) == [position for position, value in enumerate(hashes) if fold <= 5 * value < fold + 1]


def test_the_assignment_of_a_group_depends_on_its_oldest_post_only():
    columns = make_columns(400, num_groups=200)
    later = replace(columns, texts=[*columns.texts])
    for position in range(400):
        others = np.flatnonzero(columns.groups == columns.groups[position])
        if columns.posted_at[position] > min(columns.posted_at[other] for other in others):
            later.texts[position] = f"another text {position}"
    one, other = (split_posts("grouped", posts, seed=0) for posts in (columns, later))
    assert [part.tolist() for part in one.parts().values()] == [part.tolist() for part in other.parts().values()]


def test_labels_have_equal_shares_in_all_parts_of_the_random_split():
    columns = make_columns(1000)
    for positions in split_posts("random", columns, seed=0).parts().values():
        assert columns.labels[positions].mean() == pytest.approx(0.45, abs=0.01)


@pytest.mark.parametrize("name", ["random", "chronological"])
def test_a_fifth_is_test_and_a_tenth_of_the_rest_validation(name):
    split = split_posts(name, make_columns(1000), seed=0)
    assert {part: len(positions) for part, positions in split.parts().items()} == {
        "train": 720,
        "validation": 80,
        "test": 200,
    }


@pytest.mark.parametrize("num_posts", [80, 81, 87, 88, 3387])
def test_an_eighth_rounded_up_is_test_in_every_8th(num_posts):
    split = split_posts("every_8th", make_columns(num_posts), seed=0)
    assert len(split.test) == math.ceil(num_posts / 8)
    assert len(split.validation) == pytest.approx((num_posts - len(split.test)) / 10, abs=1)


def test_the_parts_of_the_chronological_split_are_in_order_of_time():
    columns = make_columns(203)
    split = split_posts("chronological", columns, seed=0)
    train, validation, test = ([columns.posted_at[i] for i in part] for part in split.parts().values())
    assert max(train) <= min(validation) <= max(validation) <= min(test)


@pytest.mark.parametrize("name", ["grouped", "random", "every_8th", "column"])
def test_posts_of_a_part_are_in_the_order_of_their_ids(name):
    columns = make_columns(203)
    for positions in split_posts(name, columns, seed=0).parts().values():
        ids = [columns.ids[position] for position in positions]
        assert ids == sorted(ids)


def test_development_is_training_and_validation():
    split = split_posts("grouped", make_columns(100), seed=0)
    assert set(split.development().tolist()) == set(range(100)) - set(split.test.tolist())


def refused(name, columns, seed=0):
    """Return the message of the `CorpusError` of a split, which is one line."""
    with pytest.raises(CorpusError) as caught:
        split_posts(name, columns, seed=seed)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", sorted(SPLITS.keys() - {"column"}))
@pytest.mark.parametrize(
    ("num_posts", "rumors_per_100", "numbers"),
    [
        (100, 0, "100 non-rumor, 0 rumor"),
        (100, 100, "0 non-rumor, 100 rumor"),
        (100, 19, "81 non-rumor, 19 rumor"),
        (30, 50, "15 non-rumor, 15 rumor"),
        (0, 50, "0 non-rumor, 0 rumor"),
    ],
)
def test_too_few_posts_of_a_label_are_refused_with_their_numbers(name, num_posts, rumors_per_100, numbers):
    columns = make_columns(num_posts, rumors_per_100=rumors_per_100)
    message = refused(name, columns)
    assert "but at least 20 of each label are needed" in message
    assert numbers in message


@pytest.mark.parametrize("name", SPLITS)
@pytest.mark.parametrize("seed", range(3))
def test_20_posts_of_each_label_are_enough(name, seed):
    assert 4 <= len(split_posts(name, make_columns(40, rumors_per_100=50), seed=seed).test) <= 12


def test_20_folds_of_20_posts_of_each_label_have_one_of_each():
    columns = make_columns(40, rumors_per_100=50)
    for fold in range(20):
        test = split_posts("grouped", columns, seed=0, folds=20, fold=fold).test
        assert sorted(columns.labels[test]) == [0, 1]


def test_the_chronological_split_refuses_posts_without_a_time():
    columns = make_columns(100)
    columns.posted_at[3] = columns.posted_at[9] = None
    message = refused("chronological", columns)
    assert "2 of 100 posts have no time" in message
    assert "posted_at" in message


@pytest.mark.parametrize(
    ("part", "rumors"),
    [("train", range(72, 100)), ("validation", [*range(30), *range(90, 100)]), ("test", range(40, 76))],
)
def test_a_part_with_one_label_only_is_refused(part, rumors):
    columns = make_columns(100)  # of which 0 to 71 train, 72 to 79 validation, 80 to 99 test
    labels = np.array([int(position in rumors) for position in range(100)])
    columns = replace(columns, posted_at=list(range(100)), labels=labels)
    assert f"the {part} set of the chronological split" in refused("chronological", columns)


@pytest.mark.parametrize("num_groups", [1, 3, 5])
@pytest.mark.parametrize("seed", range(3))
def test_too_few_groups_are_refused(num_groups, seed):
    columns = replace(make_columns(100, rumors_per_100=50), groups=np.arange(100) % num_groups)
    assert "but at least 1 of each label are needed" in refused("grouped", columns, seed)


def test_the_column_split_is_that_of_the_corpus():
    columns = make_columns(100)
    split = split_posts("column", columns, seed=0)
    for part, positions in split.parts().items():
        assert {columns.parts[position] for position in positions} == {part}


def test_a_missing_validation_part_is_cut_off_training_and_reported(caplog):
    caplog.set_level(logging.INFO)
    columns = make_columns(500, num_groups=300)
    columns = replace(columns, parts=["test" if part == "test" else "train" for part in columns.parts])
    split = split_posts("column", columns, seed=0)
    assert {columns.parts[position] for position in split.development()} == {"train"}
    assert not set(columns.groups[split.train]) & set(columns.groups[split.validation])
    assert len(split.validation) == pytest.approx(40, abs=15)
    assert "no validation set" in caplog.text


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([None] * 100, "100 of 100 posts are in none of train, validation, test"),
        (["train"] * 99 + [None], "1 of 100 posts are in none of"),
        (["train"] * 100, "the test set of the column split: 0 non-rumor, 0 rumor"),
        (["test"] * 100, "the train set of the column split: 0 non-rumor, 0 rumor"),
    ],
)
def test_a_column_without_the_parts_is_refused(parts, words):
    assert words in refused("column", replace(make_columns(100), parts=parts))


def test_an_unknown_split_is_refused():
    with pytest.raises(CorpusError, match="Use one of grouped"):
        split_posts("no_such_split", make_columns(100), seed=0)


@pytest.mark.parametrize("name", ["grouped", "random"])
@pytest.mark.parametrize("folds", [2, 5, 20])
def test_the_folds_contain_each_post_once_and_the_first_is_the_split_without_folds(name, folds):
    columns = make_columns(403, num_groups=200)
    tests = [split_posts(name, columns, seed=3, folds=folds, fold=fold).test for fold in range(folds)]
    assert sorted(np.concatenate(tests).tolist()) == list(range(403))
    if folds == 5:
        assert (tests[0] == split_posts(name, columns, seed=3).test).all()


def test_groups_stay_together_in_every_fold():
    columns = make_columns(403, num_groups=200)
    for fold in range(4):
        split = split_posts("grouped", columns, seed=0, folds=4, fold=fold)
        assert not set(columns.groups[split.test]) & set(columns.groups[split.development()])
        assert split.fold == f"{fold} of 4"


@pytest.mark.parametrize(("folds", "fold"), [(1, 0), (21, 0), (5, 5), (5, -1)])
def test_a_fold_that_does_not_exist_is_refused(folds, fold):
    with pytest.raises(CorpusError, match=r"Use (2 to 20|0 to 4)\."):
        split_posts("grouped", make_columns(100), seed=0, folds=folds, fold=fold)


@pytest.mark.parametrize("name", ["chronological", "every_8th", "column"])
def test_splits_without_folds_refuse_them(name):
    assert split_posts(name, make_columns(100), seed=0).fold is None
    with pytest.raises(CorpusError, match="Use --split grouped or random"):
        split_posts(name, make_columns(100), seed=0, folds=4)


def two_sources(num_posts=400):
    """Return posts of two sources, without near-duplicates across them."""
    columns = make_columns(num_posts, num_groups=num_posts // 2)
    return replace(columns, sources=["ab"[group % 2] for group in columns.groups])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_grouped_parts_of_a_source_are_those_it_has_alone(seed):
    columns = two_sources()
    positions = np.flatnonzero(np.array(columns.sources) == "a")
    alone = select(columns, positions)
    parts, whole = (split_posts("grouped", posts, seed=seed) for posts in (alone, columns))
    for part, ids in ids_of_parts(whole, columns).items():
        assert ids & set(alone.ids) == ids_of_parts(parts, alone)[part]


@pytest.mark.parametrize("name", ["grouped", "random"])
def test_each_label_of_each_source_has_its_share_of_the_test_set(name):
    columns = two_sources(2000)
    test = split_posts(name, columns, seed=0).test
    for stratum in range(4):
        assert np.mean(columns.strata[test] == stratum) == pytest.approx(np.mean(columns.strata == stratum), abs=0.03)


def test_the_source_that_is_left_out_is_the_test_set():
    columns = two_sources()
    split = split_posts("leave_out:b", columns, seed=0)
    assert {columns.sources[position] for position in split.test} == {"b"}
    assert {columns.sources[position] for position in split.development()} == {"a"}
    assert not set(columns.groups[split.train]) & set(columns.groups[split.validation])
    assert len(split.validation) == pytest.approx(len(split.development()) / 10, abs=3)


@pytest.mark.parametrize(("sources", "words"), [((), "one source only"), (["a", "b"] * 100, "the corpus has a, b")])
def test_a_source_that_does_not_exist_cannot_be_left_out(sources, words):
    with pytest.raises(CorpusError, match=words):
        split_posts("leave_out:c", replace(make_columns(200), sources=sources), seed=0)
