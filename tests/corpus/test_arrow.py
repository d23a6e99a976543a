import errno
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import pytest

from hf_rumor.corpus import arrow as dataset
from hf_rumor.corpus.arrow import FEATURES, load_corpus, split_dataset, to_dataset_dict
from hf_rumor.corpus.near_duplicates import find_near_duplicates
from hf_rumor.corpus.post import Repost
from hf_rumor.corpus.readers import Columns
from hf_rumor.corpus.splits import SPLITS
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

    def read_posts(path, columns, findings):
        paths.append(path)
        yield from original(path, columns, findings)

    original = dataset.read_posts
    monkeypatch.setattr(dataset, "read_posts", read_posts)
    return paths


@pytest.fixture
def rows():
    return [{"id": str(number), "text": f"第{number}则", "label": number % 2} for number in range(5)]


@pytest.fixture
def ced(tmp_path, write_ced, make_posts):
    return age(write_ced(tmp_path / "ced", make_posts(6)))


def test_posts_come_back_from_arrow_as_they_were_written(tmp_path, write_ced, corpus_posts):
    corpus = load_corpus(write_ced(tmp_path / "ced", corpus_posts))
    assert corpus.posts.features == FEATURES
    assert corpus.findings.total() == 0
    expected = {
        post.post_id: {
            **asdict(post),
            "id": post.post_id,
            "label": int(post.is_rumor),
            "num_reposts": len(post.reposts),
            "reposts": [asdict(repost) for repost in post.reposts],
        }
        for post in corpus_posts
    }
    assert len(corpus.posts) == len(corpus_posts)
    for row in corpus.posts:
        assert row == {name: expected[row["id"]][name] for name in FEATURES}


def test_what_is_unknown_comes_back_as_none(tmp_path):
    [row] = load_corpus(write_rows(tmp_path / "a.jsonl", [{"text": "雪", "label": "rumor"}])).posts
    assert row == {
        "id": "1",
        "text": "雪",
        "label": 1,
        "posted_at": None,
        "author_id": None,
        "author_verified": None,
        "has_url": None,
        "num_reposts": None,
        "reposts": [],
    }


def test_reposts_are_stored_oldest_first(tmp_path, write_ced, make_posts):
    [post] = make_posts(1)
    times = [post.posted_at + seconds for seconds in (50, 10, 40, 20, 30)]
    post = replace(post, reposts=tuple(Repost(str(time), "真的吗", time) for time in times))
    [row] = load_corpus(write_ced(tmp_path / "ced", [post])).posts
    assert [repost["reposted_at"] for repost in row["reposts"]] == sorted(times)


def test_a_moved_corpus_is_not_read_again(ced, tmp_path, read_paths):
    before = load_corpus(ced)
    moved = shutil.move(ced, tmp_path / "elsewhere")
    after = load_corpus(moved)
    assert read_paths == [ced]
    assert after.path == moved
    assert (after.sha256, after.findings, after.posts[:]) == (before.sha256, before.findings, before.posts[:])


@pytest.mark.parametrize("mtime", [LONG_AGO, LONG_AGO + 1, None], ids=["same time", "later", "now"])
def test_a_changed_corpus_is_read_again(tmp_path, rows, read_paths, mtime):
    path = write_rows(tmp_path / "a.jsonl", rows)
    load_corpus(path)
    write_rows(path, [*rows, {"id": "new", "text": "雪", "label": 1}])
    os.utime(path, None if mtime is None else (mtime, mtime))
    assert load_corpus(path).posts["id"][:][-1] == "new"
    assert read_paths == [path, path]


def test_a_corpus_changed_back_is_in_the_cache_still(tmp_path, rows, read_paths):
    path = write_rows(tmp_path / "a.jsonl", rows)
    load_corpus(path)
    load_corpus(write_rows(path, rows[:3]))
    assert len(load_corpus(write_rows(path, rows)).posts) == 5
    assert len(read_paths) == 2


def test_other_columns_are_read_anew(tmp_path, read_paths):
    path = write_rows(tmp_path / "a.jsonl", [{"text": "雪", "body": "雨", "label": 1}])
    assert load_corpus(path).posts["text"][:] == ["雪"]
    assert load_corpus(path, Columns(text="body")).posts["text"][:] == ["雨"]
    assert load_corpus(path).posts["text"][:] == ["雪"]
    assert len(read_paths) == 2


def test_another_parser_version_reads_anew(ced, read_paths, monkeypatch):
    load_corpus(ced)
    monkeypatch.setattr(dataset, "PARSER_VERSION", dataset.PARSER_VERSION + 1)
    load_corpus(ced)
    assert len(read_paths) == 2


def test_a_renamed_file_is_read_by_the_reader_of_its_new_suffix(tmp_path, rows):
    path = write_rows(tmp_path / "a.jsonl", rows)
    load_corpus(path)
    with pytest.raises(CorpusError):
        load_corpus(path.rename(tmp_path / "a.txt"))


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
assert opened, "the hook hears nothing"
"""


def test_a_second_load_opens_no_raw_file(ced):
    load_corpus(ced)
    done = subprocess.run([sys.executable, "-c", SECOND_LOAD, str(ced)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


COLD_LOAD = """
import sys, time
from pathlib import Path
from hf_rumor.corpus import arrow as dataset

path, folder, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
original = dataset.read_posts

