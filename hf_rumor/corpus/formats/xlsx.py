"""Spreadsheets: the first sheet of an .xlsx file, with a header in its first row."""

from collections.abc import Iterator

from hf_rumor.corpus.formats.input import Input, Row
from hf_rumor.errors import CorpusError


def read_xlsx(source: Input) -> Iterator[Row]:
    """Yield the rows below the header.

    Raises:
        CorpusError: openpyxl is not installed, or the file is damaged.
    """
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise CorpusError(f"{source.name}: spreadsheets need openpyxl. Run: pip install openpyxl") from error
    path = source.need_path()
    try:
        book = load_workbook(path, read_only=True, data_only=True)
        try:
            rows = book.worksheets[0].iter_rows(values_only=True)
            header = ["" if name is None else str(name) for name in next(rows, ())]
            for number, row in enumerate(rows, start=1):
                values = {name: value for name, value in zip(header, row, strict=False) if name}
                yield Row(number, f"row {number + 1}", values if any(value is not None for value in row) else {})
        finally:
            book.close()
    except Exception as error:  # zipfile, the XML parser and openpyxl raise exceptions of many kinds
        raise CorpusError(f"{source.name}: not a valid .xlsx file ({error}). Save it again, or as CSV.") from error
