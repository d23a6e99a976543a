"""Predictions beside the columns of the input, for people."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from hf_rumor.corpus.rows import Item


def to_table(
    lines: Iterable[str], items: Sequence[Item], *, sort: bool = False, top: int | None = None
) -> tuple[list[str], list[list[Any]]]:
    """Return columns and rows: the values of each line of JSON, then those of the row of its item.

    Args:
        lines: Of `predict_items`, one per item.
        items: With the values of their rows.
        sort: Whether the most probable rumors come first; rows with an error come last.
        top: Number of rows to keep; None: all.
    """
    pairs = list(zip(map(json.loads, lines), items, strict=True))
    if sort:
        pairs.sort(key=lambda pair: -pair[0].get("rumor_probability", -1.0))
    pairs = pairs[:top]
    ours = list(dict.fromkeys(name for values, _ in pairs for name in values))
    theirs = [name for name in dict.fromkeys(name for _, item in pairs for name in item.values) if name != "id"]
    rows = [
        [*(values.get(name) for name in ours), *(item.values.get(name) for name in theirs)] for values, item in pairs
    ]
    return [*ours, *(f"{name}_input" if name in ours else name for name in theirs)], rows
