import json

import pytest

from hf_rumor.audit.against import compare_corpora, to_text
from hf_rumor.cli import main as cli
from hf_rumor.corpus.arrow import load_corpus


def texts(first, num_posts):
    """Return texts without a common 5-gram."""
    numbers = range(first, first + num_posts)
    return ["".join(chr(0x4E00 + 97 * number + 31 * place) for place in range(20)) for number in numbers]


OURS = [*(f"速转{text}" for text in texts(0, 20)), *texts(20, 20)]
LABELS = [1] * 20 + [0] * 20


@pytest.fixture
def ours():
    return load_corpus(OURS, labels=LABELS)


@pytest.fixture
def theirs():
    """Return ten copies of our rumors, one of them with the other label, and posts that begin with one word."""
    others = [f"回复{text}" for text in texts(40, 30)]
    return load_corpus([*OURS[:10], *others], labels=[*[1] * 9, 0, *[0] * 30])


def test_shared_posts_labels_and_pieces_are_counted(ours, theirs):
    against = compare_corpora(ours, theirs)
    assert (against.same_label, against.other_label) == (9, 1)
    assert (against.first.copies, against.other.copies) == (10, 10)
    assert against.first.posts == {"non-rumor": 20, "rumor": 20}
    assert any("回" in piece for piece in against.other.typical)
    giveaway = next(one for one in against.giveaways if one.label == "rumor")
    assert giveaway.piece in "速转"
    assert (giveaway.num_rumors, giveaway.num_non_rumors) == ((20, 9), (0, 1))
    assert against.area > 0.6
    assert "rumor      " + giveaway.piece in to_text(against)


def test_a_corpus_against_itself_is_all_copies_and_cannot_be_distinguished(ours):
    against = compare_corpora(ours, ours)
    assert against.first.copies == against.other.copies == against.same_label == 40
    assert against.other_label == 0
    assert against.first.typical == against.other.typical == []
    assert against.area <= 0.5


def test_the_verb_prints_both_corpora(tmp_path, capsys):
    rows = "".join(f"{text},{label}\n" for text, label in zip(OURS, LABELS, strict=True))
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    words = ["audit", "--data_path", str(tmp_path / "a.csv"), "--against", str(tmp_path / "b.csv")]
    assert cli.main(words) == 0
    printed = capsys.readouterr().out
    assert "with a near-duplicate in b.csv: 40 (100.0%)" in printed
    assert "labels of near-duplicates: 40 equal, 0 opposite" in printed
    assert cli.main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["same_label"] == 40
