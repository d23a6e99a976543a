"""Uploads and their results, without a server."""

import json
import os
import shutil
from pathlib import Path

import pytest

from hf_rumor.serve.judge import Judge, Limits
from hf_rumor.serve.words import LANGUAGES, WORDS


@pytest.fixture(scope="module")
def judge(folder):
    judge = Judge(str(folder), Limits(max_characters=20, max_posts=3, max_bytes=1000))
    yield judge
    shutil.rmtree(judge.folder)


def test_one_model_predicts_and_explains(judge):
    assert judge.explainer.model is judge.classifier.model


@pytest.mark.parametrize("language", LANGUAGES.values())
def test_files_are_classified_within_limits_and_removed(judge, tmp_path, language):
    path = judge.folder / "posts.txt"
    path.write_text(f"停水\n{'停' * 21}\n", encoding="utf-8")
    html, name = judge.answer_file(str(path), language)
    assert WORDS[language]["done"].format(2, 1) in html
    rows = [json.loads(line) for line in Path(name).read_text("utf-8").splitlines()]
    assert rows[1]["error"] == "the text has 21 characters; at most 20 are allowed."
    assert not path.exists()
    path.write_text("停水\n", encoding="utf-8")
    judge.expect_file(str(path))
    judge.expect_file(str(path))  # a second upload of an equal file, which has the same path
    for left in (1, 0):
        html, _ = judge.answer_file(str(path), language)
        assert (WORDS[language]["done"].format(1, 0) in html, path.exists()) == (True, left > 0)
    path.write_text("停水\n" * 4, encoding="utf-8")
    html, result = judge.answer_file(str(path), language)
    assert (result, "more than 3 posts" in html) == (None, True)
    assert not path.exists()
    judge.expect_file(str(path))  # removed by Gradio before it was classified
    judge.answer_file(None, language)
    assert not judge._uploads
    outside = tmp_path / "posts.txt"
    outside.write_text("停水\n", encoding="utf-8")
    for upload in (None, str(path), str(outside), "/etc/hostname"):
        assert judge.answer_file(upload, language) == (judge._problem(WORDS[language]["no_file"]), None)
    assert outside.exists()
    os.utime(name, (0, 0))
    judge.answer_file(None, language)
    assert not Path(name).exists()


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_spreadsheet_encodings_are_read(judge, encoding):
    path = judge.folder / "posts.csv"
    path.write_bytes("正文\n昨夜停水\n".encode(encoding))
    html, name = judge.answer_file(str(path), "zh")
    assert WORDS["zh"]["done"].format(1, 0) in html
    path.write_text("正文\n昨夜停水\n", encoding="utf-8")
    assert Path(name).read_text("utf-8") == Path(judge.answer_file(str(path), "zh")[1]).read_text("utf-8")


def test_a_file_in_an_unknown_encoding_gets_a_valid_answer(judge):
    path = judge.folder / "posts.csv"
    path.write_bytes(b"\xff\xff\xff\n1,2\n")
    html, result = judge.answer_file(str(path), "zh")
    assert (result, "UTF-8" in html) == (None, True)
    html.encode("utf-8")
