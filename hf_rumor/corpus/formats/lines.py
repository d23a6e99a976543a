"""Plain lines: one text per line, no label."""

from collections.abc import Iterator

from hf_rumor.corpus.formats.input import Input, Row


def read_lines(source: Input) -> Iterator[Row]:
    """Yield one row per line, with the column `text`."""
    for line in source.lines():
        values = {"text": line.text} if line.text.strip() else {}
        yield Row(line.number, f"line {line.number}", values, line.error)
