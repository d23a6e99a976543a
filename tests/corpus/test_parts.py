import logging
from dataclasses import replace

import pytest

from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.corpus.parts import split_corpus
from hf_rumor.corpus.splits import SPLITS


@pytest.mark.parametrize("name", SPLITS)
def test_the_dataset_of_a_split_contains_every_post_once_with_its_text_and_label(corpus_posts, name):
    parts = ("train", "train", "train", "validation", "test")
    named = [replace(post, split=parts[number % 5]) for number, post in enumerate(corpus_posts)]
    corpus = load_corpus(named)
    posts, data = corpus.posts, split_corpus(corpus, name, seed=3)
    parts = data.dataset
    assert list(parts) == ["train", "validation", "test"]
    for part, positions in data.split.parts().items():
        assert parts[part].column_names == ["id", "text", "label"]
        assert parts[part]["id"][:] == [posts["id"][position] for position in positions]
    rows = {(row["id"], row["text"], row["label"]) for part in parts.values() for row in part}
    assert rows == {(post.post_id, post.text, int(post.is_rumor)) for post in corpus_posts}
    assert sum(map(len, parts.values())) == len(corpus_posts)


def test_the_leakage_of_a_split_is_counted_and_logged(corpus_posts, caplog):
    caplog.set_level(logging.INFO)
    corpus = load_corpus([*corpus_posts, *(replace(post, post_id=f"copy {post.post_id}") for post in corpus_posts)])
    no_leakage = "0 test posts with a near-duplicate in the other sets, 0 validation posts with one in training"
    for name in ("grouped", "random"):
        data = split_corpus(corpus, name, seed=1, folds=4, fold=2)
        assert data.split.fold == "2 of 4"
        assert (len(data.leaking) == 0) == (no_leakage in caplog.messages[-1]) == (name == "grouped")
