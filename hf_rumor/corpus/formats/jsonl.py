"""JSON lines: one object per line."""

import json
import re
from collections.abc import Iterator

from hf_rumor.corpus.formats.input import HEAD_BYTES, Input, Row
from hf_rumor.errors import CorpusError


LIST_KEY = re.compile(rb'\s*\{\s*"(data|rows|items|posts|records|examples|results|list)"\s*:\s*\[')
# An array of objects, or a value over several lines.
WHOLE_JSON = re.compile(rb"\s*(?:\[\s*\{|[\[{]\s*\n)|" + LIST_KEY.pattern)


def read_jsonl(source: Input) -> Iterator[Row]:
    """Yield one row per line; keys are columns.

    Raises:
        CorpusError: The whole file is one JSON value.
    """
    assert source.file is not None
    head = source.file.peek(HEAD_BYTES)
    if WHOLE_JSON.match(head):
        raise CorpusError(f"{source.name}: {how_to_convert_json(source.name, head)}")
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


def how_to_convert_json(name: str, head: bytes) -> str:
    """Return what kind of JSON a file contains, if not one object per line, and the command that converts it."""
    new = f"{name.removesuffix('.json').removesuffix('.jsonl')}.converted.jsonl"
    key = LIST_KEY.match(head)
    if key or head.lstrip()[:1] == b"[":
        part = f"[{key[1].decode('utf-8', 'replace')!r}]" if key else ""
        what = f"a JSON object with a list under {part[1:-1]}" if key else "a JSON array"
        code = f"import json; [print(json.dumps(row)) for row in json.load(open({name!r})){part}]"
        return f'{what}, not one JSON object per line. Convert it: python -c "{code}" > {new}'
    if WHOLE_JSON.match(head):
        return "one JSON object over several lines, not one object per line. Convert it to JSON lines (.jsonl)."
    return f"JSON lines must be named .jsonl. Rename it: mv {name} {name.removesuffix('.json')}.jsonl"
