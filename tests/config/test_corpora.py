import json
from argparse import Namespace

import pytest

from hf_rumor.config.corpora import corpus_files, read_corpora
from hf_rumor.corpus.columns import Columns, CorpusFile
from hf_rumor.errors import ArgumentError


def flags(*paths, **others):
    columns = dict.fromkeys(("text_column", "label_column", "id_column", "label_map"))
    return Namespace(data_path=list(paths), keep_copies=False, **{**columns, **others})


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_paths_share_the_columns():
    columns = Columns("body", None, None, (("a", True), ("b", False)))
    named = flags("a.csv", "hub:user/posts", text_column="body", label_map='{"a": "rumor", "b": "non-rumor"}')
    assert corpus_files(named) == [CorpusFile(path, columns=columns) for path in ("a.csv", "hub:user/posts")]


def test_a_list_has_names_and_columns_of_its_own(tmp_path):
    path = write(
        tmp_path / "corpora.yaml",
        "- {path: a.csv, name: first, text_column: body}\n- {path: /b.csv, label_map: {0: rumor, true: non-rumor}}\n"
        "- {path: hub:user/posts, weight: 2}\n",
    )
    assert corpus_files(flags(path, text_column="text")) == [
        CorpusFile(str(tmp_path / "a.csv"), "first", Columns("body")),
        CorpusFile("/b.csv", None, Columns("text", labels=(("0", True), ("true", False)))),
        CorpusFile("hub:user/posts", None, Columns("text"), weight=2.0),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "not valid YAML"),
        ("path: a.csv", "not a list of corpora"),
        ("- name: a", "not a list of corpora"),
        ("- {path: a.csv, colour: red}", "colour: not a key. Use path, name"),
        ("- {path: a.csv, weight: -1}", "weight: -1 is not a number above 0"),
        ("- {path: a.csv, weight: heavy}", "weight: 'heavy' is not a number"),
        ("- {path: a.csv, name: x}\n- {path: b.csv, name: x}", "two corpora are named 'x'"),
    ],
)
def test_a_wrong_list_is_refused(tmp_path, text, words):
    with pytest.raises(ArgumentError) as error:
        corpus_files(flags(write(tmp_path / "corpora.yaml", text)))
    assert words in str(error.value)
    assert "\n" not in words


def test_a_missing_list_is_refused():
    with pytest.raises(ArgumentError, match="no such file"):
        corpus_files(flags("none.yaml"))


def test_all_posts_of_the_source_that_is_left_out_are_kept(tmp_path):
    post = {"id": "1", "text": "听说明天全市停水一周", "label": "fake"}
    paths = [write(tmp_path / f"{name}.jsonl", json.dumps(post, ensure_ascii=False) + "\n") for name in "ab"]
    assert read_corpora(flags(*paths, split="grouped")).posts["source"][:] == ["a"]
    assert read_corpora(flags(*paths, split="leave_out:b")).posts["source"][:] == ["b"]
