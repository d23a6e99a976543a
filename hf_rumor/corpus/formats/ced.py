"""The CED layout (thunlp/Chinese_Rumor_Dataset), in a zip or in a folder.

.../original-microblog/ID.json     the post
.../rumor-repost/ID.json           its reposts, if it is a rumor
.../non-rumor-repost/ID.json       its reposts, if it is not: the folder is the label
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from hf_rumor.corpus.findings import Findings, note
from hf_rumor.corpus.formats.input import Input, Row
from hf_rumor.corpus.formats.tree import ReadFile, load_json, open_tree
from hf_rumor.errors import CorpusError


POSTS_FOLDER = "original-microblog"
REPOSTS_FOLDERS = {"rumor-repost": "rumor", "non-rumor-repost": "non-rumor"}


def is_ced(names: list[str]) -> bool:
    """Return whether files with these names are in the layout of CED."""
    return any(PurePosixPath(name).parent.name in (POSTS_FOLDER, *REPOSTS_FOLDERS) for name in names)


def read_ced(source: Input) -> Iterator[Row]:
    """Yield the posts in the order of their names. If labels are needed, posts with no label or two are skipped.

    Raises:
        CorpusError: The layout is another one, or the zip is damaged.
    """
    path, findings = source.need_path(), source.findings
    with open_tree(path) as (names, read):
        posts, labels = _sort_files(names, findings)
        if not posts:
            raise CorpusError(f"{path}: no folder {POSTS_FOLDER} with posts, so it is not CED. Use another --format.")
        for key in sorted(labels.keys() - posts.keys()):
            findings["reposts_without_post"] += len(labels[key])
        for number, (key, name) in enumerate(posts.items(), start=1):
            folders = labels.get(key, {})
            if source.is_labeled and len(folders) != 1:
                findings["posts_under_both_labels" if folders else "posts_without_label"] += 1
                continue
            try:
                yield Row(number, name, _read_post(name, read, folders, findings))
            except ValueError as error:
                yield Row(number, name, {}, f"{error}. Repair or remove the file.")


def count_ced(path: Path) -> dict[str, int]:
    """Return the number of posts of each label; each post is read, to detect damage.

    Raises:
        CorpusError: The zip is damaged.
    """
    with open_tree(path) as (names, read):
        posts, labels = _sort_files(names, Findings())
        for name in posts.values():
            try:
                read(name)
            except ValueError as error:
                raise CorpusError(f"{path}: {name}: {error}. Download it again.") from error
    counts = Counter(next(iter(labels[key])) for key in posts if len(labels.get(key, {})) == 1)
    return {label: counts[label] for label in REPOSTS_FOLDERS.values()}


def _sort_files(names: list[str], findings: Findings) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return the file of each post, and the repost files of each post by label; keys are `root/ID.json`."""
    posts: dict[str, str] = {}
    labels: dict[str, dict[str, str]] = {}
    for name in names:
        file = PurePosixPath(name)
        key = (file.parent.parent / file.name).as_posix()
        if file.name.startswith("."):  # .DS_Store and ._.DS_Store ship inside the published archive
            note(findings, "hidden_files", name)
        elif file.suffix == ".json" and file.parent.name == POSTS_FOLDER:
            posts[key] = name
        elif file.suffix == ".json" and file.parent.name in REPOSTS_FOLDERS:
            labels.setdefault(key, {})[REPOSTS_FOLDERS[file.parent.name]] = name
        else:
            note(findings, "other_files", name)
    return posts, labels


def _read_post(name: str, read: ReadFile, folders: dict[str, str], findings: Findings) -> dict[str, Any]:
    raw = load_json(name, read, dict, findings)
    if "text" not in raw:
        raise ValueError(f"no 'text' among the keys {sorted(raw)}")
    reposts: list[dict[str, Any]] = []
    for file in folders.values():
        try:
            reposts += _read_reposts(file, read, findings)
        except ValueError as error:
            raise ValueError(f"its reposts in {file}: {error}") from error
    user = raw.get("user")  # the string "empty" on some rumors of the published corpus
    findings["authors_missing"] += not isinstance(user, dict)
    findings["times_as_text"] += isinstance(raw.get("time"), str)
    post_id = PurePosixPath(name).stem  # number_mid_uid in the published corpus
    parts = post_id.split("_")
    return {
        "id": post_id,
        "text": raw["text"],
        "label": next(iter(folders)) if len(folders) == 1 else None,
        "posted_at": raw.get("time"),
        "author_id": parts[2] if len(parts) == 3 else None,
        "author_verified": bool(user.get("verified")) if isinstance(user, dict) else None,
        "has_url": bool(raw["has_url"]) if "has_url" in raw else None,
        "num_reposts": len(reposts),
        "reposts": reposts,
    }


def _read_reposts(name: str, read: ReadFile, findings: Findings) -> Iterator[dict[str, Any]]:
    for raw in load_json(name, read, list, findings):
        if not isinstance(raw, dict):
            raise ValueError(f"{raw!r:.40} is not a repost")
        keys = {"id": "mid", "text": "text", "reposted_at": "date", "author_id": "uid", "parent_id": "parent"}
        yield {column: raw.get(key) for column, key in keys.items()}
