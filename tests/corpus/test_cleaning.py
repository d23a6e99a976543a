import pytest

from hf_rumor.corpus.cleaning import posts_to_keep


def clean(posts):
    """Return positions and findings (those that occurred) of posts given as (id, text, label)."""
    kept, findings = posts_to_keep(*(list(column) for column in zip(*posts, strict=True)))
    return kept, dict(+findings)


@pytest.mark.parametrize(
    ("posts", "kept", "findings"),
    [
        ([("1", "雪", 0), ("2", "雨", 1)], [0, 1], {}),
        ([("1", "", 0), ("2", "雨", 1)], [1], {"empty_texts": 1}),
        ([("1", "雪", 0), ("1", "雨", 1), ("1", "风", 1)], [0], {"duplicate_ids": 2}),
        ([("1", "雪", 0), ("2", "雪", 1), ("3", "雨", 1)], [2], {"conflicting_labels": 2}),
        ([("1", "雪", 0), ("2", "雪", 0), ("3", "雪", 1)], [], {"conflicting_labels": 3}),
        ([("1", "雪 A", 0), ("2", "雪a", 1)], [], {"conflicting_labels": 2}),  # blanks and case do not matter
        ([("1", "雪", 1), ("2", "雪", 1)], [0, 1], {}),  # copies under one label stay
        ([("1", "", 0), ("1", "雨", 1)], [1], {"empty_texts": 1}),  # an empty post does not take an id
        ([("1", "雪", 0), ("1", "雨", 1), ("2", "雨", 0)], [0, 2], {"duplicate_ids": 1}),  # nor does a repeated one
    ],
)
def test_what_is_empty_repeats_or_contradicts_is_left_out_and_counted(posts, kept, findings):
    assert clean(posts) == (kept, findings)


def test_no_post_gives_no_post():
    assert posts_to_keep([], [], [])[0] == []


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        posts_to_keep(["1", "2"], ["雪"], [0])
