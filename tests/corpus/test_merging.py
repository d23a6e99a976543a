import numpy as np
import pytest

from hf_rumor.corpus.merging import MIN_VOTES, Part, merge


TEXTS = ["".join(chr(0x4E00 + 97 * number + 31 * place) for place in range(20)) for number in range(MIN_VOTES)]
LABELS = np.arange(MIN_VOTES) % 2


def part(name, texts, labels, *, by_convention=False):
    return Part(name, texts, np.array(labels, dtype=np.int64), by_convention)


def test_posts_within_a_source_stay_and_copies_of_an_earlier_source_do_not():
    a, b = part("a", [TEXTS[0], TEXTS[0]], [1, 1]), part("b", [TEXTS[0] + "！", "今天晴"], [1, 0])
    for parts, kept in (((a, b), ([0, 1], [1])), ((b, a), ([0, 1], []))):
        assert [found.kept.tolist() for found in merge(parts)[0]] == list(kept)
    assert [found.kept.tolist() for found in merge((a, b), keep_copies=True)[0]] == [[0, 1], [0, 1]]


def test_copies_and_those_with_the_other_label_are_counted():
    found = merge([part("a", TEXTS, LABELS), part("b", TEXTS[:3], [*LABELS[:2], 1 - LABELS[2]])])[0][1].findings
    assert (found["copies_dropped"], found["copies_with_other_label"]) == (3, 1)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_inverted_labels_are_exchanged_if_nothing_says_what_they_mean(order, caplog):
    clear, inverted = part("clear", TEXTS, LABELS), part("inverted", TEXTS, 1 - LABELS, by_convention=True)
    parts = [(clear, inverted)[number] for number in order]
    found, _ = merge(parts)
    assert [one.is_exchanged for one in found] == [one.by_convention for one in parts]
    assert f"inverted: 0 = rumor, 1 = non-rumor, since {MIN_VOTES} of {MIN_VOTES} near-duplicates" in caplog.text
    assert sum(one.findings["copies_with_other_label"] for one in found) == 0


@pytest.mark.parametrize(
    ("labels", "num_posts", "by_convention"),
    [(1 - LABELS, MIN_VOTES, False), (1 - LABELS, MIN_VOTES - 1, True), (LABELS, MIN_VOTES, True)],
    ids=["clear labels", "too few near-duplicates", "the usual meaning"],
)
def test_other_labels_stay(labels, num_posts, by_convention):
    other = part("b", TEXTS[:num_posts], labels[:num_posts], by_convention=by_convention)
    assert [found.is_exchanged for found in merge([part("a", TEXTS, LABELS), other])[0]] == [False, False]


def test_two_sources_without_clear_labels_do_not_vote():
    parts = [part(name, TEXTS, labels, by_convention=True) for name, labels in (("a", LABELS), ("b", 1 - LABELS))]
    found, _ = merge(parts)
    assert [one.is_exchanged for one in found] == [False, False]
    assert found[1].findings["copies_with_other_label"] == MIN_VOTES
