import json
import zipfile

import pytest

from hf_rumor.corpus.columns import Columns
from hf_rumor.corpus.findings import Findings
from hf_rumor.corpus.formats import open_input
from hf_rumor.corpus.post import Post, Repost
from hf_rumor.corpus.rows import read_items, read_posts
from hf_rumor.errors import CorpusError


EVENT = [
    {"mid": "7", "text": "停水了", "t": 1372481000, "uid": "1", "verified": True, "parent": None},
    {"mid": "9", "text": "假的", "t": 1372481200, "uid": "2", "parent": "7"},
    {"mid": "8", "text": "转发微博", "t": 1372481100, "uid": "3", "parent": "7"},
]
POST = Post(
    text="停水了",
    post_id="7",
    is_rumor=True,
    posted_at=1372481000,
    author_id="1",
    author_verified=True,
    num_reposts=2,
    reposts=(Repost("8", "转发微博", 1372481100, "3", "7"), Repost("9", "假的", 1372481200, "2", "7")),
)
INDEX = "eid:7\tlabel:1\t7 9 8 \neid:8\tlabel:0\t8 \n"


@pytest.fixture(params=["folder", "zip"])
def write(request, tmp_path):
    def write(index, event):
        files = {"Weibo.txt": index, "Weibo/7.json": json.dumps(event, ensure_ascii=False)}
        if request.param == "zip":
            with zipfile.ZipFile(tmp_path / "events.zip", "w") as archive:
                for name, text in files.items():
                    archive.writestr(name, text)
            return tmp_path / "events.zip"
        (tmp_path / "Weibo").mkdir()
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_an_event_is_a_post_with_its_reposts_oldest_first(write):
    with open_input(write(INDEX, EVENT)) as source:
        assert source.format == "weibo16"
        assert list(read_posts(source, Columns())) == [POST]
    assert +source.findings == Findings({"events_without_file": 1, "known_corpora": 1, "known_corpora: Weibo16": 1})


def test_a_broken_event_is_an_error_of_its_row_only(write):
    with open_input(write(INDEX, {}), is_labeled=False) as source:
        [item] = read_items(source, Columns())
    assert item.error == "a JSON dict, not a list. Repair or remove the file."


def test_a_broken_line_is_named(write):
    with open_input(write("eid:7 label:yes", EVENT)) as source, pytest.raises(CorpusError, match=r"Weibo.txt: line 1"):
        list(read_posts(source, Columns()))


def test_a_zip_of_another_layout_that_is_named_weibo16_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.json", "[]")
    with (
        open_input(tmp_path / "a.zip", "weibo16") as source,
        pytest.raises(CorpusError, match="no Weibo"),
    ):
        list(read_posts(source, Columns()))
