import zipfile

import pytest

from hf_rumor.corpus.columns import Columns
from hf_rumor.corpus.formats import open_input
from hf_rumor.corpus.post import Post
from hf_rumor.corpus.rows import read_items, read_posts


FIELDS = "{id}|user|null|null|{time}|true|30|4|33|null|{verified}|null|null|null|微博 weibo.com"


def record(text, **fields):
    return f"{FIELDS.format(**fields)}\nhttp://a/1.jpg|null\n{text}\n"


FILES = {
    "test_rumor.txt": "\ufeff" + record("停水了", id="3601471004353060", time="2013-06-29 12:40", verified=1),
    "train_nonrumor.txt": record("今天晴", id="3907393559904503", time="1372480809000", verified=0)
    + record("", id="3907393559904504", time="1372480809000", verified=0),
}
POSTS = [
    Post(
        text="停水了",
        post_id="3601471004353060",
        is_rumor=True,
        posted_at=1372480800,
        author_verified=True,
        num_reposts=30,
        split="test",
    ),
    Post(
        text="今天晴",
        post_id="3907393559904503",
        is_rumor=False,
        posted_at=1372480809,
        author_verified=False,
        num_reposts=30,
        split="train",
    ),
]


@pytest.fixture(params=["folder", "zip"])
def write(request, tmp_path):
    def write(files):
        if request.param == "zip":
            with zipfile.ZipFile(tmp_path / "weibo17.zip", "w") as archive:
                for name, text in files.items():
                    archive.writestr(name, text)
            return tmp_path / "weibo17.zip"
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_names_of_files_are_labels_and_parts(write):
    with open_input(write(FILES)) as source:
        assert source.format == "weibo17"
        posts = list(read_posts(source, Columns()))
    assert posts[:2] == POSTS
    assert [post.text for post in posts[2:]] == [""]


def test_a_file_alone_is_recognized(tmp_path):
    path = tmp_path / "test_rumor.txt"
    path.write_text(FILES["test_rumor.txt"], encoding="utf-8")
    with open_input(path) as source:
        assert source.format == "weibo17"
        assert list(read_posts(source, Columns())) == POSTS[:1]


def test_a_broken_record_is_an_error_of_its_row_only(write):
    files = {"test_rumor.txt": "1|2\nhttp://a\n停水了\n" + FILES["train_nonrumor.txt"]}
    with open_input(write(files), is_labeled=False) as source:
        items = list(read_items(source, Columns()))
    assert items[0].error.startswith("not three lines, the first with 15 fields")
    assert items[1].post.text == "今天晴"
