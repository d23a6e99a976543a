"""What is known of the posts that are watched, in SQLite: bounded, and consistent after a crash."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hf_rumor.errors import OutputError


TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS posts (
    post_id TEXT PRIMARY KEY, posted_at INTEGER, text_probability REAL, text_score REAL, words REAL, attention REAL,
    num_reposts INTEGER, num_read INTEGER, predicted TEXT, touched INTEGER
);
CREATE INDEX IF NOT EXISTS by_touched ON posts (touched);
CREATE TABLE IF NOT EXISTS reposts (
    post_id TEXT, key TEXT, reposted_at INTEGER, words TEXT, PRIMARY KEY (post_id, key)
) WITHOUT ROWID;
"""


@dataclass
class Watched:
    """A post that is watched; `posted_at` is None as long as only reposts of it have arrived."""

    post_id: str
    posted_at: int | None = None
    text_probability: float = 0.0  # by the classifier
    text_score: float = 0.0  # by a part of the model of the reposts
    words: float = 0.0  # by the second
    attention: float = 0.0  # by the third
    num_reposts: int = 0  # with words, that have arrived
    num_read: int = 0  # of these, within the deadline of the model
    predicted: str | None = None  # the decision that was last written


@dataclass
class Progress:
    """How far the events were read, and how far the decisions were written."""

    num_events: int = 0
    position: int = 0  # in the input, in bytes
    output: str = "-"  # file of the decisions
    written: int = 0  # bytes of the output
    source: str = "-"  # file of the events
    clock: int = 0  # time of the newest event, in seconds since 1970-01-01 UTC


class State:
    """The posts and their reposts. Changes become permanent together, at `commit`.

    Args:
        path: File; None: in memory.
        model: What identifies the model.

    Raises:
        OutputError: The file is no state of this model.
    """

    def __init__(self, path: Path | None, model: str) -> None:
        self.is_permanent = path is not None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = sqlite3.connect(path or ":memory:", timeout=0.1, isolation_level=None)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._database.executescript(TABLES)
            self._database.execute("BEGIN IMMEDIATE")
            saved = dict(self._database.execute("SELECT name, value FROM facts"))
        except sqlite3.Error as error:
            raise OutputError(f"--state {path}: cannot be used ({error}). Use another file.") from error
        if saved.get("model", model) != model:
            raise OutputError(f"--state {path}: belongs to another model. Use another file, or remove it.")
        self.progress = Progress(**json.loads(saved.get("progress", "{}")))
        self._save("model", model)

    def _save(self, name: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def get(self, post_id: str) -> Watched | None:
        """Return a post; None if neither it nor a repost of it has arrived."""
        row = self._database.execute("SELECT * FROM posts WHERE post_id = ?", (post_id,)).fetchone()
        return Watched(*row[:-1]) if row else None

    def put(self, post: Watched) -> None:
        """Keep a post, as the one that was touched last."""
        self._database.execute(
            "INSERT OR REPLACE INTO posts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*vars(post).values(), self.progress.num_events),
        )

    def add_repost(self, post_id: str, key: str, reposted_at: int, words: str) -> bool:
        """Keep a repost; return False if it has arrived before."""
        added = self._database.execute(
            "INSERT OR IGNORE INTO reposts VALUES (?, ?, ?, ?)", (post_id, key, reposted_at, words)
        )
        return added.rowcount > 0

    def reposts(self, post_id: str) -> list[tuple[int, str]]:
        """Return time and words of the reposts of a post, oldest first."""
        return self._database.execute(
            "SELECT reposted_at, words FROM reposts WHERE post_id = ? ORDER BY reposted_at, words", (post_id,)
        ).fetchall()

    def posts(self) -> Iterator[Watched]:
        """Yield the posts that have arrived, by id; none may be changed meanwhile."""
        rows = self._database.execute("SELECT * FROM posts WHERE posted_at IS NOT NULL ORDER BY post_id")
        return (Watched(*row[:-1]) for row in rows)

    def forget(self, most: int) -> list[str]:
        """Forget the posts without an event for the longest time until at most `most` are left; return their ids."""
        [number] = self._database.execute("SELECT count(*) FROM posts").fetchone()
        rows = self._database.execute("SELECT post_id FROM posts ORDER BY touched LIMIT ?", (max(number - most, 0),))
        ids = rows.fetchall()
        for table in ("posts", "reposts"):
            self._database.executemany(f"DELETE FROM {table} WHERE post_id = ?", ids)
        return [post_id for (post_id,) in ids]

    def advance(self, seconds: int) -> None:
        """Set the clock to the time of an event, unless it is later already."""
        self.progress.clock = max(self.progress.clock, seconds)

    def commit(self) -> None:
        """Make all changes permanent."""
        self._save("progress", json.dumps(vars(self.progress)))
        self._database.execute("COMMIT")
        self._database.execute("BEGIN IMMEDIATE")

    def close(self) -> None:
        """Close the file; what was not committed is lost."""
        self._database.close()
