import pytest

from hf_rumor.corpus.catalogue import catalogue, named_in, recognize, recognize_by_size
from hf_rumor.corpus.columns import Columns, find_columns
from hf_rumor.corpus.formats import FORMATS


@pytest.mark.parametrize("known", catalogue(), ids=lambda known: known.name)
def test_each_entry_is_recognized_and_can_be_read(known):
    if known.num_posts:
        assert recognize_by_size(known.format, known.num_posts) == known
        assert recognize_by_size(known.format, [2, 2]) is recognize(known.format, []) is None
    elif known.format:
        assert recognize(known.format, []) == known
    else:
        columns = known.columns | known.leaking_columns
        assert recognize("csv", columns) == recognize("jsonl", known.columns) == known
        assert {"text", "label"} <= find_columns(tuple(columns), Columns()).keys()
    assert known.format is None or known.format in FORMATS
    assert known.citation
    assert known.license


def test_findings_name_a_corpus():
    assert [known.name for known in named_in(["known_corpora", "known_corpora: LTCR"])] == ["LTCR"]


def test_names_are_distinct():
    names = [known.name for known in catalogue()]
    assert len(set(names)) == len(names)


def test_another_column_is_another_corpus():
    for known in catalogue():
        if known.columns:
            assert recognize("csv", known.columns | {"another"}) is None
            assert recognize("csv", sorted(known.columns)[1:]) is None


def test_a_table_of_own_posts_is_not_recognized():
    assert recognize("csv", ["id", "text", "label"]) is None
