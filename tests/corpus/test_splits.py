import math

import numpy as np
import pytest

from hf_rumor.corpus.splits import SPLITS, split_posts
from hf_rumor.errors import CorpusError


def make_columns(num_posts, *, rumors_per_100=45, num_groups=None, seed=0):
    """Return columns of invented posts: ids, labels, times, groups (each a post of its own if not told)."""
    generator = np.random.default_rng(seed)
    return {
        "ids": [f"{number * 7919 % 100003:06}" for number in range(num_posts)],
        "labels": [int(share < rumors_per_100) for share in generator.permutation(num_posts) * 100 / num_posts],
        "posted_at": generator.integers(0, num_posts, size=num_posts).tolist(),  # some at the same time
        "groups": np.arange(num_posts) if num_groups is None else generator.integers(num_groups, size=num_posts),
    }


def shuffled(columns, seed):
    """Return the same posts in another order, their groups with other numbers."""
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(columns["ids"]))
    numbers = generator.permutation(columns["groups"].max() + 1)
    return {
        "ids": [columns["ids"][position] for position in order],
        "labels": [columns["labels"][position] for position in order],
        "posted_at": [columns["posted_at"][position] for position in order],
        "groups": numbers[columns["groups"][order]],
    }


def ids_of_parts(split, columns):
    return {part: {columns["ids"][position] for position in positions} for part, positions in split.parts().items()}


