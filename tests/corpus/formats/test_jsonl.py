import io
import json
import shlex
import subprocess
import sys

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


@pytest.mark.parametrize(
    "value", [[{"text": "雪"}, {"text": "雨"}], {"data": [{"text": "雪"}, {"text": "雨"}]}], ids=["array", "object"]
)
@pytest.mark.parametrize("indent", [None, 2])
def test_the_command_for_a_whole_json_value_converts_it(tmp_path, value, indent):
    path = tmp_path / "posts.jsonl"
    path.write_text(json.dumps(value, indent=indent), encoding="utf-8")
    with open_input(path) as source, pytest.raises(CorpusError, match="not one JSON object per line") as caught:
        next(read_rows(source))
    command, _, new = str(caught.value).partition("Convert it: ")[2].partition(" > ")
    converted = subprocess.run([sys.executable, *shlex.split(command)[1:]], capture_output=True, check=True).stdout
    assert new.endswith(".jsonl")
    assert [json.loads(line)["text"] for line in converted.splitlines()] == ["雪", "雨"]


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        ('{\n "version": 1, "data": []}', "with the name of its list for KEY: python -c"),
        ('{"text": {"0": "雪", "1": "雨"}, "label": {"0": 1, "1": 0}}', 'to_json(path, orient="records", lines=True)'),
    ],
)
def test_other_json_values_are_refused_with_a_way_out(content, advice):
    with pytest.raises(CorpusError) as caught:
        rows(content)
    assert advice in str(caught.value)
