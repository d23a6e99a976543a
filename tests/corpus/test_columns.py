from argparse import Namespace

import pytest

from hf_rumor.corpus.columns import COLUMN_NAMES, Columns, columns_of, find_columns


@pytest.mark.parametrize("role", COLUMN_NAMES)
def test_every_usual_name_is_found_in_any_case_and_the_first_one_counts(role):
    usual = COLUMN_NAMES[role]
    for name in usual:
        assert find_columns((name,), Columns()) == {role: name}
        assert find_columns((f" {name.upper()} ",), Columns()) == {role: f" {name.upper()} "}
    assert find_columns(tuple(reversed(usual)), Columns())[role] == usual[0]


def test_a_named_column_takes_the_place_of_the_usual_ones():
    assert find_columns(("text", "Body"), Columns(text="body")) == {"text": "Body"}
    assert find_columns(("text",), Columns(text="body")) == {}


def test_keys_beside_a_nested_text_are_columns_but_deeper_ones_are_not():
    names = ("mblog.text", "mblog.id", "mblog.user.id", "label")
    assert find_columns(names, Columns()) == {"text": "mblog.text", "id": "mblog.id", "label": "label"}
    assert find_columns(("text", "user.text", "user.id"), Columns()) == {"text": "text"}


def test_flags_are_columns_and_a_label_map():
    flags = Namespace(text_column="a", label_column=None, id_column="c", label_map='{"x": "rumor", "y": "non-rumor"}')
    assert columns_of(flags) == Columns("a", None, "c", (("x", True), ("y", False)))
