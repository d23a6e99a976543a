"""Rows of any format -> posts: which column is what, and how its values are read. For `train` and `predict` alike."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hf_rumor.corpus.findings import Findings, note
from hf_rumor.corpus.formats import FORMATS, read_rows
from hf_rumor.corpus.formats.input import Input, Row
from hf_rumor.corpus.post import Post, Repost
from hf_rumor.corpus.values import (
    ANSWERS,
    label_word,
    parse_bool,
    parse_count,
    parse_label,
    parse_split,
    parse_text,
    parse_time,
)
from hf_rumor.errors import CorpusError


# Names of columns that are recognised, in lower case with `_` for spaces; the first one that is there counts.
COLUMN_NAMES: dict[str, tuple[str, ...]] = {
    "text": ("text", "content", "post", "内容", "正文", "微博正文", "微博内容", "文本"),
    "label": ("label", "labels", "is_rumor", "rumor", "rumour", "is_fake", "标签", "是否谣言", "是否为谣言", "真假"),
    "id": ("id", "post_id", "mid", "weibo_id", "微博id", "note_id", "item_id", "tweet_id", "news_id", "帖子id"),
    "posted_at": ("posted_at", "time", "created_at", "date", "时间", "发布时间"),
    "split": ("split", "划分", "数据集划分"),
    "author_id": ("author_id",),
    "author_verified": ("author_verified",),
    "has_url": ("has_url",),
    "num_reposts": ("num_reposts",),
    "reposts": ("reposts",),
}
ROUNDED_ID = re.compile(r"\d(\.\d+)?E\+?\d+", re.IGNORECASE)  # 4.75E+15, as spreadsheets save long numbers


@dataclass(frozen=True)
class Columns:
    """The columns to read; None: the first one with a recognised name."""

    text: str | None = None
    label: str | None = None
    id: str | None = None


@dataclass(frozen=True)
class Item:
    """One post to predict.

    Attributes:
        id: As the input has it, else the number of the row.
        post: None if there is an error.
        error: Why the row cannot be predicted.
    """

    id: str | int
    post: Post | None
    error: str | None = None


def read_posts(source: Input, columns: Columns) -> Iterator[Post]:
    """Yield the labelled posts of an input; see `labelled_posts`."""
    if source.format == "lines":
        suffixes = [suffix for name, (_, suffixes) in FORMATS.items() for suffix in suffixes if name != "lines"]
        raise CorpusError(f"{source.name}: plain lines have no labels. Use a corpus of {', '.join(suffixes)}.")
    yield from labelled_posts(read_rows(source), source.name, columns, source.findings)


def labelled_posts(rows: Iterable[Row], name: str, columns: Columns, findings: Findings) -> Iterator[Post]:
    """Yield the post of each row; blank lines are skipped.

    Args:
        rows: Of an input.
        name: Of the input, for messages.
        columns: See `Columns`.
        findings: Is added to.

    Raises:
        CorpusError: At the first row that is not a labelled post.
    """
    for row in rows:
        if row.error is None and not row.values:
            continue
        try:
            if row.error is not None:
                raise ValueError(row.error)
            yield to_post(row, columns, findings)
        except ValueError as error:
            advice = "" if str(error).endswith(".") else ". Fix or remove it."
            raise CorpusError(f"{name}: {row.where}: {error}{advice}") from error


def read_items(source: Input, columns: Columns) -> Iterator[Item]:
    """Yield one item per row; labels are not read. A row with an error costs no other.

    Raises:
        CorpusError: The file as a whole cannot be read, or is a table without a column of the text.
    """
    is_first = True
    for row in read_rows(source):
        if (
            is_first
            and row.values
            and source.format != "jsonl"
            and "text" not in find_columns(tuple(row.values), columns)
        ):
            raise CorpusError(f"{source.name}: {_missing('text', row, columns)}")
        is_first = is_first and not row.values
        yield _to_item(row, columns, source.findings)


def _to_item(row: Row, columns: Columns, findings: Findings) -> Item:
    item_id: str | int = row.number
    try:
        own_id = _id_of(row, columns)
        item_id = row.number if own_id is None else own_id
        if row.error is not None:
            raise ValueError(row.error)
        if not row.values:
            raise ValueError("the line is empty.")
        post = to_post(row, columns, findings, is_labelled=False)
    except ValueError as error:
        return Item(item_id, None, str(error))
    return Item(item_id, post) if post.text else Item(item_id, None, "the text is empty.")


@lru_cache(maxsize=64)
def find_columns(names: tuple[str, ...], columns: Columns) -> dict[str, str]:
    """Return the column of each key of `COLUMN_NAMES` that is there. Case and spaces around a name do not matter."""
    recognised = {name.strip().lower().replace(" ", "_"): name for name in reversed(names)}
    found: dict[str, str] = {}
    for role, usual in COLUMN_NAMES.items():
        named = getattr(columns, role, None)
        if named in names:
            found[role] = named
            continue
        wanted = usual if named is None else (named.strip().lower().replace(" ", "_"),)
        there = [recognised[name] for name in wanted if name in recognised]
        if there:
            found[role] = there[0]
    return found


def to_post(row: Row, columns: Columns, findings: Findings, *, is_labelled: bool = True) -> Post:
    """Return the post of a row; count what is odd.

    Args:
        row: Without error.
        columns: See `Columns`.
        findings: Is added to.
        is_labelled: Whether to read the label; else `is_rumor` is None.

    Raises:
        ValueError: A column is missing, or a value cannot be read.
    """
    places = find_columns(tuple(row.values), columns)
    value = {role: row.values[column] for role, column in places.items()}
    for role in ("text", "label") if is_labelled else ("text",):
        if role not in places:
            raise ValueError(_missing(role, row, columns))
    is_rumor = _read_label(value["label"], places["label"], findings) if is_labelled else None
    own_id = _id_of(row, columns)
    findings["ids_from_rows"] += own_id is None
    post_id = str(row.number if own_id is None else own_id)
    if ROUNDED_ID.fullmatch(post_id):
        note(findings, "ids_rounded", post_id)
    posted_at, split = parse_time(value.get("posted_at")), parse_split(value.get("split"))
    if "posted_at" in places and posted_at is None:
        note(findings, "times_unreadable", _shown(value["posted_at"]))
    if "split" in places and split is None:
        note(findings, "splits_unreadable", _shown(value["split"]))
    reposts = _read_reposts(value.get("reposts"), findings)
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
        split=split,
    )


def _shown(value: Any) -> str:
    return "none" if isinstance(value, dict | list) or value in (None, "") or value != value else str(value)


def _missing(role: str, row: Row, columns: Columns) -> str:
    named = getattr(columns, role)
    wanted = repr(named) if named else " or ".join(COLUMN_NAMES[role])
    shown = ", ".join(f"{name!r:.40}" for name in list(row.values)[:8])
    return (
        f"no column {wanted} (columns: {shown}). Name it with --{role}_column; a table needs its column names in the "
        "first line."
    )


def _id_of(row: Row, columns: Columns) -> str | int | None:
    """Return the id of a row, a whole number as such; None if it has none.

    Raises:
        ValueError: The column that was named is missing, or the id is no text.
    """
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


def _read_label(value: Any, column: str, findings: Findings) -> bool:
    is_rumor = parse_label(value, column)
    if label_word(value) in ANSWERS:
        note(findings, "labels_as_numbers", f"{label_word(value)} = {'rumor' if is_rumor else 'non-rumor'}")
    return is_rumor


def _read_reposts(raw: Any, findings: Findings) -> tuple[Repost, ...]:
    """Read a list of texts, or of objects with `text` and perhaps `id`, `reposted_at`, `author_id`, `parent_id`.

    Raises:
        ValueError: An object has no `text`, or a value is no text.
    """
    if not isinstance(raw, list):  # a column of counts, or a CSV that cannot hold a list
        return ()
    reposts, num_undated = [], 0
    for item in raw:
        fields = item if isinstance(item, dict) else {"text": item}
        if "text" not in fields:
            raise ValueError(f"a repost without 'text' (keys: {sorted(fields)})")
        repost = Repost(
            repost_id=parse_text(fields.get("id")),
            text=parse_text(fields["text"]),
            reposted_at=parse_time(fields.get("reposted_at")),
            author_id=parse_text(fields.get("author_id")) or None,
            parent_id=parse_text(fields.get("parent_id")) or None,
        )
        num_undated += "reposted_at" in fields and repost.reposted_at is None
        reposts.append(repost)
    findings["repost_dates_unreadable"] += num_undated
    findings["reposts_without_text"] += sum(not repost.text for repost in reposts)
    return sort_reposts(reposts)


def sort_reposts(reposts: list[Repost]) -> tuple[Repost, ...]:
    """Return the reposts oldest first, those without a time last.

    The published files run newest first: the first k of them would be the future.
    """
    return tuple(sorted(reposts, key=lambda repost: (repost.reposted_at is None, repost.reposted_at or 0)))
