import io
import json

import pytest

from hf_rumor.corpus.readers import ID_COLUMNS, TEXT_COLUMNS
from hf_rumor.errors import ArgumentError
from hf_rumor.inference import items as module
from hf_rumor.inference.items import Item, format_of, read_items


def read(raw, form, text_column=None, id_column=None):
    data = raw if isinstance(raw, bytes) else raw.encode("utf-8")
    return list(read_items(io.BytesIO(data), form, text_column, id_column))


def test_lines_have_their_numbers_as_ids():
    assert read("停水\n下雪\r\n晴", "lines") == [Item(1, "停水"), Item(2, "下雪"), Item(3, "晴")]


def test_json_lines_have_the_ids_they_carry_else_their_numbers():
    raw = '{"id": "a", "text": "停水"}\n{"text": "下雪"}\n{"mid": 7, "content": "晴"}\n'
    assert read(raw, "jsonl") == [Item("a", "停水"), Item(2, "下雪"), Item(7, "晴")]


def test_columns_can_be_named():
    raw = json.dumps({"text": "不是它", "body": "停水", "key": "k"})
    assert read(raw, "jsonl", "body", "key") == [Item("k", "停水")]
    assert read("key,body\nk,停水\n", "csv", "body", "key") == [Item("k", "停水")]


def test_rows_of_a_table_may_span_lines_and_begin_with_a_mark():
    raw = '\ufeffid,text\na,"停水，\n速转"\nb,晴\n'
    assert read(raw, "csv") == [Item("a", "停水，\n速转"), Item("b", "晴")]
    assert read("text\tid\n停水\ta\n", "tsv") == [Item("a", "停水")]
    assert read("text\n停水\n", "csv") == [Item(1, "停水")]


@pytest.mark.parametrize(
    ("raw", "form", "said"),
    [
        ("", "lines", "expected a text, found none"),
        ("{", "jsonl", "expected a JSON object, found"),
        ("", "jsonl", "found an empty line"),
        ("[" * 100_000, "jsonl", "expected a JSON object, found"),
        ("[1]", "jsonl", "expected a JSON object, found list"),
        ('{"body": "停水"}', "jsonl", "expected a text in text or content or post, found none"),
        ('{"text": 3}', "jsonl", "found int"),
        ('{"text": " "}', "jsonl", "expected a text, found none"),
        (b"\xd7\xf2\xd2\xb9", "lines", "expected UTF-8, found byte 0xd7 at 0"),
    ],
)
def test_a_line_that_cannot_be_read_says_why_and_costs_no_other(raw, form, said):
    good = b'{"text": "\xe5\x81\x9c"}' if form == "jsonl" else b"\xe5\x81\x9c"
    data = raw if isinstance(raw, bytes) else raw.encode("utf-8")
    before, bad, after = read(good + b"\n" + data + b"\n" + good + b"\n", form)
    assert (before.text, after.text, bad.text) == ("停", "停", "")
    assert said in bad.error
    assert (before.id, bad.id, after.id) == (1, 2, 3)


def test_a_row_that_cannot_be_read_says_why_and_costs_no_other():
    raw = "id,text\na,停\nb\nc,".encode() + b"\xd7\xf2\xd2\xb9" + "\nd,\ne,停\n".encode()
    found = read(raw, "csv")
    assert [item.id for item in found] == ["a", "b", 3, "d", "e"]
    assert [item.error and item.error.split(",")[0] for item in found] == [
        None,
        "expected 2 columns",
        "expected UTF-8",
        "expected a text",
        None,
    ]


def test_a_quote_that_is_not_closed_costs_its_own_line(monkeypatch):
    raw = 'id,text\na,"停水\nb,晴\nc,"雪，\n大雪"\n\nd,"雨"x\ne,雨\n'
    for most in (200, 2):
        monkeypatch.setattr(module, "MAX_LINES", most)
        found = read(raw, "csv")
        assert [item.text for item in found if item.error is None][-1] == "雨"
        assert {"晴", "雪，\n大雪"} <= {item.text for item in found}
    assert [item.error is None for item in found] == [False, True, True, False, True]


def test_a_quote_inside_a_text_is_a_character_as_it_is_in_training():
    raw = 'id,text\na,身高6"的人\nb,晴\nc,屏幕5"\n'
    assert read(raw, "csv") == [Item("a", '身高6"的人'), Item("b", "晴"), Item("c", '屏幕5"')]


def test_a_quote_in_a_tsv_without_quoting_swallows_no_row():
    raw = 'id\ttext\na\t"停水\nb\t晴\nc\t他说"\nd\t"雪\n雨"\n'
    first, second, third, fourth = read(raw, "tsv")
    assert "closes it lines later" in first.error
    assert (second, fourth) == (Item("b", "晴"), Item("d", "雪\n雨"))
    assert third.text == '他说"'


def test_whole_numbers_in_a_column_with_gaps_are_ids():
    assert read('{"id": 7001.0, "text": "停"}', "jsonl") == [Item(7001, "停")]


def test_an_id_that_was_named_and_is_not_there_is_a_mistake():
    [item] = read('{"id": "a", "text": "停"}', "jsonl", None, "key")
    assert "expected an id in key" in item.error


def test_the_usual_names_of_columns_are_those_of_the_readers_of_corpora():
    assert (module.TEXT_NAMES, module.ID_NAMES) == (TEXT_COLUMNS, ID_COLUMNS)


def test_an_id_that_cannot_be_written_is_mended():
    [item] = read(r'{"id": "\ud800", "text": "停"}', "jsonl")
    assert item.id == "?"


def test_the_file_stays_open_to_tell_how_far_it_is_read():
    file = io.BytesIO(b"text\nx\n")
    assert len(list(read_items(file, "csv", None, None))) == 1
    assert file.tell() == 7


def test_a_header_in_another_encoding_is_a_mistake():
    with pytest.raises(ArgumentError, match="the header: expected UTF-8"):
        read("正文\n".encode("gb18030"), "csv")


@pytest.mark.parametrize("length", [99, 100, 101, 250])
def test_a_line_of_any_length_is_one_item(monkeypatch, length):
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    first, second = read("x" * length + "\n停\n", "lines")
    assert (first.error is None) == (length <= 100)
    assert second == Item(2, "停")
    assert len(read("x" * length, "lines")) == 1


@pytest.mark.parametrize("header", ["", "a,b\n1,2\n"])
def test_a_table_without_a_text_is_a_mistake(header):
    with pytest.raises(ArgumentError, match="--text_column: expected text or content or post in the header"):
        read(header, "csv")


@pytest.mark.parametrize("name", ["posts.json", "posts.PARQUET", "posts.jsonl.gz", "posts.xlsx"])
def test_a_format_of_which_no_line_is_a_post_is_refused(name):
    with pytest.raises(ArgumentError, match=r"expected \.jsonl, \.csv, \.tsv or lines"):
        format_of(name, b"[")


def test_a_format_is_told_by_the_name_or_by_the_first_character():
    assert format_of("posts.CSV", b"{") == "csv"
    assert format_of("posts.tsv", b"") == "tsv"
    assert format_of("posts.jsonl", b"x") == "jsonl"
    assert format_of("-", b'\xef\xbb\xbf {"text"') == "jsonl"
    assert format_of("posts.txt", b"\xe5\x81\x9c") == "lines"
    assert format_of("-", b"") == "lines"
