"""The review queue in a SQLite database: stories of each upload, and verdicts, which are only ever appended.

A verdict is on disk when its request is answered, so that it survives the end of the process. The last verdict of a
story is in force. An undo is appended too: it has a time `undone_at`, and
repeats the verdict that was in force before.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hf_rumor.corpus.normalization import normalize
from hf_rumor.corpus.post import Post
from hf_rumor.desk.feedback import Verdict, corpus_row
from hf_rumor.desk.queue import OWN_COLUMNS, Queue
from hf_rumor.desk.stories import Earlier
from hf_rumor.desk.verdicts import UNDECIDED, VERDICTS
from hf_rumor.errors import ArgumentError
from hf_rumor.serve.problem import Problem


APPLICATION_ID = 0x48465255  # "HFRU", in the header of the file
BUSY_SECONDS = 10  # to wait for another process that writes
SCHEMA = """
CREATE TABLE uploads (
    number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, at TEXT NOT NULL,
    num_posts INTEGER NOT NULL, num_stories INTEGER NOT NULL, num_errors INTEGER NOT NULL, omitted REAL NOT NULL
);
CREATE TABLE stories (
    number INTEGER PRIMARY KEY AUTOINCREMENT, upload INTEGER NOT NULL REFERENCES uploads, content TEXT NOT NULL
);
CREATE TABLE verdicts (
    number INTEGER PRIMARY KEY AUTOINCREMENT, story INTEGER NOT NULL REFERENCES stories, label TEXT NOT NULL,
    author TEXT NOT NULL, at TEXT NOT NULL, undone_at TEXT
);
CREATE INDEX stories_of_upload ON stories (upload);
CREATE INDEX verdicts_of_story ON verdicts (story);
"""
# The stories with their last verdict.
CURRENT = """
SELECT stories.number, stories.content, verdicts.number, verdicts.label, verdicts.author, verdicts.at FROM stories
LEFT JOIN verdicts ON verdicts.number = (SELECT MAX(number) FROM verdicts WHERE story = stories.number)
"""


@dataclass(frozen=True)
class QueuedStory:
    """A story in the queue, and the verdict in force."""

    number: int
    last: int  # number of the last verdict or undo; 0 if there is none
    verdict: str  # one of `VERDICTS`; empty if there is none
    author: str  # of the verdict
    at: str  # of the verdict, ISO 8601
    text: str
    own: dict[str, Any]  # `OWN_COLUMNS`
    values: dict[str, Any]  # columns of the upload
    post_id: str
    posted_at: int | None  # seconds since 1970-01-01 UTC


@dataclass(frozen=True)
class Upload:
    """The posts of a day."""

    number: int
    name: str
    at: str  # ISO 8601
    num_posts: int
    num_stories: int  # those omitted included
    num_errors: int
    omitted: float  # expected number of rumors among the stories that were omitted


class Store:
    """The database; safe to use from several threads, and from several processes.

    Args:
        path: Of the database; created if it is missing.

    Raises:
        ArgumentError: It cannot be opened, or is the database of another program.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            with self._transaction():
                [found] = self._database.execute("PRAGMA application_id").fetchone()
                [num_tables] = self._database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
                if not num_tables:
                    for statement in filter(str.strip, SCHEMA.split(";")):
                        self._database.execute(statement)
                    self._database.execute(f"PRAGMA application_id={APPLICATION_ID}")
            if num_tables and found != APPLICATION_ID:
                raise sqlite3.DatabaseError("the database of another program")
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=FULL")
        except sqlite3.Error as error:
            raise ArgumentError(f"--queue {path}: {error}. Choose another file.") from error

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:  # SQLite itself ends it if the disk is full
                    self._database.execute("ROLLBACK")
                raise

    def add_queue(self, name: str, queue: Queue, num_errors: int) -> int:
        """Add the queue of a day, and return its number."""
        columns = "name, at, num_posts, num_stories, num_errors, omitted"
        facts = (name, _now(), queue.num_posts, queue.num_stories, num_errors, queue.omitted)
        with self._transaction():
            upload = self._database.execute(
                f"INSERT INTO uploads ({columns}) VALUES (?, ?, ?, ?, ?, ?)", facts
            ).lastrowid
            self._database.executemany(
                "INSERT INTO stories (upload, content) VALUES (?, ?)",
                [
                    (upload, _content(queue.columns, row, post))
                    for row, post in zip(queue.rows, queue.posts, strict=True)
                ],
            )
        assert upload is not None
        return upload

    def uploads(self) -> list[Upload]:
        """Return the uploads, the latest first."""
        columns = "number, name, at, num_posts, num_stories, num_errors, omitted"
        with self._lock:
            rows = self._database.execute(f"SELECT {columns} FROM uploads ORDER BY number DESC").fetchall()
        return [Upload(*row) for row in rows]

    def stories(self, upload: int | None = None) -> list[QueuedStory]:
        """Return the stories of an upload, the most valuable check first; None: of all uploads, the oldest first."""
        with self._lock:
            rows = self._database.execute(
                f"{CURRENT} WHERE ? IS NULL OR upload = ? ORDER BY stories.number", (upload, upload)
            ).fetchall()
        return [_to_story(row) for row in rows]

    def history(self) -> list[Earlier]:
        """Return the stories of all uploads with their verdicts, the oldest first."""
        return [Earlier(story.text, story.verdict) for story in self.stories()]

    def decide(self, number: int, verdict: str, last: int, author: str = "") -> QueuedStory:
        """Append a verdict; return the story with it.

        Args:
            number: Of the story.
            verdict: One of `VERDICTS`.
            last: Number of the last verdict of the story that the user has seen.
            author: Who decided; empty if unknown.

        Raises:
            Problem: There is no such story or verdict, or another verdict came first (status 409).
        """
        if verdict not in VERDICTS:
            raise Problem(400, "request", f"expected a verdict that is one of {', '.join(VERDICTS)}")
        with self._transaction():
            story = self._story(number)
            _check_last(story, last)
            self._append(number, verdict, author, _now())
            return self._story(number)

    def undo(self, number: int, last: int) -> QueuedStory:
        """Append the verdict that was in force before the current one; return the story.

        Args:
            number: Of the story.
            last: Number of its last verdict or undo that the user has seen.

        Raises:
            Problem: There is no such story or verdict, or another verdict came first (status 409).
        """
        with self._transaction():
            _check_last(self._story(number), last)
            rows = self._database.execute(
                "SELECT label, author, at, undone_at FROM verdicts WHERE story = ? ORDER BY number", (number,)
            )
            in_force: list[tuple[str, str, str]] = []
            for label, author, at, undone_at in rows:
                if undone_at is None:
                    in_force.append((label, author, at))
                else:
                    in_force.pop()
            if not in_force:
                raise Problem(404, "no_verdict", f"expected a story with a verdict, got {number}")
            before = in_force[-2] if len(in_force) > 1 else ("", "", "")
            self._append(number, *before, undone_at=_now())
            return self._story(number)

    def _append(self, story: int, label: str, author: str, at: str, undone_at: str | None = None) -> None:
        self._database.execute(
            "INSERT INTO verdicts (story, label, author, at, undone_at) VALUES (?, ?, ?, ?, ?)",
            (story, label, author, at, undone_at),
        )

    def _story(self, number: int) -> QueuedStory:
        is_possible = 0 < number < 2**63  # SQLite refuses others
        row = self._database.execute(f"{CURRENT} WHERE stories.number = ?", (number if is_possible else 0,)).fetchone()
        if row is None:
            raise Problem(404, "no_story", f"expected the number of a story, got {number}")
        return _to_story(row)

    def export(self) -> str:
        """Return the decided posts of all uploads as the desk's corpus; of equal texts, the latest verdict counts."""
        rows: dict[str, str] = {}
        for story in sorted(filter(lambda story: story.verdict, self.stories()), key=lambda story: story.at):
            if story.verdict == UNDECIDED:  # somebody no longer believes an earlier verdict
                rows.pop(normalize(story.text), None)
                continue
            post = Post(text=story.text, post_id=story.post_id, posted_at=story.posted_at)
            verdict = Verdict(post, story.verdict, story.own["decision"])
            row = corpus_row(verdict, story.author, datetime.fromisoformat(story.at))
            rows[normalize(story.text)] = json.dumps(row, ensure_ascii=False)
        return "".join(f"{row}\n" for row in rows.values())


def _check_last(story: QueuedStory, last: int) -> None:
    if story.last != last:
        message = f"expected verdict {story.last} as the last one, got {last}: somebody else was faster"
        raise Problem(409, "conflict", message, story=asdict(story))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _content(columns: tuple[str, ...], row: tuple[Any, ...], post: Post) -> str:
    num_own = len(OWN_COLUMNS)
    content = {
        "text": post.text,
        "own": dict(zip(columns[:num_own], row[:num_own], strict=True)),
        "values": {
            name: value for name, value in zip(columns[num_own:], row[num_own:], strict=True) if value is not None
        },
        "post_id": post.post_id,
        "posted_at": post.posted_at,
    }
    return json.dumps(content, ensure_ascii=False, default=str)


def _to_story(row: tuple[Any, ...]) -> QueuedStory:
    number, content, last, verdict, author, at = row
    return QueuedStory(
        number=number, last=last or 0, verdict=verdict or "", author=author or "", at=at or "", **json.loads(content)
    )
