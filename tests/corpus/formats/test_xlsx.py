import datetime

import pytest

from hf_rumor.corpus.columns import Columns
from hf_rumor.corpus.formats import open_input
from hf_rumor.corpus.post import Post
from hf_rumor.corpus.rows import read_items, read_posts
from hf_rumor.errors import CorpusError


openpyxl = pytest.importorskip("openpyxl")


@pytest.fixture
def path(tmp_path):
    book = openpyxl.Workbook()
    for row in (
        ("微博id", "微博正文", "标签", "发布时间"),
        (4756123456789012, "停水了", "谣言", datetime.datetime(2013, 6, 29, 12, 40)),
        (None, None, None, None),
        ("b", "今天晴", "非谣言", "2013-06-29 12:40"),
    ):
        book.active.append(row)
    book.save(tmp_path / "posts.xlsx")
    return tmp_path / "posts.xlsx"


def test_the_rows_of_the_first_sheet_are_posts(path):
    with open_input(path) as source:
        posts = list(read_posts(source, Columns()))
    assert posts == [
        Post(text="停水了", post_id="4756123456789012", is_rumor=True, posted_at=1372480800),
        Post(text="今天晴", post_id="b", is_rumor=False, posted_at=1372480800),
    ]


def test_a_blank_row_is_an_error_of_its_row_in_prediction(path):
    with open_input(path, is_labeled=False) as source:
        assert [item.post and item.post.text for item in read_items(source, Columns())] == ["停水了", None, "今天晴"]


def test_a_damaged_file_is_refused(path):
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(CorpusError, match=r"not a valid \.xlsx file"), open_input(path) as source:
        list(read_posts(source, Columns()))
