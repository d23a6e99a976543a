"""Turn the rows of any format into posts, for `train` and for `predict`."""

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any

from hf_rumor.corpus.catalogue import recognize, recognize_by_size
from hf_rumor.corpus.columns import COLUMN_NAMES, Columns, find_columns
from hf_rumor.corpus.findings import Findings, note
from hf_rumor.corpus.formats import FORMATS, read_rows
from hf_rumor.corpus.formats.input import Input, Row
from hf_rumor.corpus.post import Post
from hf_rumor.corpus.reposts import read_reposts
from hf_rumor.corpus.values import (
    ANSWERS,
    LABEL_WORDS,
    LabelMap,
    is_by_convention,
    label_word,
    map_label,
    parse_bool,
    parse_count,
    parse_label,
    parse_split,
    parse_text,
    parse_time,
)
from hf_rumor.errors import CorpusError
from hf_rumor.labels import LABEL_NAMES


MAX_SHOWN = 20  # column names in a message
MAX_NAME = 40  # characters of a column name; a longer one is a text
ROUNDED_ID = re.compile(r"\d(\.\d+)?E\+?\d+", re.IGNORECASE)  # 4.75E+15, as spreadsheets save long numbers


@dataclass(frozen=True)
class Item:
    """One post to predict, or why the row cannot be predicted."""

    id: str | int  # of the input, or else the number of the row
    post: Post | None  # None if there is an error
    error: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)  # of the row, by column


def read_posts(source: Input, columns: Columns) -> Iterator[Post]:
    """Yield the labeled posts of an input; see `labeled_posts`."""
    if source.format == "lines":
        suffixes = [suffix for name, (_, suffixes) in FORMATS.items() for suffix in suffixes if name != "lines"]
        raise CorpusError(
            f"{source.name}: read as plain lines, which have no labels. Use a file with labels and "
            f"one of these suffixes: {', '.join(suffixes)}."
        )
    rows = _rows(source, columns, "text", "label")
    yield from labeled_posts(rows, source.name, columns, source.findings, source.format)


def labeled_posts(
    rows: Iterable[Row], name: str, columns: Columns, findings: Findings, format_name: str = ""
) -> Iterator[Post]:
    """Yield the post of each row, and count oddities in `findings`.

    Blank lines are skipped, and posts whose label the label map skips.

    Raises:
        CorpusError: At the first row that is not a labeled post.
    """
    is_first, counts = True, [0, 0]
    for row in rows:
        if row.error is None and not row.values:
            continue
        if is_first:
            columns = _with_catalogue(columns, name, format_name, row.values.keys(), findings)
            is_first = False
        try:
            post = to_post(row, columns, findings)
        except ValueError as error:
            advice = "" if str(error).endswith(".") else ". Fix or remove it."
            raise CorpusError(f"{name}: {row.where}: {error}{advice}") from error
        if post.is_rumor is not None:
            counts[post.is_rumor] += 1
            yield post
    if known := recognize_by_size(format_name, counts):
        note(findings, "known_corpora", known.name)


def _with_catalogue(columns: Columns, name: str, format_name: str, names: Set[str], findings: Findings) -> Columns:
    """Return the columns with the label map of the catalogue, if there is one; note it and the unused columns.

    Raises:
        CorpusError: The text column leaks the label.
    """
    known = recognize(format_name, names)
    if known is not None:
        note(findings, "known_corpora", known.name)
        if columns.text in known.leaking_columns:
            raise CorpusError(f"{name}: --text_column {columns.text}: it leaks the label. Use another column.")
        if columns.labels is None and columns.label is None:
            columns = replace(columns, labels=known.labels)
    for column in names - set(find_columns(tuple(names), columns).values()):
        note(findings, "columns_unused", column)
    return columns


def read_items(source: Input, columns: Columns) -> Iterator[Item]:
    """Yield one item per row; labels are not read. A row with an error does not stop the others.

    Raises:
        CorpusError: The file cannot be read, or is a table without a text column.
    """
    for row in _rows(source, columns, "text"):
        yield _to_item(row, columns, source.findings)


def _rows(source: Input, columns: Columns, *roles: str) -> Iterator[Row]:
    """Yield the rows; refuse a table without a column for each of the roles."""
    roles = (*roles, *(["id"] if columns.id else []))
    named = [name for name in (columns.text, columns.label, columns.id) if name]
    source.is_numbered = bool(named) and all(name.isdecimal() for name in named)
    for row in read_rows(source):
        if source.format != "jsonl" and row.values and row.error is None:
            for role in roles:
                if role not in find_columns(tuple(row.values), columns):
                    raise CorpusError(f"{source.name}: {_missing(role, row, columns)}")
        yield row


