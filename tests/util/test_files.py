import csv
import os
import shutil
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hf_rumor.errors import CorpusError, OutputError
from hf_rumor.util import files
from hf_rumor.util.files import (
    cache_folder,
    content_digest,
    from_cell,
    list_files,
    output_file,
    user_path,
    write_csv,
    write_text,
    written_whole,
)


LONG_AGO = 1_400_000_000


def write(path, content, mtime=LONG_AGO):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    os.utime(path, (mtime, mtime))
    return path


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "corpus" / "a.json", "雪")
    write(tmp_path / "corpus" / "deeper" / "b.json", "雨")
    return tmp_path / "corpus"


@pytest.fixture
def digested(monkeypatch):
    """Return the list of paths whose bytes were digested."""
    paths = []
    digest = files._digest
    monkeypatch.setattr(files, "_digest", lambda path, entries: paths.append(path) or digest(path, entries))
    return paths


def test_the_environment_names_the_cache_folder(own_cache, monkeypatch):
    assert cache_folder() == own_cache
    monkeypatch.delenv("HF_RUMOR_CACHE")
    assert cache_folder() == Path.home() / ".cache" / "hf_rumor"
    monkeypatch.setenv("HF_RUMOR_CACHE", "")
    assert cache_folder() == Path.home() / ".cache" / "hf_rumor"


def test_a_file_is_written_with_its_folders_and_nothing_else(tmp_path):
    path = tmp_path / "new" / "folder" / "out.txt"
    write_text(path, "雪\n")
    assert path.read_bytes() == "雪\n".encode()
    assert os.listdir(path.parent) == ["out.txt"]


@pytest.mark.parametrize("old", [None, "old"])
@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt])
def test_a_body_that_fails_changes_nothing(tmp_path, old, kind):
    path = tmp_path / "out.txt"
    if old is not None:
        path.write_text(old)
    before = {entry.name: entry.stat().st_ino for entry in tmp_path.iterdir()}
    with pytest.raises(kind), written_whole(path) as temporary:
        temporary.write_text("half of the n")
        raise kind
    assert {entry.name: entry.stat().st_ino for entry in tmp_path.iterdir()} == before
    assert old is None or path.read_text() == old


def test_the_old_file_is_whole_until_the_new_one_is(tmp_path):
    path = write(tmp_path / "out.txt", "old")
    with written_whole(path) as temporary:
        temporary.write_text("ne")
        assert path.read_text() == "old"
        temporary.write_text("new")
    assert path.read_text() == "new"


def test_a_file_is_synced_before_it_takes_its_place(tmp_path, monkeypatch):
    path = write(tmp_path / "out.txt", "old")
    seen_at_sync = []
    monkeypatch.setattr(os, "fsync", lambda number: seen_at_sync.append((os.fstat(number).st_size, path.read_text())))
    write_text(path, "newer")
    assert seen_at_sync == [(5, "old")]


def test_a_folder_is_not_overwritten(tmp_path):
    with pytest.raises(OutputError, match=r"is a folder\. Name a file"):
        write_text(tmp_path, "text")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("there", [True, False])
def test_the_target_of_a_link_is_written_and_the_link_stays(tmp_path, there):
    (tmp_path / "far").mkdir()
    target, link, chain = tmp_path / "far" / "out.txt", tmp_path / "link", tmp_path / "chain"
    if there:
        target.write_text("old")
    link.symlink_to(target)
    chain.symlink_to(link)
    write_text(chain, "new")
    assert chain.is_symlink()
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert os.listdir(tmp_path / "far") == ["out.txt"]


def make_special(kind, path):
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
    elif kind == "link to a pipe":
        os.mkfifo(f"{path}.pipe")
        path.symlink_to(f"{path}.pipe")
    else:
        path.symlink_to(path)


