"""The layout of Weibo17 (Jin et al., 2017): text files, in a folder, in a zip or alone, whose names are the labels.

{train,test}_{rumor,nonrumor}.txt    three lines per post: fifteen fields, separated by `|`; image addresses; the text
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from hf_rumor.corpus.formats.input import Input, Line, Row
from hf_rumor.corpus.formats.tree import open_tree
from hf_rumor.errors import CorpusError


NAME = re.compile(r"(train|test)_(non)?rumor\.txt")
NUM_FIELDS = 15
FIRST_LINE = re.compile(rb"(?:\xef\xbb\xbf)?\d{9,}(?:\|[^|\n]*){14}\r?\n")
LINES_PER_POST = 3


def is_weibo17(names: list[str]) -> bool:
    """Return whether files with these names are in the layout of Weibo17."""
    return any(NAME.fullmatch(PurePosixPath(name).name) for name in names)


def read_weibo17(source: Input) -> Iterator[Row]:
    """Yield the posts of each file, in the order of the names of the files.

    Raises:
        CorpusError: The zip or a file is damaged.
    """
    if source.file is not None and source.file.peek(4)[:2] != b"PK":
        yield from _read_file(source.name, source.lines(), 0)
        return
    number = 0
    with open_tree(source.need_path()) as (names, read):
        for name in names:
            if not NAME.fullmatch(PurePosixPath(name).name):
                continue
            try:
                file = source.part(name, read(name))
            except ValueError as error:
                raise CorpusError(f"{source.name}: {name}: {error}. Download it again.") from error
            for row in _read_file(name, file.lines(), number):
                number = row.number
                yield row


def _read_file(name: str, lines: Iterable[Line], number: int) -> Iterator[Row]:
    """Yield the posts of a file, of which the first is number + 1."""
    match = NAME.fullmatch(PurePosixPath(name).name)
    known: dict[str, Any] = {}
    if match:
        known = {"label": "non-rumor" if match[2] else "rumor", "split": match[1]}
    rest = iter(lines)
    while record := list(islice(rest, LINES_PER_POST)):
        number += 1
        where = f"{name}: line {record[0].number}"
        fields = record[0].text.split("|")
        error = next((line.error for line in record if line.error), None)
        if error is None and (len(record) < LINES_PER_POST or len(fields) != NUM_FIELDS):
            error = f"not three lines, the first with {NUM_FIELDS} fields. Repair the file, or use another --format."
        if error is not None:
            yield Row(number, where, {}, error)
            continue
        values = {"id": fields[0], "text": record[2].text, "posted_at": fields[4], "num_reposts": fields[6]}
        yield Row(number, where, values | {"author_verified": fields[10]} | known)
