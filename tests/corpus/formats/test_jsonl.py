import io
import json

import pytest

from hf_rumor.corpus.formats import open_input, read_rows
from hf_rumor.corpus.formats.input import Row
from hf_rumor.errors import CorpusError


def rows(content):
    with open_input(io.BytesIO(content.encode()), "jsonl") as source:
        return list(read_rows(source))


def test_each_object_is_a_row_and_a_blank_line_has_no_values():
    content = '{"text": "雪"}\n\n{"reposts": [{"text": "真的吗"}], "text": "雨"}\n'
    assert rows(content) == [
        Row(1, "line 1", {"text": "雪"}),
        Row(2, "line 2", {}),
        Row(3, "line 3", {"reposts": [{"text": "真的吗"}], "text": "雨"}),
    ]


@pytest.mark.parametrize("line", ["{broken", "[1]", "3", "[" * 100_000])
def test_another_line_has_an_error(line):
    first, bad, last = rows(f'{{"text": "雪"}}\n{line}\n{{"text": "雨"}}')
    assert (first.error, last.error, bad.values) == (None, None, {})
    assert bad.error.startswith("not a JSON object")


TWO = [{"text": "雪", "label": 1}, {"text": "雨", "label": 0}]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "value",
    [TWO, {"data": TWO}, {"version": 1, "posts": TWO}, {"text": {"0": "雪", "1": "雨"}, "label": {"0": 1, "1": 0}}],
)
def test_a_whole_json_value_is_read_object_by_object(value, indent):
    content = json.dumps(value, indent=indent or (2 if "version" in value else None))
    assert rows(content) == [Row(number, f"object {number}", values) for number, values in enumerate(TWO, start=1)]


def test_keys_of_objects_are_ids():
    content = json.dumps({"a": TWO[0], "b": TWO[1]}, indent=1)
    assert [row.values for row in rows(content)] == [{"id": "a", **TWO[0]}, {"id": "b", **TWO[1]}]


def test_one_object_over_several_lines_is_one_post():
    post = {"text": "雪", "reposts": [{"text": "真的吗"}]}
    assert rows(json.dumps(post, indent=1)) == [Row(1, "object 1", post)]


def test_nested_keys_become_columns():
    line = '{"mblog": {"text": "雪", "user": {"id": 7}}, "label": 1}'
    assert rows(line) == [Row(1, "line 1", {"mblog.text": "雪", "mblog.user.id": 7, "label": 1})]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[\n {"text": "雪"},', "not valid JSON"),
        ("{\n}", "no list of JSON objects"),
        ("[\n" + "[" * 100_000, "not valid JSON"),
    ],
)
def test_a_broken_json_value_is_refused(content, words):
    with pytest.raises(CorpusError, match=words):
        rows(content)


def test_an_entry_that_is_no_object_is_an_error_of_its_row():
    first, second = rows('[{"text": "雪"}, 3]')
    assert (first.error, second.error) == (None, "not a JSON object but a int. Repair it.")
