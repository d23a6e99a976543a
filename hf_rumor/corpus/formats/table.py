"""CSV and TSV; the first line, usually the header, decides which delimiter they have."""

import csv
from collections import deque
from collections.abc import Iterator
from itertools import chain

from hf_rumor.corpus.formats.input import MAX_LINE_BYTES, Input, Line, Row
from hf_rumor.errors import CorpusError


MAX_LINES = 1_000  # of one row: a text in quotes may span lines
OPEN_QUOTE = 'a quote is opened and never closed. Close it; write a quote inside a text as "".'


def read_csv(source: Input) -> Iterator[Row]:
    """Yield the rows below the header; the delimiter is the most frequent of `,`, `;`, tab and `|` in the header."""
    yield from _read_table(source, ",;\t|")


def read_tsv(source: Input) -> Iterator[Row]:
    """Yield the rows below the header; the delimiter is a tab, unless the header has only other ones."""
    yield from _read_table(source, "\t,;|", preferred="\t")


def _read_table(source: Input, delimiters: str, preferred: str = "") -> Iterator[Row]:
    csv.field_size_limit(2 * MAX_LINE_BYTES)
    lines: Iterator[Line] = (line for line in source.lines() if line.text or line.error)
    first = next(lines, None)
    if first is None:
        return
    delimiter = preferred if preferred and preferred in first.text else max(delimiters, key=first.text.count)
    header = first.error or _parse([first.text], delimiter)
    if isinstance(header, str):
        raise CorpusError(f"{source.name}: line {first.number} (the header): {header}")
    if source.is_numbered and not all(name.isdecimal() for name in header):
        header = [str(number) for number in range(1, len(header) + 1)]
        lines = chain([first], lines)
    for number, (line, row) in enumerate(_rows(lines, delimiter), start=1):
        where = f"line {line.number}"
        if isinstance(row, str):
            yield Row(number, where, {}, row)
            continue
        error = None
        if len(row) != len(header):
            advice = f"Add the missing name to the header, or put texts that contain {delimiter!r} in quotes."
            if len(row) < len(header):
                advice = "Add the missing value, or put texts with line breaks in quotes."
            error = f"{_number(len(row), 'field')}, but {_number(len(header), 'column name')}. {advice}"
        yield Row(number, where, dict(zip(header, row, strict=False)), error)


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _rows(lines: Iterator[Line], delimiter: str) -> Iterator[tuple[Line, list[str] | str]]:
    """Yield the first line of each row, and its fields or an error; after an error, continue with the next line."""
    waiting: deque[Line] = deque()
    while (first := waiting.popleft() if waiting else next(lines, None)) is not None:
        if first.error:
            yield first, first.error
            continue
        parts = [first]
        row = _parse([first.text], delimiter)
        length = len(first.text)
        while row == OPEN_QUOTE and len(parts) < MAX_LINES and length < MAX_LINE_BYTES:
            line = waiting.popleft() if waiting else next(lines, None)
            if line is None:
                break
            if line.error:
                waiting.appendleft(line)
                break
            parts.append(line)
            length += len(line.text)
            if '"' in line.text:
                row = _parse([part.text for part in parts], delimiter)
        if isinstance(row, str):
            waiting.extendleft(reversed(parts[1:]))
        yield first, row


def _parse(lines: list[str], delimiter: str) -> list[str] | str:
    """Return the fields of a row that spans these lines, or what is wrong with it."""
    try:
        row = next(csv.reader(["\n".join(lines)], delimiter=delimiter, strict=True))
    except csv.Error as error:
        return OPEN_QUOTE if str(error) == "unexpected end of data" else f"not a table row ({error}). Repair the line."
    # A field that contains whole lines of a table: its quotes are part of the text.
    if delimiter == "\t" and any(text.count("\t") >= (len(row) - 1) * text.count("\n") > 0 for text in row):
        return 'a quoted text seems to span several rows. Write a quote inside a text as "".'
    return row
