import io

import pytest

from hf_rumor.corpus.formats import open_input, read_rows, table
from hf_rumor.errors import CorpusError


def rows(content, name="csv"):
    with open_input(io.BytesIO(content.encode()), name) as source:
        return list(read_rows(source))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_of_a_csv_is_that_of_its_header(delimiter):
    [row] = rows("\n\ufeffid,text\n\n1,停水\n".replace(",", delimiter).lstrip("\n"))
    assert row.values == {"id": "1", "text": "停水"}
    assert (row.number, row.where) == (1, "line 3")


def test_a_tsv_with_a_tab_in_its_header_is_separated_by_tabs_only():
    assert rows("text;a,b\tlabel\n停水\t1", "tsv")[0].values == {"text;a,b": "停水", "label": "1"}
    assert rows("text,label\n停水,1", "tsv")[0].values == {"text": "停水", "label": "1"}


def test_a_text_in_quotes_may_span_lines():
    first, second = rows('id,text\na,"停水，\n他说""真的""\n速转"\nb,晴\n')
    assert (first.values["text"], second.number, second.where) == ('停水，\n他说"真的"\n速转', 2, "line 5")


def test_a_quote_inside_a_text_is_a_character():
    assert [row.values["text"] for row in rows('id,text\na,身高6"的人\nb,晴\nc,屏幕5"\n')] == [
        '身高6"的人',
        "晴",
        '屏幕5"',
    ]


@pytest.mark.parametrize("max_lines", [1000, 2])
def test_a_quote_that_is_not_closed_costs_its_own_line(monkeypatch, max_lines):
    monkeypatch.setattr(table, "MAX_LINES", max_lines)
    read = rows('id,text\na,"停水\nb,晴\nc,"雪，\n大雪"\n\nd,"雨"x\ne,雨\n')
    assert [row.error is None for row in read] == [False, True, True, False, True]
    assert [row.values["text"] for row in read if row.values] == ["晴", "雪，\n大雪", "雨"]


def test_a_quote_in_a_tsv_without_quoting_swallows_no_row():
    first, second, third, fourth = rows('id\ttext\na\t"停水\nb\t晴\nc\t他说"\nd\t"雪\n雨"\n', "tsv")
    assert "a quoted text seems to span several rows" in first.error
    assert [row.values["text"] for row in (second, third, fourth)] == ["晴", '他说"', "雪\n雨"]


def test_a_row_of_another_length_keeps_its_id():
    row = rows("id,text\na,停水,速转\n")[0]
    assert (row.values["id"], row.error.split(".")[0]) == ("a", "3 fields, but 2 column names")
    assert "Add the missing name to the header, or put texts that contain ','" in row.error
    assert "1 field, but 2 column names. Add the missing value" in rows("id,text\na\n")[0].error


@pytest.mark.parametrize("header", [b"\xfd\xfe", b'"open'])
def test_a_broken_header_is_refused(header):
    with open_input(io.BytesIO(header + b"\na\n"), "csv") as source, pytest.raises(CorpusError, match="the header"):
        list(read_rows(source))


def test_an_empty_file_has_no_rows():
    assert rows("") == rows("\n\n") == []