def read_posts(*args):
    (folder / f"built-by-{name}").touch()
    for post in original(*args):
        time.sleep(0.02)  # long enough for the others to arrive
        yield post

dataset.read_posts = read_posts
(folder / f"ready-{name}").touch()
while len(list(folder.glob("ready-*"))) < 3:
    time.sleep(0.01)
print(len(dataset.load_corpus(path).posts))
"""


def test_of_three_cold_processes_at_once_exactly_one_builds(ced, tmp_path):
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


def test_odd_posts_are_left_out_and_counted(tmp_path):
    rows = [
        {"id": "1", "text": "雪", "label": 0, "time": 1372480809},
        {"id": "1", "text": "雨", "label": 1, "time": 1372480809},
        {"id": "2", "text": " ", "label": 1, "time": 1372480809},
        {"id": "3", "text": "风 A", "label": 1, "time": 1372480809},
        {"id": "4", "text": "风a", "label": 0, "time": 1372480809},
        {"id": "5", "text": "雪", "label": 0, "time": "soon"},
    ]
    path = write_rows(tmp_path / "a.jsonl", rows)
    expected = Counter(duplicate_ids=1, empty_texts=1, conflicting_labels=2, times_unreadable=1)
    for _ in ("cold", "warm"):
        corpus = load_corpus(path)
        assert corpus.posts["id"][:] == ["1", "5"]
        assert corpus.findings == expected


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_a_corpus_without_posts_is_refused_each_time(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_text("")
    for _ in ("cold", "warm"):
        with pytest.raises(CorpusError, match="expected posts, found none; check --data_path"):
            load_corpus(path)


def test_a_corpus_of_which_nothing_is_kept_is_refused(tmp_path):
    path = write_rows(tmp_path / "a.jsonl", [{"text": "雪", "label": 0}, {"text": "雪", "label": 1}])
    with pytest.raises(CorpusError):
        load_corpus(path)


def test_a_mistake_in_a_corpus_comes_through_as_it_was_told_and_leaves_nothing_behind(tmp_path, own_cache, rows):
    path = write_rows(tmp_path / "a.jsonl", [*rows, {"text": "雪", "label": "maybe"}])
    for _ in ("cold", "still cold"):
        with pytest.raises(CorpusError, match="line 6: expected a label"):
            load_corpus(path)
    assert list(own_cache.rglob("*.arrow*")) == []
    write_rows(path, rows)
    assert len(load_corpus(path).posts) == 5


def test_a_failure_that_is_no_mistake_of_the_user_is_not_hidden(tmp_path, rows, monkeypatch):
    def read_posts(path, columns, findings):
        raise ZeroDivisionError
        yield

    monkeypatch.setattr(dataset, "read_posts", read_posts)
    with pytest.raises(dataset.datasets.exceptions.DatasetGenerationError):
        load_corpus(write_rows(tmp_path / "a.jsonl", rows))


def test_nothing_there_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="found nothing there; check --data_path"):
        load_corpus(tmp_path / "no_such.zip")


@pytest.mark.parametrize("name", SPLITS)
def test_the_dataset_of_a_split_holds_every_post_once_with_its_text_and_label(tmp_path, write_ced, corpus_posts, name):
    posts = load_corpus(write_ced(tmp_path / "ced", corpus_posts)).posts
    split = split_dataset(posts, name, 3, find_near_duplicates(posts["text"][:]).groups)
    parts = to_dataset_dict(posts, split)
    assert list(parts) == ["train", "validation", "test"]
    for part, positions in split.parts().items():
        assert parts[part].column_names == ["id", "text", "label"]
        assert parts[part]["id"][:] == [posts["id"][position] for position in positions]
    rows = {(row["id"], row["text"], row["label"]) for part in parts.values() for row in part}
    assert rows == {(post.post_id, post.text, int(post.is_rumor)) for post in corpus_posts}
    assert sum(map(len, parts.values())) == len(corpus_posts)


@pytest.mark.slow
def test_the_published_corpus_keeps_2709_posts_of_which_1230_are_rumors(shared):
    corpus = load_corpus(shared / "data" / "Rumor_Dataset.zip")
    assert (len(corpus.posts), int(np.sum(corpus.posts["label"][:]))) == (2709, 1230)


@pytest.mark.parametrize("name", ["*.arrow", "dataset_info.json"])
@pytest.mark.parametrize("how", ["cut off", "emptied", "overwritten", "removed"])
def test_a_cache_damaged_by_hand_is_built_again_and_told(ced, own_cache, caplog, name, how):
    expected = load_corpus(ced).posts["text"][:]
    for path in (own_cache / "arrow").rglob(name):
        content = path.read_bytes()
        path.write_bytes({"cut off": content[: len(content) // 2], "emptied": b""}.get(how, b"?" * len(content)))
        if how == "removed":
            path.unlink()
    assert load_corpus(ced).posts["text"][:] == expected
    assert load_corpus(ced).posts["text"][:] == expected
    assert "is damaged" in caplog.text or how == "removed"


def test_a_cache_that_cannot_be_written_is_not_taken_for_damaged(ced, own_cache, monkeypatch):
    load_corpus(ced)

    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(dataset, "_from_cache", refuse)
    with pytest.raises(OSError, match="Read-only"):
        load_corpus(ced)
    assert list((own_cache / "arrow").rglob("*.arrow"))
