"""Verdicts are kept whatever happens, and no tab overwrites what it has not seen."""

import json
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from hf_rumor import load_corpus
from hf_rumor.corpus.post import Post
from hf_rumor.desk.queue import OWN_COLUMNS, Queue
from hf_rumor.errors import ArgumentError
from hf_rumor.serve.problem import Problem
from hf_rumor.serve.store import Store


def queue_of(*texts):
    rows = tuple((rank, None, "rumor", 0.9, 1, 0, "", 0, "", text) for rank, text in enumerate(texts, start=1))
    posts = tuple(Post(text=text, post_id=f"p{text}", posted_at=0) for text in texts)
    return Queue((*OWN_COLUMNS, "正文"), rows, posts, len(texts), len(texts), 0.0)


@pytest.fixture
def stories(store):
    """Return the numbers of three stories in the queue."""
    store.add_queue("monday.csv", queue_of("停水", "下雪", "涨价"), num_errors=1)
    return [story.number for story in store.stories()]


def exported(store):
    return [json.loads(line) for line in store.export().splitlines()]


def test_stories_keep_their_order_and_their_columns(store, stories):
    [upload] = store.uploads()
    assert (upload.name, upload.num_posts, upload.num_errors) == ("monday.csv", 3, 1)
    first, *_ = store.stories(upload.number)
    assert (first.text, first.own["rank"], first.values, first.verdict, first.last) == (
        "停水",
        1,
        {"正文": "停水"},
        "",
        0,
    )


def test_a_verdict_is_in_force_until_it_is_changed_or_undone(store, stories):
    one = stories[0]
    first = store.decide(one, "rumor", last=0, author="李")
    second = store.decide(one, "non-rumor", last=first.last)
    assert second.verdict == "non-rumor"
    back = store.undo(one, second.last)
    assert (back.verdict, back.author, back.at) == ("rumor", "李", first.at)
    opened = store.undo(one, back.last)
    assert (opened.verdict, opened.author) == ("", "")
    with pytest.raises(Problem) as caught:
        store.undo(one, opened.last)
    assert caught.value.code == "no_verdict"
    assert store.decide(one, "undecided", opened.last).verdict == "undecided"


def test_a_tab_that_has_not_seen_the_last_verdict_cannot_overwrite_it(store, stories):
    first = store.decide(stories[0], "rumor", last=0)
    for change in (lambda: store.decide(stories[0], "non-rumor", last=0), lambda: store.undo(stories[0], 0)):
        with pytest.raises(Problem) as caught:
            change()
        assert (caught.value.status, caught.value.values["story"]["verdict"]) == (409, "rumor")
    assert store.stories()[0] == first


def test_of_simultaneous_verdicts_one_is_recorded(store, stories):
    def decide(number):
        try:
            return store.decide(stories[0], "rumor", last=0, author=str(number)).author
        except Problem as problem:
            return problem.status

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(decide, range(40)))
    assert answers.count(409) == 39
    assert store.stories()[0].author in answers


@pytest.mark.parametrize(("number", "verdict", "code"), [(99, "rumor", "no_story"), (1, "maybe", "request")])
def test_unknown_stories_and_verdicts_are_refused(store, stories, number, verdict, code):
    with pytest.raises(Problem) as caught:
        store.decide(number, verdict, last=0)
    assert caught.value.code == code


def test_the_export_is_a_corpus_of_decided_posts(store, stories, tmp_path):
    store.decide(stories[0], "rumor", 0, author="李")
    store.decide(stories[1], "non-rumor", 0)
    store.decide(stories[2], "undecided", 0)
    store.add_queue("tuesday.csv", queue_of("停 水"), num_errors=0)  # equal after normalization
    later = store.stories()[-1]
    assert [(row["text"], row["label"], row.get("verdict_by")) for row in exported(store)] == [
        ("停水", "rumor", "李"),
        ("下雪", "non-rumor", None),
    ]
    store.decide(later.number, "non-rumor", 0)
    assert {row["text"]: row["label"] for row in exported(store)} == {"停 水": "non-rumor", "下雪": "non-rumor"}
    path = tmp_path / "desk.jsonl"
    path.write_text(store.export(), encoding="utf-8")
    assert sorted(load_corpus(path).posts["text"]) == ["下雪", "停 水"]


def test_a_later_undecided_verdict_withdraws_that_of_an_equal_text(store, stories):
    store.decide(stories[0], "rumor", 0)
    store.add_queue("tuesday.csv", queue_of("停水"), num_errors=0)
    later = store.decide(store.stories()[-1].number, "undecided", 0)
    assert exported(store) == []
    store.undo(later.number, later.last)
    assert [row["label"] for row in exported(store)] == ["rumor"]


def test_earlier_uploads_are_the_history(store, stories):
    store.decide(stories[1], "rumor", 0)
    assert [(one.text, one.verdict) for one in store.history()] == [("停水", ""), ("下雪", "rumor"), ("涨价", "")]


RECORD = """
import sys
from pathlib import Path
from hf_rumor.serve.store import Store
store = Store(Path(sys.argv[1]))
story = store.stories()[0]
while True:
    story = store.decide(story.number, "rumor" if story.verdict != "rumor" else "non-rumor", story.last)
    print(story.last, flush=True)
"""


def test_recorded_verdicts_survive_sigkill(store, stories, tmp_path):
    command = [sys.executable, "-c", RECORD, str(tmp_path / "desk.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        for _ in range(20):
            running.stdout.readline()
        running.send_signal(signal.SIGKILL)
        rest = running.stdout.read().splitlines()
    reported = max([20, *(int(line) for line in rest)])
    again = Store(tmp_path / "desk.sqlite")
    assert again.stories()[0].last >= reported
    again.close()
    with sqlite3.connect(tmp_path / "desk.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_a_full_disk_is_reported_and_later_verdicts_are_recorded(store, stories):
    [num_pages] = store._database.execute("PRAGMA page_count").fetchone()
    store._database.execute(f"PRAGMA max_page_count={num_pages}")
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError, match="full"):
            store.decide(stories[0], "rumor", 0, author="李" * 10_000)
    store._database.execute(f"PRAGMA max_page_count={num_pages + 100}")
    assert store.decide(stories[0], "rumor", 0).verdict == "rumor"


def test_a_commit_that_fails_is_rolled_back(store, stories):
    store._database.execute("PRAGMA foreign_keys=ON")
    with pytest.raises(sqlite3.IntegrityError), store._transaction():
        store._database.execute("PRAGMA defer_foreign_keys=ON")  # checked by COMMIT
        store._append(99, "rumor", "", "")
    assert store.decide(stories[0], "rumor", 0).verdict == "rumor"


def test_other_files_are_refused_and_kept(tmp_path):
    text, other = tmp_path / "posts.csv", tmp_path / "other.sqlite"
    text.write_text("id,text\n" * 100, encoding="utf-8")
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE mine (number)")
    database.close()
    for path in (text, other, tmp_path, tmp_path / "missing" / "desk.sqlite"):
        before = path.read_bytes() if path.is_file() else None
        with pytest.raises(ArgumentError, match="Choose another file"):
            Store(path)
        assert (path.read_bytes() if path.is_file() else None) == before


def test_two_servers_can_share_a_queue(store, stories, tmp_path):
    other = Store(tmp_path / "desk.sqlite")
    first = other.decide(stories[0], "rumor", 0)
    assert store.stories()[0] == first
    with pytest.raises(Problem):
        store.decide(stories[0], "non-rumor", 0)
    other.close()
