import json
import math
import os

import pytest

from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.corpus.export import UNKNOWN, export_lists
from hf_rumor.corpus.parts import split_dataset
from hf_rumor.errors import CorpusError


@pytest.fixture
def posts(tmp_path, write_ced, make_posts):
    return load_corpus(write_ced(tmp_path / "ced", make_posts(60))).posts


def read_list(path, numbers):
    """Return (label, text) of each line of a list, decoded."""
    characters = {number: character for character, number in numbers.items()}
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    return [(int(label), "".join(characters[int(n)] for n in codes.split(","))) for codes, label in rows]


def export(posts, folder, seed=0):
    paths = {path.name: path for path in export_lists(posts, seed, folder)}
    numbers = json.loads(paths["dict.txt"].read_text(encoding="utf-8"))
    return paths, numbers


def test_four_files_are_written_into_a_new_folder(posts, tmp_path):
    paths, _ = export(posts, tmp_path / "new" / "lists")
    assert set(paths) == {"all_data.txt", "dict.txt", "train_list.txt", "eval_list.txt"}
    assert set(os.listdir(tmp_path / "new" / "lists")) == set(paths)


def test_the_lists_together_are_the_corpus(posts, tmp_path):
    paths, numbers = export(posts, tmp_path / "lists")
    decoded = [row for name in ("train_list.txt", "eval_list.txt") for row in read_list(paths[name], numbers)]
    expected = sorted(zip(posts["label"], posts["text"], strict=True))
    assert sorted(decoded) == expected
    lines = paths["all_data.txt"].read_text(encoding="utf-8").splitlines()
    assert sorted((int(label), text) for label, text in (line.split("\t") for line in lines)) == expected


def test_the_evaluation_list_is_the_test_part_of_every_8th(posts, tmp_path):
    paths, numbers = export(posts, tmp_path / "lists", seed=5)
    split = split_dataset(posts, "every_8th", 5, groups=None)
    evaluation = read_list(paths["eval_list.txt"], numbers)
    assert [text for _, text in evaluation] == [posts["text"][position] for position in split.test]
    assert len(evaluation) == math.ceil(60 / 8)


def test_equal_seeds_give_equal_files_and_others_other_lists(posts, tmp_path):
    one, same, other = (
        {name: path.read_bytes() for name, path in export(posts, tmp_path / folder, seed)[0].items()}
        for folder, seed in (("one", 1), ("same", 1), ("other", 2))
    )
    assert one == same
    assert {name for name in one if one[name] != other[name]} == {"train_list.txt", "eval_list.txt"}


def test_characters_are_numbered_from_0_without_gaps_and_the_unknown_one_is_last(posts, tmp_path):
    paths, numbers = export(posts, tmp_path / "lists")
    assert sorted(numbers.values()) == list(range(len(numbers)))
    assert numbers[UNKNOWN] == len(numbers) - 1
    assert numbers.keys() - {UNKNOWN} == set("".join(posts["text"]))
    assert paths["dict.txt"].read_text(encoding="utf-8").count("\n") == 1


def test_a_text_of_many_lines_stays_on_one(tmp_path, corpus_posts):
    path = tmp_path / "posts.jsonl"
    rows = [
        {"id": post.post_id, "text": f"{post.text}\n第二行\t\u2028还有 \r\n\x85终", "label": int(post.is_rumor)}
        for post in corpus_posts
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    paths, numbers = export(load_corpus(path).posts, tmp_path / "lists")
    assert len(paths["all_data.txt"].read_text(encoding="utf-8").splitlines()) == 60
    decoded = [row for name in ("train_list.txt", "eval_list.txt") for row in read_list(paths[name], numbers)]
    assert sorted(decoded) == sorted((int(post.is_rumor), f"{post.text} 第二行 还有 终") for post in corpus_posts)


def test_too_few_posts_write_nothing(tmp_path, write_ced, make_posts):
    few = load_corpus(write_ced(tmp_path / "ced", make_posts(20))).posts
    with pytest.raises(CorpusError, match="at least 20 of each label are needed"):
        export(few, tmp_path / "lists")
    assert not (tmp_path / "lists").exists()
