import numpy as np
import pytest

from hf_rumor.evaluation.metrics import Scored
from hf_rumor.evaluation.slices import PostTraits, measure_slices, slice_names


def traits(num_posts, **columns):
    defaults = {"num_characters": 60, "posted_at": None, "has_url": None, "num_reposts": 0, "author_verified": None}
    return PostTraits(**{name: [value] * num_posts for name, value in defaults.items()} | columns)


def slices_of(posts, labels, predicted, groups=None):
    groups = np.arange(len(labels)) if groups is None else groups
    return measure_slices(posts, Scored([], np.array(labels), np.array(predicted, dtype=float), 0.0), 0.5, groups)


def test_a_post_belongs_to_one_slice_of_each_trait():
    lengths = [0, 49, 50, 99, 100, 139, 140, 300]
    assert slice_names(traits(8, num_characters=lengths))["characters"] == [
        *["0 to 49"] * 2,
        *["50 to 99"] * 2,
        *["100 to 139"] * 2,
        *["140 and more"] * 2,
    ]


def test_years_are_those_of_china():
    assert slice_names(traits(2, posted_at=[1356969600, 1356969599]))["year"] == ["2013", "2012"]


def test_an_unknown_number_of_reposts_is_not_zero():
    assert slice_names(traits(3, num_reposts=[0, 3, None]))["has reposts"] == ["no", "yes", "unknown"]


def test_the_accuracy_of_a_slice_is_that_of_its_posts():
    rows = slices_of(traits(4, has_url=[True, True, False, None]), [1, 0, 1, 0], [1, 1, 1, 1])
    assert [(row.slice, row.num_posts, row.num_rumors, row.accuracy) for row in rows] == [
        ("no", 1, 1, 1.0),
        ("yes", 2, 1, 0.5),
        ("unknown", 1, 0, 0.0),
    ]


def test_a_trait_that_all_posts_share_is_skipped():
    assert slices_of(traits(3), [0, 1, 1], [0, 1, 0]) == ()


def test_near_duplicates_count_once():
    groups = np.array([0] * 40 + list(range(1, 41)))
    rows = slices_of(traits(80, num_reposts=[1] * 40 + [0] * 40), [1] * 80, [1] * 80, groups)
    assert {row.slice: row.too_small for row in rows} == {"yes": True, "no": False}


@pytest.mark.parametrize(("size", "too_small"), [(29, True), (30, False)])
def test_a_slice_with_few_posts_has_a_warning(size, too_small):
    posts, ones = traits(size + 40, num_reposts=[1] * size + [0] * 40), [1] * (size + 40)
    [row] = [row for row in slices_of(posts, ones, ones) if row.slice == "yes"]
    assert row.too_small is too_small
