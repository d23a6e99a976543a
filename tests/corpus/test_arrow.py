import json
import logging
from collections import Counter
from dataclasses import asdict

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, Value

from hf_rumor.corpus.arrow import FEATURES, Source, load_corpora, load_corpus, posts_of
from hf_rumor.corpus.columns import CorpusFile
from hf_rumor.corpus.post import Post
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
        duplicate_ids=1, shared_ids=2, empty_texts=1, conflicting_labels=2, times_unreadable=1, labels_by_convention=7
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


@pytest.mark.slow
def test_the_published_corpus_keeps_2709_posts_of_which_1230_are_rumors(shared):
    corpus = load_corpus(shared / "data" / "Rumor_Dataset.zip")
    assert (len(corpus.posts), int(np.sum(corpus.posts["label"][:]))) == (2709, 1230)


TEXTS, LABELS = [f"第{number}则" for number in range(6)], [0, 1, 0, 1, 0, 1]


def as_dataset(texts, labels):
    features = Features({" Text": Value("string"), "label": ClassLabel(names=["real", "fake"])})
    return Dataset.from_dict({" Text": texts, "label": labels}, features=features)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Rumor_Dataset.zip", "weibo16_events.zip", "weibo17"])
def test_an_inverted_copy_of_a_published_corpus_is_swapped_back(shared, tmp_path, name):
    path, inverted = shared / "data" / name, tmp_path / "inverted.jsonl"
    posts = load_corpus(path).posts
    rows = [{"text": text, "label": 1 - label} for text, label in zip(posts["text"], posts["label"], strict=True)]
    inverted.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    both = load_corpora([CorpusFile(str(path)), CorpusFile(str(inverted))], keep_copies=True)
    assert both.findings["labels_exchanged"] == len(rows)
    labels = dict(zip(posts["text"], posts["label"], strict=True))
    copies = both.posts.filter(lambda post: post["source"] == "inverted")
    assert [labels[text] for text in copies["text"]] == copies["label"][:]


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
        assert "the corpus does not define it: 0 = non-rumor, 1 = rumor" in caplog.text
    caplog.clear()
    load_corpus(["雪", "雨"], labels=["rumor", "non-rumor"])
    assert not [line for line in caplog.messages if line.startswith("labels: ")]


@pytest.fixture
def two(tmp_path):
    """Return two corpora; `b` has two copies of posts of `a`, one of them with the other label."""
    a = [
        {"id": str(number), "text": text, "label": "fake"}
        for number, text in enumerate(["停水", "地震", "涨价", "下雪"])
    ]
    b = [a[0], a[1] | {"label": "real"}, {"id": "0", "text": "今天晴", "label": "real"}]
    return [CorpusFile(str(write_rows(tmp_path / f"{name}.jsonl", rows))) for name, rows in {"a": a, "b": b}.items()]


def test_of_near_duplicates_in_several_corpora_those_of_the_first_one_are_kept(two):
    corpus = load_corpora(two)
    assert corpus.posts["id"][:] == ["a/0", "a/1", "a/2", "a/3", "b/0"]
    assert corpus.posts["source"][:] == [*"aaaa", "b"]
    assert (corpus.findings["copies_dropped"], corpus.findings["copies_with_other_label"]) == (2, 1)
    assert load_corpora(two, first="b").posts["source"][:] == [*"bbbaa"]
    whole = load_corpora(two, keep_copies=True)
    assert (len(whole.posts), whole.findings["copies_kept"]) == (7, 2)


def test_corpora_of_one_name_get_numbers_and_the_order_is_part_of_the_identity(two):
    one, other = load_corpora([two[0], two[0]]), load_corpora(two)
    assert [source.name for source in one.sources] == ["a", "a-2"]
    again = load_corpora(two[::-1])
    assert (other.sha256 == again.sha256, other.identity == again.identity) == (True, False)
    assert load_corpora(two[:1]).identity == load_corpora(two[:1]).sha256
    assert other.data_path == [file.path for file in two]


def test_posts_of_a_batch_of_rows_keep_their_source(tmp_path, corpus_posts):
    [post] = posts_of(load_corpus(corpus_posts[:1]).posts[:1])
    assert (post.text, post.source) == (corpus_posts[0].text, "in-memory")
