"""Files and streams -> texts to predict, one item a line; what cannot be read becomes an item that says why."""

import csv
import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

from hf_rumor.errors import ArgumentError


Format = Literal["jsonl", "csv", "tsv", "lines"]
FORMATS = ("jsonl", "csv", "tsv", "lines")
TEXT_NAMES = ("text", "content", "post", "内容", "正文", "微博正文")  # as the readers of corpora have them
ID_NAMES = ("id", "post_id", "mid", "weibo_id")
MAX_BYTES = 1_000_000  # of a line
MAX_LINES = 200  # of a row of a table


@dataclass(frozen=True)
class Item:
    """A line of input: its id (else its number, from 1), and its text or what is wrong with it."""

    id: str | int
    text: str
    error: str | None = None


OPEN = Item(0, "", "expected a closing quote, found none")


def format_of(name: str, head: bytes) -> Format:
    """Return the format that the name of a file tells, or for other names the first bytes: JSON or plain lines.

    Raises:
        ArgumentError: The name tells a format of which no line is a post.
    """
    for suffix, told in ((".jsonl", "jsonl"), (".ndjson", "jsonl"), (".csv", "csv"), (".tsv", "tsv")):
        if name.lower().endswith(suffix):
            return told  # type: ignore[return-value]
    other = re.search(r"\.(json|parquet|xlsx?|zip|gz|xz)$", name.lower())
    if other:
        raise ArgumentError(
            f"{name}: expected .jsonl, .csv, .tsv or lines of text, found {other[0]}; convert it, or name --format"
        )
    return "jsonl" if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{" else "lines"


def read_items(file: BinaryIO, form: Format, text_column: str | None, id_column: str | None) -> Iterator[Item]:
    """Yield one item for each line (of CSV: for each row after the header), in order.

    Args:
        file: Read a line at a time.
        form: How it is written.
        text_column: Where the text is; found by name if None.
        id_column: Where the id is; found by name if None.

    Raises:
        ArgumentError: A table has no header, or none with the columns.
    """
    if form in ("csv", "tsv"):
        yield from _read_table(file, "," if form == "csv" else "\t", text_column, id_column)
        return
    for number, line in enumerate(_lines(file), 1):
        if isinstance(line, Item):
            yield Item(number, "", line.error)
        elif form == "lines":
            yield _item(number, line)
        else:
            yield _from_json(number, line, text_column, id_column)


def _lines(file: BinaryIO) -> Iterator[str | Item]:
    """Yield the lines without their ends; of one that is too long or no UTF-8, an item with the error."""
    first = True
    while raw := file.readline(MAX_BYTES + 1):
        too_long = False
        while not raw.endswith(b"\n") and len(raw) > MAX_BYTES:
            too_long = True
            raw = file.readline(MAX_BYTES + 1)
            if not raw:
                break
        if too_long:
            yield Item(0, "", f"expected at most {MAX_BYTES:,} bytes, found more")
            first = False
            continue
        try:
            yield raw.decode("utf-8-sig" if first else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            yield Item(0, "", f"expected UTF-8, found byte 0x{raw[error.start]:02x} at {error.start}")
        first = False


def _item(item_id: str | int, text: str) -> Item:
    return Item(item_id, text) if text.strip() else Item(item_id, "", "expected a text, found none")


def _from_json(number: int, line: str, text_column: str | None, id_column: str | None) -> Item:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Item(number, "", f"expected a JSON object, found {error if line.strip() else 'an empty line'}")
    if not isinstance(row, dict):
        return Item(number, "", f"expected a JSON object, found {type(row).__name__}")
    if id_column and id_column not in row:
        return Item(number, "", f"expected an id in {id_column}, found none")
    found = next((row[name] for name in ([id_column] if id_column else ID_NAMES) if name in row), None)
    item_id: str | int = number
    if isinstance(found, float) and found.is_integer():  # of a column where pandas found a gap
        item_id = int(found)
    elif isinstance(found, str):
        item_id = found.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate could not be written
    elif isinstance(found, int) and not isinstance(found, bool):
        item_id = found
    names = [text_column] if text_column else TEXT_NAMES
    name = next((name for name in names if name in row), None)
    if name is None or not isinstance(row[name], str):
        wanted = " or ".join(str(name) for name in names[:3])
        told = "none" if name is None else type(row[name]).__name__
        return Item(item_id, "", f"expected a text in {wanted}, found {told}")
    return _item(item_id, row[name])


def _read_table(file: BinaryIO, delimiter: str, text_column: str | None, id_column: str | None) -> Iterator[Item]:
    csv.field_size_limit(2 * MAX_BYTES)
    rows = _rows(file, delimiter)
    header = next(rows, [])
    if isinstance(header, Item):
        raise ArgumentError(f"the header: {header.error}; save the table in UTF-8")
    text_at = _column(header, text_column, TEXT_NAMES, "--text_column")
    id_at = _column(header, id_column, ID_NAMES, "--id_column") if id_column or set(ID_NAMES) & set(header) else None
    for number, row in enumerate(rows, 1):
        if isinstance(row, Item):
            yield Item(number, "", row.error)
            continue
        item_id: str | int = row[id_at] if id_at is not None and id_at < len(row) and row[id_at] else number
        if len(row) != len(header):
            yield Item(item_id, "", f"expected {len(header)} columns, found {len(row)}")
        else:
            yield _item(item_id, row[text_at])


def _rows(file: BinaryIO, delimiter: str) -> Iterator[list[str] | Item]:
    """Yield the rows of a table, in which a text between quotes may span lines; an error costs its own line only."""
    source = _lines(file)
    waiting: deque[str | Item] = deque()

    def following() -> str | Item | None:
        return waiting.popleft() if waiting else next(source, None)

    while (line := following()) is not None:
        if isinstance(line, Item):
            yield line
            continue
        if not line:
            continue
        lines = [line]
        while (row := _parse(lines, delimiter)) is OPEN and len(lines) < MAX_LINES:
            more = following()
            if more is None or isinstance(more, Item):
                if more is not None:
                    waiting.appendleft(more)
                break
            lines.append(more)
        if isinstance(row, Item):
            waiting.extendleft(reversed(lines[1:]))
        yield row


def _parse(lines: list[str], delimiter: str) -> list[str] | Item:
    """Return the row that some lines are, `OPEN` if a quote is not closed yet, or an item with another error."""
    try:
        row = next(csv.reader(["\n".join(lines)], delimiter=delimiter, strict=True))
    except csv.Error as error:
        return OPEN if str(error) == "unexpected end of data" else Item(0, "", f"expected a row, found {error}")
    whole_lines = (text.count("\t") >= (len(row) - 1) * text.count("\n") > 0 for text in row)
    if delimiter == "\t" and any(whole_lines):  # not a text of several lines
        return Item(0, "", 'expected a row, found a " that opens a text and closes it lines later')
    return row


def _column(header: list[str], asked: str | None, names: tuple[str, ...], flag: str) -> int:
    for name in [asked] if asked else names:
        if name in header:
            return header.index(name)
    found = ", ".join(header[:8]) or "an empty file"
    wanted = asked or " or ".join(names[:3])
    raise ArgumentError(f"{flag}: expected {wanted} in the header, found {found}; name the column")


def as_error(item: Item) -> dict[str, Any]:
    """Return the line of output for an item that cannot be read."""
    return {"id": item.id, "error": item.error}
