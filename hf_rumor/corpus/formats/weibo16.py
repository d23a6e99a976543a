"""The layout of Weibo16 (Ma et al., 2016), in a zip or in a folder.

.../Weibo.txt         one line per event: eid:ID, label:0 or 1 (rumor), and the ids of its posts
.../Weibo/ID.json     the event: a list of the post and its reposts
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from hf_rumor.corpus.findings import Findings
from hf_rumor.corpus.formats.input import Input, Row
from hf_rumor.corpus.formats.tree import ReadFile, load_json, open_tree
from hf_rumor.errors import CorpusError
from hf_rumor.util.encodings import decode


INDEX = "Weibo.txt"
LINE = re.compile(r"eid:(\S+)\s+label:([01])\b")
LABELS = {"0": "non-rumor", "1": "rumor"}


def is_weibo16(names: list[str]) -> bool:
    """Return whether files with these names are in the layout of Weibo16."""
    return any(PurePosixPath(name).name == INDEX for name in names)


def read_weibo16(source: Input) -> Iterator[Row]:
    """Yield the post of each event, with its reposts, in the order of the lines.

    Raises:
        CorpusError: The layout is another one, a line is broken, or the zip is damaged.
    """
    path, findings = source.need_path(), source.findings
    with open_tree(path) as (names, read):
        index = next((name for name in names if PurePosixPath(name).name == INDEX), None)
        if index is None:
            raise CorpusError(f"{path}: no {INDEX}, so it is not in the layout of Weibo16. Use another --format.")
        files = {PurePosixPath(name).stem: name for name in names if name.endswith(".json")}
        number = 0
        for line_number, line in enumerate(_read_index(path, index, read), start=1):
            if not line.strip():
                continue
            if not (match := LINE.match(line)):
                raise CorpusError(f"{path}: {index}: line {line_number}: not `eid:ID label:0 ...`. Repair the line.")
            event, label = match.groups()
            if event not in files:
                findings["events_without_file"] += 1
                continue
            number += 1
            name = files[event]
            try:
                yield Row(number, name, {"id": event, "label": LABELS[label], **_read_event(name, read, findings)})
            except ValueError as error:
                yield Row(number, name, {}, f"{error}. Repair or remove the file.")


def _read_index(path: Path, name: str, read: ReadFile) -> list[str]:
    try:
        return decode(read(name))[0].splitlines()
    except ValueError as error:
        raise CorpusError(f"{path}: {name}: {error}. Download it again.") from error


def _read_event(name: str, read: ReadFile, findings: Findings) -> dict[str, Any]:
    event = load_json(name, read, list, findings)
    if not event or not all(isinstance(entry, dict) and "text" in entry for entry in event):
        raise ValueError("not a list of posts with a 'text'")
    post, *reposts = event
    keys = {"id": "mid", "text": "text", "reposted_at": "t", "author_id": "uid", "parent_id": "parent"}
    return {
        "text": post["text"],
        "posted_at": post.get("t"),
        "author_id": post.get("uid"),
        "author_verified": post.get("verified"),
        "num_reposts": len(reposts),
        "reposts": [{column: repost.get(key) for column, key in keys.items()} for repost in reposts],
    }
