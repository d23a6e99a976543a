"""JSON lines: one object per line."""

import json
import re
from collections.abc import Iterator

from hf_rumor.corpus.formats.input import HEAD_BYTES, Input, Row
from hf_rumor.errors import CorpusError


LIST_KEY = re.compile(rb'\s*\{\s*"(data|rows|items|posts|records|examples|results|list)"\s*:\s*\[')
OF_COLUMNS = re.compile(rb'\s*\{\s*"[^"]*"\s*:\s*\{\s*"0"\s*:')  # as pandas writes it by default
# An array of objects, or a value over several lines.
WHOLE_JSON = re.compile(rb"\s*(?:\[\s*\{|[\[{]\s*\n)|" + LIST_KEY.pattern + b"|" + OF_COLUMNS.pattern)


def read_jsonl(source: Input) -> Iterator[Row]:
    """Yield one row per line; keys are columns.

    Raises:
        CorpusError: The whole file is one JSON value.
    """
    assert source.file is not None
    head = source.file.peek(HEAD_BYTES)
    if WHOLE_JSON.match(head):
        raise CorpusError(f"{source.name}: {_how_to_convert(source.name, head)}")
    for line in source.lines():
        where = f"line {line.number}"
        if line.error or not line.text.strip():
            yield Row(line.number, where, {}, line.error)
            continue
        try:
            value = json.loads(line.text)
        except (ValueError, RecursionError) as error:
            yield Row(line.number, where, {}, f"not a JSON object ({error}). Repair or remove the line.")
            continue
        if isinstance(value, dict):
            yield Row(line.number, where, value)
        else:
            yield Row(line.number, where, {}, f"not a JSON object but a {type(value).__name__}. Repair the line.")


def _how_to_convert(name: str, head: bytes) -> str:
    """Return what kind of JSON a file contains, which is not one object per line, and the command that converts it."""
    if OF_COLUMNS.match(head):
        return 'a JSON object of columns. Write it again with pandas: to_json(path, orient="records", lines=True).'
    key = LIST_KEY.match(head)
    part, what, note = "", "a JSON array", ""
    if key:
        part = f"[{key[1].decode()!r}]"
        what = f"a JSON object with a list under {part[1:-1]}"
    elif head.lstrip()[:1] == b"{":
        part, what, note = "['KEY']", "a JSON object over several lines", ", with the name of its list for KEY"
    code = f"import json; [print(json.dumps(row)) for row in json.load(open({name!r})){part}]"
    new = f"{name.removesuffix('.json').removesuffix('.jsonl')}.converted.jsonl"
    return f'{what}, not one JSON object per line. Convert it{note}: python -c "{code}" > {new}'
