import json
import logging
from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, Value

from hf_rumor.corpus.arrow import FEATURES, Source, load_corpus, posts_of, split_corpus
from hf_rumor.corpus.post import Post
from hf_rumor.corpus.splits import SPLITS
from hf_rumor.errors import CorpusError


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def rows():
    return [{"id": str(number), "text": f"第{number}则", "label": number % 2} for number in range(5)]


def test_posts_come_back_from_arrow_as_they_were_written(tmp_path, write_ced, corpus_posts):
    corpus = load_corpus(write_ced(tmp_path / "ced", corpus_posts))
    assert corpus.posts.features == FEATURES
    assert corpus.findings.total() == 0
    assert corpus.sources == (Source("ced", tmp_path / "ced", corpus.sha256),)
    expected = {
        post.post_id: {
            **asdict(post),
            "id": post.post_id,
            "label": int(post.is_rumor),
            "num_reposts": len(post.reposts),
            "reposts": [asdict(repost) for repost in post.reposts],
            "source": "ced",
        }
        for post in corpus_posts
    }
    assert len(corpus.posts) == len(corpus_posts)
    for row in corpus.posts:
        assert row == {name: expected[row["id"]][name] for name in FEATURES}


def test_unknown_values_are_none(tmp_path):
    [row] = load_corpus(write_rows(tmp_path / "a.jsonl", [{"text": "雪", "label": "rumor"}])).posts
    assert row == {
        "id": "1",
        "text": "雪",
        "label": 1,
        "posted_at": None,
        "author_id": None,
        "author_verified": None,
        "has_url": None,
        "num_reposts": None,
        "reposts": [],
        "split": None,
        "source": "a",
    }


def test_a_renamed_file_is_read_by_the_reader_of_its_new_suffix(tmp_path, rows):
    path = write_rows(tmp_path / "a.jsonl", rows)
    load_corpus(path)
    with pytest.raises(CorpusError, match="read as plain lines, which have no labels"):
        load_corpus(path.rename(tmp_path / "a.txt"))


def test_odd_posts_are_skipped_and_counted(tmp_path):
    rows = [
        {"id": "1", "text": "雪", "label": 0, "time": 1372480809},
        {"id": "1", "text": "雪", "label": 0, "time": 1372480809},
        {"id": "1", "text": "雨", "label": 0, "time": 1372480809},
        {"id": "2", "text": " ", "label": 1, "time": 1372480809},
        {"id": "3", "text": "风 A", "label": 1, "time": 1372480809},
        {"id": "4", "text": "风a", "label": 0, "time": 1372480809},
        {"id": "5", "text": "雪", "label": 0, "time": "soon"},
    ]
    path = write_rows(tmp_path / "a.jsonl", rows)
    expected = Counter(
        duplicate_ids=1, shared_ids=2, empty_texts=1, conflicting_labels=2, times_unreadable=1, labels_as_numbers=7
    )
    for _ in ("cold", "warm"):
        corpus = load_corpus(path)
        assert [post_id.split("#")[0] for post_id in corpus.posts["id"][:]] == ["1", "1", "5"]
        assert {name: count for name, count in corpus.findings.items() if ": " not in name} == expected


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_a_corpus_without_posts_is_refused_each_time(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_text("")
    for _ in ("cold", "warm"):
        with pytest.raises(CorpusError, match=r"no posts\. Check --data_path"):
            load_corpus(path)


def test_a_corpus_without_usable_posts_is_refused(tmp_path):
    path = write_rows(tmp_path / "a.jsonl", [{"text": "雪", "label": 0}, {"text": "雪", "label": 1}])
    with pytest.raises(CorpusError):
        load_corpus(path)


def test_a_missing_corpus_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="no such file or folder"):
        load_corpus(tmp_path / "no_such.zip")


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


@pytest.mark.slow
def test_the_published_corpus_keeps_2709_posts_of_which_1230_are_rumors(shared):
    corpus = load_corpus(shared / "data" / "Rumor_Dataset.zip")
    assert (len(corpus.posts), int(np.sum(corpus.posts["label"][:]))) == (2709, 1230)


TEXTS, LABELS = [f"第{number}则" for number in range(6)], [0, 1, 0, 1, 0, 1]


def as_dataset(texts, labels):
    features = Features({" Text": Value("string"), "label": ClassLabel(names=["real", "fake"])})
    return Dataset.from_dict({" Text": texts, "label": labels}, features=features)


