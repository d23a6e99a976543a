"""Tables for people: .csv, .xlsx, .jsonl or .html, by the suffix of the file."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hf_rumor.errors import OutputError
from hf_rumor.util.files import write_csv, write_text, written_whole


SUFFIXES = (".xlsx", ".csv", ".jsonl", ".html")
WIDEST = 80  # characters of a column in a spreadsheet
LONGEST = 32_767  # characters of a cell; Excel reads no more


def check_suffix(path: Path) -> None:
    """Raise `OutputError` if no table can be written to a file of this name."""
    if path.suffix.lower() not in SUFFIXES:
        raise OutputError(f"--output {path}: not a table. Use a name that ends in {', '.join(SUFFIXES)}.")
    if path.suffix.lower() == ".xlsx":
        try:
            import openpyxl  # noqa: F401
        except ImportError as error:
            raise OutputError(f"--output {path}: spreadsheets need openpyxl. Run: pip install openpyxl") from error


def beside_input(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], inputs: Sequence[Mapping[str, Any]]
) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]]:
    """Return a table with the columns of the input behind `columns`; those of the same name end in `_input`.

    Args:
        columns: Ours.
        rows: Their values.
        inputs: For each row, the values of its row in the input. Lists and dictionaries, such as reposts, are skipped.
    """
    flat = [{name: value for name, value in row.items() if not isinstance(value, list | dict)} for row in inputs]
    theirs = list(dict.fromkeys(name for row in flat for name in row))
    names = (*columns, *(f"{name}_input" if name in columns else name for name in theirs))
    return names, tuple((*ours, *map(row.get, theirs)) for ours, row in zip(rows, flat, strict=True))


def encodable(text: str) -> str:
    """Return a text with question marks for lone surrogates, which JSON can contain and UTF-8 cannot."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def write_table(
    path: Path,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    choices: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Write rows, whole or not at all.

    Args:
        path: Its suffix is the format.
        columns: Names, in order.
        rows: A value for each column; None is an empty cell.
        choices: Column -> the values that a person may choose from, in a spreadsheet.

    Raises:
        OutputError: The suffix is unknown, or the file cannot be replaced.
    """
    check_suffix(path)
    columns = [encodable(name) for name in columns]
    rows = [[encodable(value) if isinstance(value, str) else value for value in row] for row in rows]
    if path.suffix.lower() == ".csv":
        write_csv(path, columns, rows, for_people=True)
    elif path.suffix.lower() == ".jsonl":
        lines = (json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False, default=str) for row in rows)
        write_text(path, "".join(f"{encodable(line)}\n" for line in lines))
    elif path.suffix.lower() == ".xlsx":
        _write_xlsx(path, columns, rows, choices or {})
    else:
        write_text(path, _to_html(columns, rows))


def _write_xlsx(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]], choices: Mapping[str, Sequence[str]]
) -> None:
    """Write a spreadsheet. Texts stay texts: no formulas, and no ids that are rounded."""
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    sheet: Any = book.active
    widths = [len(name) + 2 for name in columns]
    for number, row in enumerate([columns, *rows], start=1):
        for place, value in enumerate(row, start=1):
            is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
            text = "" if value is None else ILLEGAL_CHARACTERS_RE.sub("", str(value))[:LONGEST]
            cell = sheet.cell(number, place, value if is_number else None)
            if not is_number and text:
                cell.value, cell.data_type = text, "s"
                cell.alignment = Alignment(wrap_text=True, vertical="top")
            widths[place - 1] = min(WIDEST, max(widths[place - 1], len(text)))
    for place, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width
        sheet.cell(1, place).font = Font(bold=True)
    sheet.freeze_panes = "A2"
    for name, values in choices.items():
        letter = get_column_letter(list(columns).index(name) + 1)
        validation = DataValidation(type="list", formula1=f'"{",".join(values)}"', allow_blank=True)
        validation.add(f"{letter}2:{letter}{max(2, sheet.max_row)}")
        sheet.add_data_validation(validation)
    with written_whole(path) as temporary:
        book.save(temporary)


def _to_html(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("hf_rumor.util"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page: str = environment.get_template("table.html").render(columns=columns, rows=rows)
    return page
