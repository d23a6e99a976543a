"""Uploaded files -> posts, within limits."""

import io
import struct
import tempfile
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from hf_rumor.corpus.columns import Columns
from hf_rumor.serve import upload
from hf_rumor.serve.problem import Problem
from hf_rumor.serve.upload import UNPACKED, Limits, read_upload


LIMITS = Limits(max_characters=10, max_posts=3, max_bytes=1000)


def read(content, name="posts.csv", columns=Columns()):  # noqa: B008, it is frozen
    content = content.encode() if isinstance(content, str) else content
    return read_upload(content, name, columns, LIMITS)


def refusal(*arguments, **settings):
    with pytest.raises(Problem) as caught:
        read(*arguments, **settings)
    return caught.value


def spreadsheet(*rows):
    book, file = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_encodings_of_spreadsheet_programs_are_read(encoding):
    [item] = read("微博正文,转发数\n昨夜停水,3\n".encode(encoding))
    assert (item.post.text, dict(item.values)) == ("昨夜停水", {"微博正文": "昨夜停水", "转发数": "3"})


def test_spreadsheets_are_read():
    [item] = read(spreadsheet(["id", "正文"], ["4700000000000001", "昨夜停水"]), "day.XLSX")
    assert (item.id, item.post.text) == ("4700000000000001", "昨夜停水")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("编号,博文\n7,昨夜停水\n", "a.csv"),
        ('{"编号": 7, "博文": "昨夜停水"}', "a.jsonl"),
        (spreadsheet(["编号", "博文"], [7, "昨夜停水"]), "a.xlsx"),
    ],
    ids=["csv", "jsonl", "xlsx"],
)
def test_a_file_with_unknown_columns_is_read_when_they_are_chosen(content, name):
    problem = refusal(content, name)
    assert (problem.status, problem.code) == (422, "columns")
    assert problem.values["columns"] == ["编号", "博文"]
    assert problem.values["examples"] == ["7", "昨夜停水"]
    assert problem.values["can_be_numbered"] == (name == "a.csv")
    [item] = read(content, name, Columns(text="博文", id="编号"))
    assert (str(item.id), item.post.text) == ("7", "昨夜停水")
    assert refusal(content, name, Columns(text="其他")).code == "columns"
    assert refusal(content, name, Columns(text="博文", id="其他")).code == "columns"


def test_the_columns_of_a_file_without_header_are_numbers():
    items = read("7,昨夜停水\n8,下雪了\n", columns=Columns(text="2", id="1"))
    assert [(str(item.id), item.post.text) for item in items] == [("7", "昨夜停水"), ("8", "下雪了")]


def test_limits_are_kept():
    short, long = read("停水\n" + "停" * 11 + "\n", "a.txt")
    assert short.post is not None
    assert (long.post, long.error) == (None, "the text has 11 characters; at most 10 are allowed.")
    problem = refusal("停水\n" * 4, "a.txt")
    assert (problem.status, problem.code) == (413, "too_many")


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        ("", "a.csv", "no_posts"),
        (b"\x89PNG\0\0\0", "picture.txt", "file"),
        (b"\xff\xff\xff\n1,2\n", "a.csv", "file"),
        (b"PK", "a.xlsx", "file"),
        (b"x" * 60 + b"PK\5\6" + struct.pack("<4H2LH", 0, 0, 1, 1, 46, 9, 0), "a.xlsx", "file"),
        (b'{"text": "a", "b": ' + b"[" * 900 + b"]" * 900 + b"}", "a.jsonl", "file"),
        ("a", "a.exe", "suffix"),
        ("a", "a.csv.gz", "suffix"),
        ("a", "", "suffix"),
    ],
    ids=range(9),
)
def test_files_that_cannot_be_read_are_refused(content, name, code):
    problem = refusal(content, name)
    assert (problem.status, problem.code) == (400, code)
    str(problem).encode("utf-8")


def test_a_spreadsheet_with_many_columns_is_refused(monkeypatch):
    content = spreadsheet(["text", "id", "time"], ["停水"])
    assert read(content, "a.xlsx")[0].post.text == "停水"
    monkeypatch.setattr(upload, "MAX_COLUMNS", 2)
    assert "a.xlsx: 3 columns; at most 2 are read" in str(refusal(content, "a.xlsx"))


def test_values_that_cannot_be_stored_are_replaced():
    line = r'{"id": "\ud800", "text": "停水", "likes": 1e400, "more": ["\ud801", NaN], "\ud802": 1}'
    [item] = read(line, "a.jsonl")
    assert (item.id, item.post.post_id) == ("?", "?")
    assert item.values == {"id": "?", "text": "停水", "likes": None, "more": ["?", None], "?": 1}
    assert refusal(r'{"\ud800": "\ud801"}', "a.jsonl").values["columns"] == ["?"]


def test_a_spreadsheet_that_unpacks_to_a_large_one_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b"0" * (UNPACKED * LIMITS.max_bytes + 1))
    assert len(file.getvalue()) < LIMITS.max_bytes
    assert refusal(file.getvalue(), "bomb.xlsx").code == "unpacked"


@pytest.mark.parametrize("name", ["../../../etc/passwd.txt", r"..\..\posts.txt", "/etc/hostname.txt", "a\0b.txt"])
def test_a_path_in_a_name_has_no_effect(name, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    [item] = read("停水\n", name)
    assert item.post.text == "停水"
    assert list(Path(tmp_path).iterdir()) == []  # the file is removed


def test_messages_contain_the_last_part_of_a_name():
    assert "passwd.txt: no posts" in str(refusal("", "../../etc/passwd.txt"))
