"""Read the CED layout (thunlp/Chinese_Rumor_Dataset) from a zip in place or from a folder, one post at a time.

.../original-microblog/ID.json     the post
.../rumor-repost/ID.json           its reposts, if it is a rumor
.../non-rumor-repost/ID.json       its reposts, if it is not: the folder is the label
"""

import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from hf_rumor.corpus.findings import Findings, note_file
from hf_rumor.corpus.post import Post, Repost
from hf_rumor.corpus.values import parse_text, parse_time
from hf_rumor.errors import CorpusError
from hf_rumor.labels import LABEL_NAMES
from hf_rumor.util.encodings import decode
from hf_rumor.util.files import list_files


POSTS_FOLDER = "original-microblog"
REPOSTS_FOLDERS = {"rumor-repost": True, "non-rumor-repost": False}

# A corpus that asks for more than this is no corpus: refused before it fills the memory.
MAX_FILES = 4_000_000
MAX_BYTES = 32 << 20  # of one file; the published ones have less than one MiB

ReadFile = Callable[[str], bytes]


# What damaged archives make zipfile and the decompressors raise.
ZIP_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, NotImplementedError),
    *(struct.error, OverflowError, UnicodeDecodeError, IndexError, OSError),
)


@contextmanager
def open_tree(path: Path) -> Iterator[tuple[list[str], ReadFile]]:
    """Open a folder or a zip; yield the sorted names of its files, and a function that reads one.

    Raises:
        CorpusError: The zip is damaged.
    """
    if path.is_dir():
        names = sorted(file.relative_to(path).as_posix() for file in list_files(path))
        yield names, lambda name: _read_whole(path, name, (path / name).stat().st_size, (path / name).open("rb"))
        return
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {info.filename: info.file_size for info in archive.infolist() if not info.is_dir()}
            if len(sizes) > MAX_FILES:
                raise CorpusError(
                    f"{path}: expected at most {MAX_FILES:,} files, found {len(sizes):,}; give a .jsonl file"
                )
            yield sorted(sizes), lambda name: _read_whole(path, name, sizes[name], archive.open(name))
    except ZIP_ERRORS as error:
        if getattr(error, "filename", None) is not None:  # of the system, which names the file itself
            raise
        raise CorpusError(
            f"{path}: expected a zip that is whole and has no password, got: {error}; download or copy it again"
        ) from error


def _read_whole(path: Path, name: str, size: int, file: IO[bytes]) -> bytes:
    """Return what is in `file`, unless it is too much to be a post or its reposts."""
    with file:
        content = b"" if size > MAX_BYTES else file.read(MAX_BYTES + 1)
    if size > MAX_BYTES or len(content) > MAX_BYTES:
        raise CorpusError(
            f"{path}: {name}: expected at most {MAX_BYTES:,} bytes, found {max(size, len(content)):,}; remove the file"
        )
    return content


def read_ced(path: Path, findings: Findings) -> Iterator[Post]:
    """Yield the posts below `path` in the order of their names; count what is odd in `findings`.

    Raises:
        CorpusError: There is no CED layout below `path`, or a file of it is broken.
    """
    with open_tree(path) as (names, read):
        posts, labels = _sort_files(names, findings)
        if not posts:
            raise CorpusError(
                f"{path}: expected the CED layout (folders {POSTS_FOLDER}, {' and '.join(REPOSTS_FOLDERS)}) at any "
                f"depth, found {len(names):,} other files; give a corpus in this layout, or a .jsonl, .csv, .tsv or "
                ".parquet file"
            )
        for key in sorted(labels.keys() - posts.keys()):
            findings["reposts_without_post"] += len(labels[key])
        for key, name in posts.items():
            folders = labels.get(key, {})
            if not folders:
                findings["posts_without_label"] += 1
            elif len(folders) > 1:
                findings["posts_under_both_labels"] += 1
            else:
                [(is_rumor, reposts_name)] = folders.items()
                reposts = _read_reposts(path, reposts_name, read, findings)
                yield _read_post(path, name, read, findings, is_rumor, reposts)


def count_ced(path: Path) -> dict[str, int]:
    """Return how many posts of each label the CED layout below `path` has, by its file names; reads each post.

    Raises:
        CorpusError: The zip is damaged.
    """
    with open_tree(path) as (names, read):
        posts, labels = _sort_files(names, Findings())
        for name in posts.values():
            read(name)
    is_rumor = [next(iter(labels[key])) for key in posts if len(labels.get(key, {})) == 1]
    return {LABEL_NAMES[1]: sum(is_rumor), LABEL_NAMES[0]: len(is_rumor) - sum(is_rumor)}


