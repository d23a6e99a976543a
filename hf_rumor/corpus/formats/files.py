"""A folder or a zip of files, whose names or folders may be their labels and parts.

fake_news/ID.json, real_news/ID.json    a post per file, or a list of posts
rumor/NAME.txt, non-rumor/NAME.txt      a post per file
train_rumor.txt, train_nonrumor.txt     a post per line
train.csv, test.csv                     tables
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from hf_rumor.corpus.columns import Columns, find_columns
from hf_rumor.corpus.findings import note
from hf_rumor.corpus.formats.input import Input, Row
from hf_rumor.corpus.formats.jsonl import read_jsonl
from hf_rumor.corpus.formats.lines import read_lines
from hf_rumor.corpus.formats.table import read_csv, read_tsv
from hf_rumor.corpus.formats.tree import open_tree
from hf_rumor.corpus.values import LABEL_WORDS, SPLIT_WORDS
from hf_rumor.errors import CorpusError
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.util.encodings import decode


READERS: dict[str, Callable[[Input], Iterator[Row]]] = {
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), read_jsonl),
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".txt": read_lines,
}


def read_files(source: Input) -> Iterator[Row]:
    """Yield the posts of each file, in the order of their names.

    Raises:
        CorpusError: No file can be read, or the zip is damaged.
    """
    path, number = source.need_path(), 0
    with open_tree(path) as (names, read):
        for name in names:
            file = PurePosixPath(name)
            if any(part.startswith(".") or part == "__MACOSX" for part in file.parts):
                note(source.findings, "hidden_files", name)
                continue
            if file.suffix.lower() not in READERS:
                note(source.findings, "other_files", name)
                continue
            named, suffix = named_values(name), file.suffix.lower()
            try:
                content = read(name)
                is_one_post = suffix == ".txt" and "label" in named_values(file.parent.as_posix())
                rows = [Row(1, "", {"text": decode(content)[0]})] if is_one_post else None
            except ValueError as error:
                number += 1
                yield Row(number, name, {}, f"{error}. Repair or remove the file.")
                continue
            rows = rows or list(READERS[suffix](source.part(name, content)))
            if len(rows) == 1 and suffix in (".json", ".txt"):
                named["id"] = file.stem
            for row in rows:
                number += 1
                roles = find_columns(tuple(row.values), Columns())  # what the row says itself counts
                values = {role: value for role, value in named.items() if role not in roles} if row.values else {}
                where = f"{name}: {row.where}".rstrip(": ")
                yield replace(row, number=number, where=where, values=values | row.values)
    if not number:
        raise CorpusError(f"{path}: no file with posts ({', '.join(READERS)}). Check the path.")


def named_values(name: str) -> dict[str, str]:
    """Return the label and the split that are in the name of a file or of its folders, if any."""
    values: dict[str, str] = {}
    for part in PurePosixPath(name).parts:  # the file comes last and decides
        words = re.split(r"[_\-\s]+", part.removesuffix(PurePosixPath(part).suffix).lower())
        label = "".join(word for word in words if word not in SPLIT_WORDS)
        if label in LABEL_WORDS:
            values["label"] = LABEL_NAMES[LABEL_WORDS[label]]
        for word in words:
            if word in SPLIT_WORDS:
                values["split"] = SPLIT_WORDS[word]
    return values
