"""JSON: one object per line, or a whole file with a list of objects. Nested keys become columns such as `user.id`."""

import json
import re
from collections.abc import Iterator
from typing import Any

from hf_rumor.corpus.formats.input import HEAD_BYTES, Input, Row
from hf_rumor.errors import CorpusError
from hf_rumor.util.encodings import decode


MAX_BYTES = 1 << 30  # of a file that is one JSON value, and is read at once
LIST_KEYS = ("data", "rows", "items", "posts", "records", "examples", "results", "list")
LIST_KEY = re.compile(rb'\s*\{\s*"(?:' + "|".join(LIST_KEYS).encode() + rb')"\s*:\s*\[')
OF_COLUMNS = re.compile(rb'\s*\{\s*"[^"]*"\s*:\s*\{\s*"0"\s*:')  # as pandas writes it by default
# An array of objects, or a value over several lines.
WHOLE_JSON = re.compile(rb"\s*(?:\[\s*\{|[\[{]\s*\n)|" + LIST_KEY.pattern + b"|" + OF_COLUMNS.pattern)


def read_jsonl(source: Input) -> Iterator[Row]:
    """Yield one row per line or object; keys are columns.

    Raises:
        CorpusError: The whole file is one JSON value without a list of objects.
    """
    assert source.file is not None
    if WHOLE_JSON.match(source.file.peek(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf")):
        yield from _read_whole(source)
        return
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
            yield Row(line.number, where, flatten(value))
        else:
            yield Row(line.number, where, {}, f"not a JSON object but a {type(value).__name__}. Repair the line.")


def _read_whole(source: Input) -> Iterator[Row]:
    assert source.file is not None
    content = source.file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise CorpusError(
            f"{source.name}: one JSON value of more than {MAX_BYTES:,} bytes. Write one object per line."
        )
    try:
        text, encoding = decode(content)
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"{source.name}: not valid JSON ({error}). Repair the file.") from error
    source.findings["files_in_gb18030"] += encoding == "gb18030"
    objects = _objects(value)
    if objects is None:
        raise CorpusError(f"{source.name}: no list of JSON objects. Write one object per line, with its text.")
    for number, item in enumerate(objects, start=1):
        if isinstance(item, dict):
            yield Row(number, f"object {number}", flatten(item))
        else:
            yield Row(number, f"object {number}", {}, f"not a JSON object but a {type(item).__name__}. Repair it.")


def _objects(value: Any) -> list[Any] | None:
    """Return the posts in a JSON value: a list, a list under a key, objects by id, columns of pandas, or one post."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict) or not value:
        return None
    for key in LIST_KEYS:
        if isinstance(objects := value.get(key), list):
            return objects
    if all(isinstance(item, dict) for item in value.values()):
        columns = list(value.values())
        if all(list(column) == [str(number) for number in range(len(column))] for column in columns):
            rows = zip(*(column.values() for column in columns), strict=False)
            return [dict(zip(value, row, strict=True)) for row in rows]
        return [{"id": key, **item} for key, item in value.items()]
    return [value]


def flatten(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return an object without objects in it: `{"user": {"id": 7}}` becomes `{"user.id": 7}`."""
    flat: dict[str, Any] = {}
    for key, item in value.items():
        flat |= flatten(item, f"{prefix}{key}.") if isinstance(item, dict) else {f"{prefix}{key}": item}
    return flat
