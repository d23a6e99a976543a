import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hf_rumor.corpus.arrow import Source, load_corpus
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


def test_an_epoch_contains_the_training_posts_of_a_source_as_often_as_its_weight_says(corpus_posts):
    corpus = load_corpus(corpus_posts)
    names = ["light", "plain", "heavy"]
    column = [names[number % 3] for number in range(len(corpus.posts))]
    posts = corpus.posts.remove_columns("source").add_column("source", column)
    sources = tuple(Source(name, Path(name), "", weight) for name, weight in zip(names, (0.5, 1, 2.5), strict=True))
    data = split_corpus(replace(corpus, sources=sources, posts=posts))
    times = Counter(data.epoch.tolist())
    counts = {name: [] for name in names}
    for number, position in enumerate(data.split.train):
        counts[column[position]].append(times[number])
    assert set(counts["light"]) == {0, 1}
    assert set(counts["plain"]) == {1}
    assert set(counts["heavy"]) == {2, 3}
    assert np.array_equal(data.epoch, np.sort(data.epoch))


def test_without_weights_an_epoch_contains_each_training_post_once(corpus_posts):
    data = split_corpus(load_corpus(corpus_posts))
    assert np.array_equal(data.epoch, np.arange(len(data.split.train)))