@pytest.mark.parametrize("name", SPLITS)
@pytest.mark.parametrize("num_posts", [60, 403])
def test_every_post_is_in_exactly_one_part(name, num_posts):
    split = split_posts(name, seed=1, **make_columns(num_posts, num_groups=num_posts // 2))
    assert sorted(np.concatenate(list(split.parts().values())).tolist()) == list(range(num_posts))


@pytest.mark.parametrize("name", SPLITS)
@pytest.mark.parametrize("seed", [0, 13])
def test_a_split_does_not_depend_on_the_order_of_files(name, seed):
    columns = make_columns(203, num_groups=90)
    expected = ids_of_parts(split_posts(name, seed=seed, **columns), columns)
    for order in range(3):
        other = shuffled(columns, order)
        assert ids_of_parts(split_posts(name, seed=seed, **other), other) == expected


@pytest.mark.parametrize("name", SPLITS)
def test_only_the_chronological_split_has_no_use_for_a_seed(name):
    columns = make_columns(203)
    tests = [frozenset(split_posts(name, seed=seed, **columns).test.tolist()) for seed in range(4)]
    assert len(set(tests)) == (1 if name == "chronological" else 4)


@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_in_two_parts(seed):
    columns = make_columns(300, num_groups=80, seed=seed)
    parts = split_posts("grouped", seed=seed, **columns).parts().values()
    groups = [set(columns["groups"][positions].tolist()) for positions in parts]
    assert sum(map(len, groups)) == len(set.union(*groups)) == len(set(columns["groups"].tolist()))


@pytest.mark.parametrize("name", ["grouped", "random"])
def test_labels_have_equal_shares_in_all_parts(name):
    columns = make_columns(1000)
    labels = np.array(columns["labels"])
    for positions in split_posts(name, seed=0, **columns).parts().values():
        assert labels[positions].mean() == pytest.approx(0.45, abs=0.01)


@pytest.mark.parametrize("name", ["grouped", "random", "chronological"])
def test_a_fifth_is_test_and_a_tenth_of_the_rest_validation(name):
    split = split_posts(name, seed=0, **make_columns(1000))
    assert {part: len(positions) for part, positions in split.parts().items()} == {
        "train": 720,
        "validation": 80,
        "test": 200,
    }


@pytest.mark.parametrize("num_posts", [80, 81, 87, 88, 3387])
def test_every_8th_of_n_posts_has_an_eighth_rounded_up_as_test(num_posts):
    split = split_posts("every_8th", seed=0, **make_columns(num_posts))
    assert len(split.test) == math.ceil(num_posts / 8)
    assert len(split.validation) == pytest.approx((num_posts - len(split.test)) / 10, abs=1)


def test_every_8th_of_the_published_corpus_has_424_test_posts():
    assert len(split_posts("every_8th", seed=0, **make_columns(3387)).test) == 424


def test_no_training_post_is_newer_than_validation_and_none_of_those_newer_than_test():
    columns = make_columns(203)
    split = split_posts("chronological", seed=0, **columns)
    train, validation, test = ([columns["posted_at"][i] for i in part] for part in split.parts().values())
    assert max(train) <= min(validation) <= max(validation) <= min(test)


@pytest.mark.parametrize("name", ["grouped", "random", "every_8th"])
def test_posts_of_a_part_are_in_the_order_of_their_ids(name):
    columns = make_columns(203)
    for positions in split_posts(name, seed=0, **columns).parts().values():
        ids = [columns["ids"][position] for position in positions]
        assert ids == sorted(ids)


def test_development_is_training_and_validation():
    split = split_posts("grouped", seed=0, **make_columns(100))
    assert set(split.development().tolist()) == set(range(100)) - set(split.test.tolist())


def refused(name, columns, seed=0):
    """Return the message of the `CorpusError` of a split, which is one line."""
    with pytest.raises(CorpusError) as caught:
        split_posts(name, seed=seed, **columns)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", SPLITS)
@pytest.mark.parametrize(
    ("num_posts", "rumors_per_100", "found"),
    [
        (100, 0, "found 100 non-rumor, 0 rumor"),
        (100, 100, "found 0 non-rumor, 100 rumor"),
        (100, 19, "found 81 non-rumor, 19 rumor"),
        (30, 50, "found 15 non-rumor, 15 rumor"),
        (0, 50, "found 0 non-rumor, 0 rumor"),
    ],
)
def test_too_few_posts_of_a_label_are_refused_with_their_numbers(name, num_posts, rumors_per_100, found):
    columns = make_columns(num_posts, rumors_per_100=rumors_per_100)
    message = refused(name, columns)
    assert "the corpus: expected at least 20 posts of each label" in message
    assert found in message


@pytest.mark.parametrize("name", SPLITS)
def test_20_posts_of_each_label_are_enough(name):
    assert len(split_posts(name, seed=0, **make_columns(40, rumors_per_100=50)).test) in (5, 8)


def test_the_chronological_split_refuses_posts_without_a_time():
    columns = make_columns(100)
    columns["posted_at"][3] = columns["posted_at"][9] = None
    message = refused("chronological", columns)
    assert "found none for 2 of 100" in message
    assert "posted_at" in message


@pytest.mark.parametrize(
    ("part", "rumors"),
    [
        ("train", range(72, 100)),
        ("validation", [*range(30), *range(90, 100)]),
        ("test", range(40, 76)),
    ],
)
def test_a_part_with_one_label_only_is_refused(part, rumors):
    columns = make_columns(100)  # of which 0 to 71 train, 72 to 79 validation, 80 to 99 test
    columns["posted_at"] = list(range(100))
    columns["labels"] = [int(position in rumors) for position in range(100)]
    assert f"the {part} part of the chronological split" in refused("chronological", columns)


def test_a_group_that_leaves_too_little_for_training_is_refused():
    columns = make_columns(40, rumors_per_100=50)
    columns["groups"] = np.array([0 if position < 30 else position for position in range(40)])
    assert "what the test part of the grouped split leaves" in refused("grouped", columns)


@pytest.mark.parametrize(("num_groups", "wanted"), [(4, 5), (8, 10)])  # of the test part, of the validation part
def test_fewer_groups_than_parts_are_refused(num_groups, wanted):
    columns = make_columns(100, rumors_per_100=50)
    columns["groups"] = np.arange(100) % num_groups
    assert f"expected at least {wanted} groups of near-duplicates" in refused("grouped", columns)


def test_an_unknown_split_is_refused():
    with pytest.raises(CorpusError, match="expected one of grouped"):
        split_posts("no_such_split", seed=0, **make_columns(100))


@pytest.mark.parametrize("name", ["grouped", "random"])
@pytest.mark.parametrize("folds", [2, 5, 20])
def test_the_folds_hold_each_post_once_and_the_first_is_the_split_without_folds(name, folds):
    columns = make_columns(403, num_groups=200)
    tests = [split_posts(name, seed=3, folds=folds, fold=fold, **columns).test for fold in range(folds)]
    assert sorted(np.concatenate(tests).tolist()) == list(range(403))
    if folds == 5:
        assert (tests[0] == split_posts(name, seed=3, **columns).test).all()


def test_groups_stay_together_in_every_fold():
    columns = make_columns(403, num_groups=200)
    for fold in range(4):
        split = split_posts("grouped", seed=0, folds=4, fold=fold, **columns)
        assert not set(columns["groups"][split.test]) & set(columns["groups"][split.development()])
        assert split.fold == f"{fold} of 4"


@pytest.mark.parametrize(("folds", "fold"), [(1, 0), (21, 0), (5, 5), (5, -1)])
def test_a_fold_that_is_not_there_is_a_mistake(folds, fold):
    with pytest.raises(CorpusError, match=r"expected (2 to 20|one of 5) folds"):
        split_posts("grouped", seed=0, folds=folds, fold=fold, **make_columns(100))


@pytest.mark.parametrize("name", ["chronological", "every_8th"])
def test_splits_without_folds_say_so(name):
    assert split_posts(name, seed=0, **make_columns(100)).fold is None
    with pytest.raises(CorpusError, match="expected --split grouped or random"):
        split_posts(name, seed=0, folds=4, **make_columns(100))
