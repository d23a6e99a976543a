"""The parts of a rendered report: sections, tables, columns."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column of a table; numbers are aligned to the right."""

    title: str
    is_number: bool = False


@dataclass(frozen=True)
class Table:
    """A table with as many cells per row as columns, and a note below it."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    @property
    def is_wide(self) -> bool:
        """Whether it is too wide for a phone, where each row is then shown as a block."""
        has_texts = not all(column.is_number for column in self.columns[1:])
        return len(self.columns) > (3 if has_texts else 4)


@dataclass(frozen=True)
class Section:
    """A section of the report: paragraphs, then a list, then code, then tables."""

    id: str
    title: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    code: str = ""
    tables: tuple[Table, ...] = ()


def table(titles: str, rows: Iterable[tuple[str, ...]], note: str = "") -> Table:
    """Return a table; `titles` are separated by `|`, and `#` before one marks a column of numbers."""
    columns = tuple(Column(title.strip().removeprefix("#"), "#" in title) for title in titles.split("|"))
    return Table(columns, tuple(rows), note)
