import random

import pytest

from hf_rumor.corpus.cleaning import clean_posts
from hf_rumor.corpus.normalization import normalize


def clean(posts):
    """Return positions, ids and findings of posts given as (id, text, label)."""
    ids, texts, labels = zip(*posts, strict=True)
    return clean_posts(ids, [normalize(text) for text in texts], labels)


@pytest.mark.parametrize(
    ("posts", "kept", "findings"),
    [
        ([("1", "雪", 0), ("2", "雨", 1)], [0, 1], {}),
        ([("1", "", 0), ("2", "雨", 1)], [1], {"empty_texts": 1}),
        ([("1", "雪", 0), ("1", "雪 ", 0), ("1", "雨", 1)], [0, 2], {"duplicate_ids": 1, "shared_ids": 2}),
        ([("1", "雪", 0), ("2", "雪", 1), ("3", "雨", 1)], [2], {"conflicting_labels": 2}),
        ([("1", "雪", 0), ("1", "雪", 1), ("3", "雨", 1)], [2], {"conflicting_labels": 2}),
        ([("1", "雪 A", 0), ("2", "雪a", 1)], [], {"conflicting_labels": 2}),  # spaces and case do not matter
        ([("1", "雪", 1), ("2", "雪", 1)], [0, 1], {}),  # copies under one label stay
        ([("1", "", 0), ("1", "雨", 1)], [1], {"empty_texts": 1}),  # an empty post does not take an id
    ],
)
def test_empty_repeated_and_contradicting_posts_are_skipped_and_counted(posts, kept, findings):
    positions, _, counts = clean(posts)
    assert (positions, dict(+counts)) == (kept, findings)


def test_texts_that_share_an_id_stay_with_ids_of_their_own_in_any_order():
    posts = [("4.75E+15", f"第{number}则", number % 2) for number in range(50)] + [("7", "雪", 0)]
    assignments = []
    for seed in range(3):
        random.Random(seed).shuffle(posts)
        kept, ids, findings = clean(posts)
        assert len(kept) == len(set(ids)) == 51
        assert findings["shared_ids"] == 50
        assignments.append({text: post_id for post_id, (_, text, _) in zip(ids, posts, strict=True)})
    assert assignments[0] == assignments[1] == assignments[2]
    assert {"4.75E+15", "7"} <= set(assignments[0].values())


def test_no_posts_are_no_error():
    assert clean_posts([], [], [])[:2] == ([], [])