def _to_item(row: Row, columns: Columns, findings: Findings) -> Item:
    item_id: str | int = row.number
    try:
        if (own_id := _id_of(row, columns)) is not None:
            item_id = own_id
        post = to_post(row, columns, findings, is_labeled=False)
        if not post.text:
            raise ValueError("the text is empty.")
        return Item(item_id, post, values=row.values)
    except ValueError as error:
        return Item(item_id, None, str(error), row.values)


def to_post(row: Row, columns: Columns, findings: Findings, *, is_labeled: bool = True) -> Post:
    """Return the post of a row, and count oddities; without `is_labeled`, the label is not read.

    Raises:
        ValueError: The row is blank or has an error, a column is missing, or a value cannot be read.
    """
    if row.error is not None or not row.values:
        raise ValueError(row.error or "the line is empty.")
    places = find_columns(tuple(row.values), columns)
    value = {role: row.values[column] for role, column in places.items()}
    for role in ("text", "label") if is_labeled else ("text",):
        if role not in places:
            raise ValueError(_missing(role, row, columns))
    is_rumor = _read_label(value["label"], places["label"], columns.labels, findings) if is_labeled else None
    own_id = _id_of(row, columns)
    findings["ids_from_rows"] += own_id is None
    post_id = str(row.number if own_id is None else own_id)
    if ROUNDED_ID.fullmatch(post_id):
        note(findings, "ids_rounded", post_id)
    posted_at, observed_at = (parse_time(value.get(name)) for name in ("posted_at", "observed_at"))
    split = parse_split(value.get("split"))
    for name, seconds in (("posted_at", posted_at), ("observed_at", observed_at)):
        if name in places and seconds is None:
            note(findings, "times_unreadable", _shown(value[name]))
    if "split" in places and split is None:
        note(findings, "splits_unreadable", _shown(value["split"]))
    reposts = read_reposts(value.get("reposts"), posted_at, findings)
    num_reposts = parse_count(value.get("num_reposts"))
    if num_reposts is None and isinstance(value.get("reposts"), list):
        num_reposts = len(reposts)
    return Post(
        text=parse_text(value["text"]),
        post_id=post_id,
        is_rumor=is_rumor,
        posted_at=posted_at,
        author_id=parse_text(value.get("author_id")) or None,
        author_verified=parse_bool(value.get("author_verified")),
        has_url=parse_bool(value.get("has_url")),
        num_reposts=num_reposts,
        reposts=reposts,
        observed_at=observed_at,
        split=split,
    )


def _read_label(value: Any, column: str, labels: LabelMap | None, findings: Findings) -> bool | None:
    """Return whether a label means rumor, and note how it was read; None if the label map skips it."""
    word = label_word(value)
    if labels is None:
        is_rumor = parse_label(value, column)
        if word in ANSWERS and is_by_convention(word, column):
            note(findings, "labels_by_convention", f"{word} = {LABEL_NAMES[is_rumor]}")
        elif word in ANSWERS:
            note(findings, "labels_as_answers", f"{word} = {LABEL_NAMES[is_rumor]}")
        return is_rumor
    mapped = map_label(value, labels)
    if mapped is None:
        note(findings, "labels_skipped", word)
    else:
        note(findings, "labels_mapped", f"{word} = {LABEL_NAMES[mapped]}")
    return mapped


def _shown(value: Any) -> str:
    return "none" if isinstance(value, dict | list) or value in (None, "") or value != value else str(value)


def _missing(role: str, row: Row, columns: Columns) -> str:
    chosen = getattr(columns, role)
    shown = ", ".join(f"{name!r:.40}" for name in list(row.values)[:MAX_SHOWN])
    shown += ", ..." if len(row.values) > MAX_SHOWN else ""
    values = ANSWERS.keys() | LABEL_WORDS.keys() - set(COLUMN_NAMES["label"])
    if chosen is None and any(label_word(name) in values or len(name) > MAX_NAME for name in row.values):
        return (
            f"the first line is a post, not column names ({shown}). Add a first line such as text,label, or name the "
            "columns by number: --label_column 1 --text_column 2."
        )
    if chosen:
        return f"no column named {chosen!r} (columns: {shown}). Fix --{role}_column."
    return f"no column for the {role} (columns: {shown}). Name it with --{role}_column, or rename it to {role}."


def _id_of(row: Row, columns: Columns) -> str | int | None:
    """Return the id of a row; None if it has none and the user named no column for it."""
    place = find_columns(tuple(row.values), columns).get("id")
    if place is None:
        if columns.id is not None and row.values:
            raise ValueError(_missing("id", row, columns))
        return None
    value = row.values[place]
    text = parse_text(value)
    if isinstance(value, int | float) and text.isdecimal():
        return int(text)
    return text or None
