"""Which columns of a file are read, and what its labels mean."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hf_rumor.corpus.values import LabelMap, parse_label_map


# Recognized column names, in lower case with `_` for spaces; the first one that a file has is read.
COLUMN_NAMES: dict[str, tuple[str, ...]] = {
    "text": ("text", "content", "post", "内容", "正文", "微博正文", "微博内容", "文本"),
    "label": (
        "label",
        "labels",
        "is_rumor",
        "rumor",
        "rumour",
        "is_fake",
        "标签",
        "是否谣言",
        "是否为谣言",
        "是否属实",
        "真假",
    ),
    "id": ("id", "post_id", "mid", "weibo_id", "微博id", "note_id", "item_id", "tweet_id", "news_id", "帖子id"),
    "posted_at": ("posted_at", "time", "created_at", "date", "时间", "发布时间"),
    "split": ("split", "划分", "数据集划分"),
    "author_id": ("author_id",),
    "author_verified": ("author_verified",),
    "has_url": ("has_url",),
    "num_reposts": ("num_reposts",),
    "reposts": ("reposts",),
    "observed_at": ("observed_at",),
}

# Columns with numbers of reposts, comments and likes, which say how many people a post has reached.
REACH_NAMES = (
    *("num_reposts", "reposts_count", "转发数", "num_comments", "comments_count", "评论数"),
    *("num_likes", "attitudes_count", "like_count", "点赞数"),
)


@dataclass(frozen=True)
class Columns:
    """Names of the columns to read (None: the first one with a recognized name), and what the labels mean."""

    text: str | None = None
    label: str | None = None
    id: str | None = None
    labels: LabelMap | None = None  # None: as `parse_label` reads them


@dataclass(frozen=True)
class CorpusFile:
    """One corpus of `--data_path`, and how it is read."""

    path: str
    name: str | None = None  # of the source; None: by the path
    columns: Columns = Columns()
    weight: float = 1.0  # how often each of its training posts is in an epoch


def columns_of(flags: Any) -> Columns:
    """Return the values of `--text_column`, `--label_column`, `--id_column` and `--label_map` in `flags`.

    Raises:
        ArgumentError: The label map is not one.
    """
    return Columns(flags.text_column, flags.label_column, flags.id_column, parse_label_map(flags.label_map))


@lru_cache(maxsize=64)
def find_columns(names: tuple[str, ...], columns: Columns) -> dict[str, str]:
    """Return role -> column for each role of `COLUMN_NAMES`; case and surrounding spaces of names do not matter.

    If only a nested object has a text, such as `mblog.text`, its other keys are columns too.
    """
    normalized = {name.strip().lower().replace(" ", "_"): name for name in reversed(names)}
    if not normalized.keys() & set(COLUMN_NAMES["text"]):
        nested = (name.rpartition(".")[0] for name in normalized if name.rpartition(".")[2] in COLUMN_NAMES["text"])
        if prefix := next(nested, ""):
            inner = {name.removeprefix(f"{prefix}."): column for name, column in normalized.items()}
            normalized = {**inner, **normalized}
    column_of: dict[str, str] = {}
    for role, usual in COLUMN_NAMES.items():
        chosen = getattr(columns, role, None)
        wanted = usual if chosen is None else (chosen.strip().lower().replace(" ", "_"),)
        matches = [chosen] if chosen in names else [normalized[name] for name in wanted if name in normalized]
        if matches:
            column_of[role] = matches[0]
    return column_of
