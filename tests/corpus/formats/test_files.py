import json
import zipfile

import pytest

from hf_rumor.corpus.columns import Columns
from hf_rumor.corpus.formats import open_input
from hf_rumor.corpus.formats.files import named_values
from hf_rumor.corpus.rows import read_items, read_posts
from hf_rumor.errors import CorpusError


@pytest.fixture(params=["folder", "zip"])
def write(request, tmp_path):
    def write(files):
        path = tmp_path / ("posts.zip" if request.param == "zip" else "posts")
        if request.param == "zip":
            with zipfile.ZipFile(path, "w") as archive:
                for name, text in files.items():
                    archive.writestr(name, text)
            return path
        for name, text in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_text(text, encoding="utf-8")
        return path

    return write


def read(path):
    with open_input(path) as source:
        assert source.format == "files"
        return list(read_posts(source, Columns())), +source.findings


@pytest.mark.parametrize(
    "files",
    [
        {"fake_news/a.json": json.dumps({"text": "雪"}), "real_news/b.json": json.dumps({"text": "雨"})},
        {"谣言/a.txt": "雪", "非谣言/b.txt": "雨"},
        {"a.json": json.dumps({"text": "雪", "label": "fake"}), "b.json": json.dumps({"text": "雨", "label": "real"})},
        {"rumor.jsonl": '{"id": "a", "text": "雪"}\n', "zz_non-rumor/x.csv": "text,label,id\n雨,real,b\n"},
    ],
)
def test_labels_are_in_files_or_in_their_names(write, files):
    posts, _ = read(write(files))
    assert [(post.post_id, post.text, post.is_rumor) for post in posts] == [("a", "雪", True), ("b", "雨", False)]


def test_a_line_of_a_text_file_with_a_label_in_its_name_is_a_post(write):
    posts, _ = read(write({"rumor.txt": "雪\n雨\n", "nonrumor.txt": "雾\n"}))
    assert [(post.text, post.is_rumor) for post in posts] == [("雾", False), ("雪", True), ("雨", True)]
    assert len({post.post_id for post in posts}) == 3


def test_names_of_files_are_parts(write):
    table = "text,label\n{},rumor\n"
    posts, _ = read(
        write({"dev.csv": table.format("雪"), "test.csv": table.format("雨"), "train.csv": table.format("雾")})
    )
    assert [(post.text, post.split) for post in posts] == [("雪", "validation"), ("雨", "test"), ("雾", "train")]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("data/train/fake_news/7.json", {"label": "rumor", "split": "train"}),
        ("train_non-rumor.txt", {"label": "non-rumor", "split": "train"}),
        ("rumor/real.csv", {"label": "non-rumor"}),
        ("posts.csv", {}),
    ],
)
def test_the_last_label_and_part_in_a_path_count(name, values):
    assert named_values(name) == values


def test_other_files_and_a_broken_one_are_reported(write):
    path = write({"fake/.DS_Store": "x", "fake/a.json": "{", "fake/b.json": '{"text": "雪"}', "fake/c.png": "x"})
    with open_input(path, is_labeled=False) as source:
        errors = [item.error for item in read_items(source, Columns())]
    assert errors[0].startswith("not a JSON object")
    assert errors[1] is None
    assert (source.findings["hidden_files"], source.findings["other_files"]) == (1, 1)


def test_a_folder_without_posts_is_refused(write):
    with pytest.raises(CorpusError, match=r"no file with posts \(\.json, "):
        read(write({"a.png": "x"}))


def test_what_a_row_says_itself_counts_not_the_name_of_its_folder(write):
    posts, _ = read(write({"rumor/test/posts.csv": "内容,标签,划分\n雪,real,train\n雨,fake,dev\n"}))
    assert [(post.is_rumor, post.split) for post in posts] == [(False, "train"), (True, "validation")]


def test_the_posts_of_a_list_are_not_named_by_the_file(write):
    rows = [{"text": "雪"}, {"text": "雨"}]
    posts, _ = read(write({"fake/a.json": json.dumps(rows), "real/b.json": json.dumps(rows[:1])}))
    assert [post.post_id for post in posts] == ["1", "2", "b"]


def test_columns_of_tables_in_a_folder_can_be_named_by_number(write):
    with open_input(write({"a.tsv": "fake\t雪\n", "b.tsv": "real\t雨\n"})) as source:
        posts = list(read_posts(source, Columns(text="2", label="1")))
    assert [(post.text, post.is_rumor) for post in posts] == [("雪", True), ("雨", False)]