def _sort_files(names: list[str], findings: Findings) -> tuple[dict[str, str], dict[str, dict[bool, str]]]:
    """Return the file of each post, and the repost files of each post by label; keys are `root/ID.json`."""
    posts: dict[str, str] = {}
    labels: dict[str, dict[bool, str]] = {}
    for name in names:
        file = PurePosixPath(name)
        key = (file.parent.parent / file.name).as_posix()
        if file.name.startswith("."):  # .DS_Store and ._.DS_Store ship inside the published archive
            note_file(findings, "hidden_files", name)
        elif file.suffix == ".json" and file.parent.name == POSTS_FOLDER:
            posts[key] = name
        elif file.suffix == ".json" and file.parent.name in REPOSTS_FOLDERS:
            labels.setdefault(key, {})[REPOSTS_FOLDERS[file.parent.name]] = name
        else:
            note_file(findings, "other_files", name)
    return posts, labels


def _load_json(path: Path, name: str, read: ReadFile, kind: type, findings: Findings) -> Any:
    try:
        text, encoding = decode(read(name))
        findings["files_in_gb18030"] += encoding == "gb18030"
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"{path}: {name}: expected JSON, got {error}; repair or remove the file") from error
    if not isinstance(value, kind):
        expected = "an object" if kind is dict else "a list"
        raise CorpusError(
            f"{path}: {name}: expected {expected}, got {type(value).__name__}; repair or remove the file"
        )
    return value


def _read_post(
    path: Path, name: str, read: ReadFile, findings: Findings, is_rumor: bool, reposts: tuple[Repost, ...]
) -> Post:
    raw = _load_json(path, name, read, dict, findings)
    if "text" not in raw:
        raise CorpusError(f"{path}: {name}: expected a post with 'text', found {sorted(raw)}; repair or remove it")
    text = _parse_text(path, name, raw["text"])
    posted_at = parse_time(raw.get("time"))
    findings["times_as_text"] += posted_at is not None and isinstance(raw.get("time"), str)
    findings["times_unreadable"] += posted_at is None
    user = raw.get("user")  # the string "empty" on some rumors of the published corpus
    findings["authors_missing"] += not isinstance(user, dict)
    post_id = parse_text(PurePosixPath(name).stem)  # number_mid_uid in the published corpus
    parts = post_id.split("_")
    return Post(
        post_id=post_id,
        text=text,
        is_rumor=is_rumor,
        posted_at=posted_at,
        author_id=parts[2] if len(parts) == 3 else None,
        author_verified=bool(user.get("verified")) if isinstance(user, dict) else None,
        has_url=bool(raw["has_url"]) if "has_url" in raw else None,
        num_reposts=len(reposts),
        reposts=reposts,
    )


def _read_reposts(path: Path, name: str, read: ReadFile, findings: Findings) -> tuple[Repost, ...]:
    reposts = []
    for raw in _load_json(path, name, read, list, findings):
        if not isinstance(raw, dict):
            raise CorpusError(
                f"{path}: {name}: expected a list of objects, got {raw!r:.40}; repair or remove the file"
            )
        repost = Repost(
            repost_id=_parse_text(path, name, raw.get("mid")),
            text=_parse_text(path, name, raw.get("text")),
            reposted_at=parse_time(raw.get("date")),
            author_id=_parse_text(path, name, raw.get("uid")) or None,
            parent_id=_parse_text(path, name, raw.get("parent")) or None,
        )
        findings["repost_dates_unreadable"] += repost.reposted_at is None
        findings["reposts_without_text"] += not repost.text
        reposts.append(repost)
    return sort_reposts(reposts)


def _parse_text(path: Path, name: str, value: Any) -> str:
    try:
        return parse_text(value)
    except ValueError as error:
        raise CorpusError(f"{path}: {name}: {error}; repair or remove the file") from error


def sort_reposts(reposts: list[Repost]) -> tuple[Repost, ...]:
    """Return the reposts oldest first, those without a time last.

    The published files run newest first: the first k of them would be the future.
    """
    return tuple(sorted(reposts, key=lambda repost: (repost.reposted_at is None, repost.reposted_at or 0)))