def test_equal_posts_in_memory_give_equal_corpora():
    posts = [Post(text=text, is_rumor=bool(label)) for text, label in zip(TEXTS, LABELS, strict=True)]
    corpora = [
        load_corpus(TEXTS, labels=LABELS),
        load_corpus(TEXTS, labels=[bool(label) for label in LABELS]),
        load_corpus(TEXTS, labels=["非谣言", "谣言"] * 3),
        load_corpus(as_dataset(TEXTS, LABELS)),
        load_corpus(posts),
    ]
    assert len({corpus.sha256 for corpus in corpora}) == 1
    assert all(corpus.posts[:] == corpora[0].posts[:] for corpus in corpora)
    assert corpora[0].posts["label"][:] == LABELS
    assert load_corpus(TEXTS, labels=LABELS[::-1]).sha256 != corpora[0].sha256


def test_a_corpus_in_memory_is_cleaned_like_a_file(tmp_path):
    texts, labels = ["雪 ", "雪", "", "\u200b", "风", 12], [1, 0, 1, 1, 1, "谣言"]
    rows = [{"text": text, "label": label} for text, label in zip(texts, labels, strict=True)]
    from_file, from_memory = load_corpus(write_rows(tmp_path / "a.jsonl", rows)), load_corpus(texts, labels=labels)
    assert from_memory.posts.remove_columns("source")[:] == from_file.posts.remove_columns("source")[:]
    assert from_memory.findings == from_file.findings
    assert from_memory.posts["text"][:] == ["风", "12"]


def test_posts_in_memory_come_back_as_they_were(corpus_posts):
    rows = load_corpus(corpus_posts).posts
    assert rows["reposts"][:] == [[asdict(repost) for repost in post.reposts] for post in corpus_posts]
    assert rows["posted_at"][:] == [post.posted_at for post in corpus_posts]


@pytest.mark.parametrize(
    ("source", "labels", "words"),
    [
        (["雪"], None, "no labels for 1 texts"),
        (["雪"], [1, 0], "2 labels for 1 texts"),
        (["雪"], ["maybe"], "in-memory: post 1: label 'maybe' is unknown"),
        ([Post(text="雪")], None, "in-memory: post 1: the label is empty"),
        ([], [], "in-memory: no posts"),
        ("auto", [1], "labels cannot be passed with a path"),
    ],
)
def test_an_invalid_source_is_refused(source, labels, words):
    with pytest.raises(CorpusError, match=words):
        load_corpus(source, labels=labels)


def test_what_labels_mean_is_logged_with_an_example(caplog, tmp_path):
    caplog.set_level(logging.INFO)
    path = write_rows(tmp_path / "a.jsonl", [{"text": "雪", "label": 0}, {"text": "听说停水", "label": 1}])
    for _ in ("cold", "warm"):
        caplog.clear()
        load_corpus(path)
        assert 'labels: 1 = rumor, e.g. "听说停水"' in caplog.messages
        assert (
            "corpus: 2 posts whose label is a number or a yes/no answer: 0 = non-rumor, 1 = rumor" in caplog.messages
        )
    caplog.clear()
    load_corpus(["雪", "雨"], labels=["rumor", "non-rumor"])
    assert not [line for line in caplog.messages if line.startswith("labels: ")]


def test_the_digest_of_several_sources_does_not_depend_on_their_order():
    corpora = [load_corpus(TEXTS, labels=labels) for labels in (LABELS, LABELS[::-1])]
    sources = tuple(corpus.sources[0] for corpus in corpora)
    one, other = (replace(corpora[0], sources=order) for order in (sources, sources[::-1]))
    assert one.sha256 == other.sha256 not in {corpus.sha256 for corpus in corpora}
    assert str(one.path) == "in-memory + in-memory"


def test_posts_of_a_batch_of_rows_keep_their_source(tmp_path, corpus_posts):
    [post] = posts_of(load_corpus(corpus_posts[:1]).posts[:1])
    assert (post.text, post.source) == (corpus_posts[0].text, "in-memory")


def test_the_leakage_of_a_split_is_counted_and_logged(corpus_posts, caplog):
    caplog.set_level(logging.INFO)
    corpus = load_corpus([*corpus_posts, *(replace(post, post_id=f"copy {post.post_id}") for post in corpus_posts)])
    no_leakage = "0 test posts with a near-duplicate in the other sets, 0 validation posts with one in training"
    for name in ("grouped", "random"):
        data = split_corpus(corpus, name, seed=1, folds=4, fold=2)
        assert data.split.fold == "2 of 4"
        assert (len(data.leaking) == 0) == (no_leakage in caplog.messages[-1]) == (name == "grouped")
