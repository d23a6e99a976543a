"""An uploaded file -> its posts, within limits. The file is removed as soon as it is read."""

import math
import tempfile
import zipfile
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from hf_rumor.corpus.columns import Columns, find_columns
from hf_rumor.corpus.formats import open_input, read_rows
from hf_rumor.corpus.rows import Item, read_items
from hf_rumor.errors import CorpusError, RumorError
from hf_rumor.serve.problem import Problem
from hf_rumor.util.tables import encodable


SUFFIXES = (".csv", ".tsv", ".xlsx", ".jsonl", ".ndjson", ".json", ".txt")
WITHOUT_HEADER = (".csv", ".tsv")  # their columns can be named by number
UNPACKED = 20  # a spreadsheet may unpack to so many times the maximum size of a request
MAX_COLUMNS = 500  # each row of a spreadsheet has a value for each, even if its file is small
EXAMPLE = 60  # characters of an example in the column picker


@dataclass(frozen=True)
class Limits:
    """Limits of one request and of the waiting requests."""

    max_characters: int  # per text
    max_posts: int  # per file, or per request to the API
    max_bytes: int  # per request
    max_waiting: int = 64  # requests; further ones get status 503


def read_upload(content: bytes, name: str, columns: Columns, limits: Limits) -> list[Item]:
    """Return the posts of an uploaded file; those with long texts have an error.

    Args:
        content: Its bytes.
        name: Its name; only its suffix matters, and messages contain it.
        columns: Chosen by the user.
        limits: On the number of posts and on the lengths of texts.

    Raises:
        Problem: The file cannot be read, has too many posts, or has no column for the text (status 422).
    """
    name = PurePosixPath(name.replace("\\", "/")).name[-100:] or "upload"
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise Problem(400, "suffix", f"{name}: expected a file whose name ends in {', '.join(SUFFIXES)}.")
    with tempfile.NamedTemporaryFile(prefix="hf_rumor_", suffix=suffix) as file:
        file.write(content)
        file.flush()
        path = Path(file.name)
        try:
            if suffix == ".xlsx":
                _check_unpacked(path, name, UNPACKED * limits.max_bytes)
            _check_columns(path, name, columns)
            with open_input(path, is_labeled=False, name=name) as source:
                read = islice(read_items(source, columns), limits.max_posts + 1)
                items = [_storable(_limited(item, limits.max_characters)) for item in read]
        except (RumorError, RecursionError, zipfile.BadZipFile) as error:
            message = encodable(str(error)) if isinstance(error, RumorError) else f"{name}: {error}. Repair the file."
            raise Problem(400, "file", message, reason=message) from error
    if not items:
        raise Problem(400, "no_posts", f"{name}: no posts. Choose another file.")
    if len(items) > limits.max_posts:
        message = f"{name}: more than {limits.max_posts:,} posts. Split the file."
        raise Problem(413, "too_many", message, limit=limits.max_posts)
    return items


def _check_unpacked(path: Path, name: str, max_bytes: int) -> None:
    """Refuse a spreadsheet that would fill the memory. What is no zip at all is left to the reader."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > max_bytes:
            raise Problem(413, "unpacked", f"{name}: expected at most {max_bytes:,} bytes unpacked, got {size:,}.")


def _check_columns(path: Path, name: str, columns: Columns) -> None:
    """Raise the problem with the names of the columns if the first row has no column for the text, or not the chosen.

    Raises:
        CorpusError: The file cannot be read, or has too many columns.
    """
    with open_input(path, is_labeled=False, name=name) as source:
        source.is_numbered = bool(columns.text) and str(columns.text).isdecimal()
        first = next((row.values for row in read_rows(source) if row.values and row.error is None), {})
    if not first:
        return
    names = tuple(first)
    if len(names) > MAX_COLUMNS:
        raise CorpusError(f"{name}: {len(names):,} columns; at most {MAX_COLUMNS} are read. Remove the others.")
    if "text" in find_columns(names, columns) and (columns.id is None or "id" in find_columns(names, columns)):
        return
    raise Problem(
        422,
        "columns",
        f"{name}: expected the names of its columns in text_column and id_column; the columns are in columns.",
        columns=[encodable(column) for column in names],
        examples=["" if value is None else encodable(str(value))[:EXAMPLE] for value in first.values()],
        can_be_numbered=path.suffix in WITHOUT_HEADER,
    )


def clean(value: Any) -> Any:
    """Return a value that JSON and UTF-8 can represent: without lone surrogates, and without NaN or infinity."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [clean(one) for one in value]
    if isinstance(value, dict):
        return {clean(name): clean(one) for name, one in value.items()}
    return value


def _storable(item: Item) -> Item:
    post = item.post and replace(item.post, post_id=clean(item.post.post_id))
    return Item(clean(item.id), post, clean(item.error), clean(dict(item.values)))


def _limited(item: Item, max_characters: int) -> Item:
    if item.post is None or len(item.post.text) <= max_characters:
        return item
    reason = f"the text has {len(item.post.text):,} characters; at most {max_characters:,} are allowed."
    return replace(item, post=None, error=reason)
