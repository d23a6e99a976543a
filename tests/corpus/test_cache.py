import errno
import json
import os
import shutil
import subprocess
import sys

import pytest

from hf_rumor.corpus import cache
from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.corpus.columns import Columns
from hf_rumor.errors import CorpusError


LONG_AGO = 1_400_000_000


def age(path):
    """Make all files look old: the digest of a file that was written just now is not remembered."""
    for file in [path, *path.rglob("*")]:
        os.utime(file, (LONG_AGO, LONG_AGO))
    return path


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return age(path)


@pytest.fixture
def read_paths(monkeypatch):
    """Return the list of the corpora whose raw files were read."""
    paths = []

    def read_posts(source, columns):
        paths.append(source.path)
        yield from original(source, columns)

    original = cache.read_posts
    monkeypatch.setattr(cache, "read_posts", read_posts)
    return paths


@pytest.fixture
def rows():
    return [{"id": str(number), "text": f"第{number}则", "label": number % 2} for number in range(5)]


@pytest.fixture
def ced(tmp_path, write_ced, make_posts):
    return age(write_ced(tmp_path / "ced", make_posts(6)))


def test_a_moved_corpus_is_not_read_again(ced, tmp_path, read_paths):
    before = load_corpus(ced)
    moved = shutil.move(ced, tmp_path / "elsewhere")
    after = load_corpus(moved)
    assert read_paths == [ced]
    assert after.path == moved
    assert (after.sha256, after.findings) == (before.sha256, before.findings)
    assert after.posts.remove_columns("source")[:] == before.posts.remove_columns("source")[:]


@pytest.mark.parametrize("mtime", [LONG_AGO, LONG_AGO + 1, None], ids=["same time", "later", "now"])
def test_a_changed_corpus_is_read_again(tmp_path, rows, read_paths, mtime):
    path = write_rows(tmp_path / "a.jsonl", rows)
    load_corpus(path)
    write_rows(path, [*rows, {"id": "new", "text": "雪", "label": 1}])
    os.utime(path, None if mtime is None else (mtime, mtime))
    assert load_corpus(path).posts["id"][:][-1] == "new"
    assert read_paths == [path, path]


def test_a_corpus_changed_back_is_still_cached(tmp_path, rows, read_paths):
    path = write_rows(tmp_path / "a.jsonl", rows)
    load_corpus(path)
    load_corpus(write_rows(path, rows[:3]))
    assert len(load_corpus(write_rows(path, rows)).posts) == 5
    assert len(read_paths) == 2


def test_other_columns_are_read_again(tmp_path, read_paths):
    path = write_rows(tmp_path / "a.jsonl", [{"text": "雪", "body": "雨", "label": 1}])
    assert load_corpus(path).posts["text"][:] == ["雪"]
    assert load_corpus(path, columns=Columns(text="body")).posts["text"][:] == ["雨"]
    assert load_corpus(path).posts["text"][:] == ["雪"]
    assert len(read_paths) == 2


def test_a_change_of_the_readers_reads_again(ced, read_paths, monkeypatch):
    load_corpus(ced)
    monkeypatch.setattr(cache, "readers_digest", lambda: "another")
    load_corpus(ced)
    assert len(read_paths) == 2


SECOND_LOAD = """
import sys
from pathlib import Path
from hf_rumor.corpus.arrow import load_corpus

raw = sys.argv[1]
opened = []
sys.addaudithook(lambda event, args: event == "open" and str(args[0]).startswith(raw) and opened.append(args[0]))
corpus = load_corpus(Path(raw))
corpus.posts[:]
assert len(corpus.posts) == 6, corpus.posts
assert not opened, opened
open(next(path for path in Path(raw).rglob("*.json"))).close()
assert opened, "the hook does not work"
"""


def test_a_second_load_opens_no_raw_file(ced):
    load_corpus(ced)
    done = subprocess.run([sys.executable, "-c", SECOND_LOAD, str(ced)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


COLD_LOAD = """
import sys, time
from pathlib import Path
from hf_rumor.corpus import cache
from hf_rumor.corpus.arrow import load_corpus

path, folder, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
original = cache.read_posts

def read_posts(*args):
    (folder / f"built-by-{name}").touch()
    for post in original(*args):
        time.sleep(0.02)  # long enough for the others to arrive
        yield post

cache.read_posts = read_posts
(folder / f"ready-{name}").touch()
while len(list(folder.glob("ready-*"))) < 3:
    time.sleep(0.01)
print(len(load_corpus(path).posts))
"""


def test_one_of_three_simultaneous_processes_builds_the_cache(ced, tmp_path):
    folder = tmp_path / "signs"
    folder.mkdir()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", COLD_LOAD, str(ced), str(folder), str(number)], stdout=subprocess.PIPE, text=True
        )
        for number in range(3)
    ]
    assert [process.communicate(timeout=1200)[0] for process in processes] == ["6\n"] * 3
    assert len(list(folder.glob("built-by-*"))) == 1


def test_a_corpus_error_is_raised_unchanged_and_nothing_is_cached(tmp_path, own_cache, rows):
    path = write_rows(tmp_path / "a.jsonl", [*rows, {"text": "雪", "label": "maybe"}])
    for _ in ("cold", "still cold"):
        with pytest.raises(CorpusError, match="line 6: label 'maybe' is unknown"):
            load_corpus(path)
    assert list(own_cache.rglob("*.arrow*")) == []
    write_rows(path, rows)
    assert len(load_corpus(path).posts) == 5


def test_an_internal_error_is_not_hidden(tmp_path, rows, monkeypatch):
    def read_posts(source, columns):
        raise ZeroDivisionError
        yield

    monkeypatch.setattr(cache, "read_posts", read_posts)
    with pytest.raises(cache.datasets.exceptions.DatasetGenerationError):
        load_corpus(write_rows(tmp_path / "a.jsonl", rows))


@pytest.mark.parametrize("name", ["*.arrow", "dataset_info.json"])
@pytest.mark.parametrize("how", ["cut off", "emptied", "overwritten", "removed"])
def test_a_corrupt_cache_is_rebuilt_with_a_warning(ced, own_cache, caplog, name, how):
    expected = load_corpus(ced).posts["text"][:]
    for path in (own_cache / "arrow").rglob(name):
        content = path.read_bytes()
        path.write_bytes({"cut off": content[: len(content) // 2], "emptied": b""}.get(how, b"?" * len(content)))
        if how == "removed":
            path.unlink()
    assert load_corpus(ced).posts["text"][:] == expected
    assert load_corpus(ced).posts["text"][:] == expected
    assert "is corrupt" in caplog.text or how == "removed"


def test_a_read_only_cache_is_not_treated_as_corrupt(ced, own_cache, monkeypatch):
    load_corpus(ced)

    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(cache, "_from_cache", refuse)
    with pytest.raises(OSError, match="Read-only"):
        load_corpus(ced)
    assert list((own_cache / "arrow").rglob("*.arrow"))