@pytest.mark.parametrize("kind", ["pipe", "socket", "link to a pipe", "link to itself"])
def test_only_plain_files_are_replaced(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    path = Path("out")
    make_special(kind, path)
    before = {entry: os.lstat(entry).st_mode for entry in os.listdir()}
    message = r"out: is not a regular file\. Write to stdout and redirect it: \.\.\. > out"
    with pytest.raises(OutputError, match=message):
        write_text(path, "text")
    assert {entry: os.lstat(entry).st_mode for entry in os.listdir()} == before


@pytest.mark.parametrize("kind", [stat.S_IFCHR, stat.S_IFBLK])
def test_devices_are_not_replaced(tmp_path, monkeypatch, kind):
    path = write(tmp_path / "device", "")
    real = os.stat
    monkeypatch.setattr(
        os, "stat", lambda *args, **more: os.stat_result((kind | 0o600, *real(*args, **more)[1:])), raising=True
    )
    with pytest.raises(OutputError, match="is not a regular file"):
        output_file(path)


def test_a_tilde_is_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_path("~/out") == tmp_path / "out"
    assert user_path("out/~") == Path("out/~")


def test_a_pipe_has_no_digest(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CorpusError, match=r"is not a regular file\. Save the stream"):
        content_digest(tmp_path / "pipe")


def test_the_digest_of_a_file_is_that_of_its_bytes(tmp_path):
    path = write(tmp_path / "a.jsonl", "abc")
    assert content_digest(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_digest_does_not_change_with_the_location(folder, tmp_path):
    before = content_digest(folder)
    assert content_digest(shutil.move(folder, tmp_path / "elsewhere" / "renamed")) == before


@pytest.mark.parametrize("way", ["relative", "link", "dotted"])
def test_the_digest_does_not_change_with_the_way_there(folder, tmp_path, monkeypatch, way):
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    ways = {"relative": Path("corpus"), "link": tmp_path / "link", "dotted": folder / "deeper" / ".."}
    assert content_digest(ways[way]) == content_digest(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: write(folder / "a.json", "霜"),
        lambda folder: write(folder / "c.json", ""),
        lambda folder: (folder / "a.json").unlink(),
        lambda folder: (folder / "a.json").rename(folder / "c.json"),
        lambda folder: (folder / "a.json").rename(folder / "deeper" / "a.json"),
    ],
    ids=["content", "added", "removed", "renamed", "moved inside"],
)
def test_the_digest_changes_with_content_and_names(folder, change):
    before = content_digest(folder)
    change(folder)
    for path in folder.rglob("*.json"):
        os.utime(path, (LONG_AGO + 1, LONG_AGO + 1))
    assert content_digest(folder) != before


def test_an_unchanged_corpus_is_digested_once(folder, digested):
    assert content_digest(folder) == content_digest(folder)
    assert digested == [folder]


def test_a_corpus_that_was_touched_is_digested_again(folder, digested):
    content_digest(folder)
    write(folder / "a.json", "雪", mtime=LONG_AGO + 1)
    content_digest(folder)
    assert digested == [folder, folder]


def test_a_change_within_the_tick_of_the_clock_is_seen(tmp_path):
    now = time.time()
    before = content_digest(write(tmp_path / "a.jsonl", "abc", mtime=now))
    assert content_digest(write(tmp_path / "a.jsonl", "abd", mtime=now)) != before


def test_a_change_that_keeps_size_and_time_is_seen(tmp_path):
    before = content_digest(write(tmp_path / "a.jsonl", "abc"))
    (tmp_path / "a.jsonl").unlink()
    assert content_digest(write(tmp_path / "a.jsonl", "abd")) != before


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}"])
def test_a_corrupt_digest_in_the_cache_is_ignored(folder, own_cache, damage):
    digest = content_digest(folder)
    [cached] = (own_cache / "digests").iterdir()
    cached.write_text(damage)
    assert content_digest(folder) == digest


def test_the_digest_of_an_unchanged_corpus_opens_none_of_its_files(folder, monkeypatch):
    digest = content_digest(folder)
    opened = []
    path_open = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *args, **kw: opened.append(self) or path_open(self, *args, **kw))
    assert content_digest(folder) == digest
    assert [path for path in opened if path.is_relative_to(folder)] == []


def test_nothing_there_is_a_corpus_error(tmp_path):
    with pytest.raises(CorpusError, match=r"no_such\.zip: no such file or folder"):
        content_digest(tmp_path / "no_such.zip")


def test_an_empty_folder_has_a_digest(tmp_path):
    (tmp_path / "empty").mkdir()
    assert len(content_digest(tmp_path / "empty")) == 64


def test_a_written_file_has_the_usual_permissions(tmp_path):
    write_text(tmp_path / "ours", "")
    (tmp_path / "usual").touch()
    ours, usual = ((tmp_path / name).stat().st_mode for name in ("ours", "usual"))
    assert stat.filemode(ours) == stat.filemode(usual)


def test_temporary_files_of_killed_processes_are_removed_and_others_are_not(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    with written_whole(tmp_path / "a.txt") as temporary:
        temporary.touch()
    here = temporary.name.split(".")[3]
    dead, alive = (tmp_path / f".a.txt.{here}.{number}.part" for number in (process.pid, os.getppid()))
    other = tmp_path / f".b.txt.{here}.{process.pid}.part"
    elsewhere = tmp_path / f".a.txt.0badcafe.{process.pid}.part"  # of another host with the same disk
    for path in (dead, alive, other, elsewhere):
        path.write_text("half")
    write_text(tmp_path / "a.txt", "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["a.txt", alive.name, other.name, elsewhere.name]
    )


def test_links_to_folders_are_followed_but_not_back(folder, tmp_path):
    write(tmp_path / "elsewhere" / "c.json", "霜")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(folder)
    (folder / "gone").symlink_to(tmp_path / "nothing")
    names = [path.relative_to(folder).as_posix() for path in list_files(folder)]
    assert names == ["a.json", "deeper/b.json", "linked/c.json"]


def test_a_folder_that_cannot_be_read_is_an_error(folder, monkeypatch):
    listed = Path.iterdir

    def refuse(path):
        if path.name == "deeper":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", refuse)  # tests may run as root, whom no folder refuses
    with pytest.raises(PermissionError, match="deeper"):
        list_files(folder)


def test_a_name_that_is_not_utf_8_has_a_digest(folder):
    (folder / os.fsdecode("说明.txt".encode("gbk"))).touch()
    assert content_digest(folder) != content_digest(write(folder.parent / "other" / "a.json", "雪").parent)


@pytest.mark.parametrize(("for_people", "encoding"), [(False, "utf-8"), (True, "utf-8-sig")])
def test_a_csv_file_has_the_same_cells_when_it_is_read(tmp_path, for_people, encoding):
    rows = [["1", '雪,"雨"'], ["", "two\nlines"]]
    write_csv(tmp_path / "a.csv", ["id", "text"], [["1", '雪,"雨"'], [None, "two\nlines"]], for_people=for_people)
    with (tmp_path / "a.csv").open(encoding=encoding, newline="") as file:
        assert list(csv.reader(file)) == [["id", "text"], *rows]


@pytest.mark.parametrize("text", ["=1+1", "-1", "@a", "'=1+1", "a=1", "'a"])
def test_no_cell_for_people_is_a_formula_and_the_text_can_be_restored(tmp_path, text):
    write_csv(tmp_path / "a.csv", ["text"], [[text]], for_people=True)
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        [_, row] = csv.reader(file)
    assert not row[0].startswith(("=", "+", "-", "@"))
    assert from_cell(row[0]) == text
