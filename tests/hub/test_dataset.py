import io
from dataclasses import replace

import pyarrow.parquet
import pytest
from huggingface_hub import DatasetCard

from hf_rumor.corpus.arrow import load_corpus
from hf_rumor.errors import OutputError
from hf_rumor.hub.dataset import COLUMNS, DATA_FILE, _size, dataset_card, dataset_contents


@pytest.fixture
def corpus(write_ced, corpus_posts, tmp_path):
    return load_corpus(write_ced(tmp_path / "ced", corpus_posts))


def test_the_posts_are_parquet_without_authors_ids_and_reposts(corpus):
    uploads = {upload.path: upload.content for upload in dataset_contents(corpus, "cc-by-4.0")}
    assert uploads.keys() == {"README.md", DATA_FILE}
    table = pyarrow.parquet.read_table(io.BytesIO(uploads[DATA_FILE]))
    assert table.column_names == COLUMNS
    assert not {"id", "author_id", "reposts"} & set(COLUMNS)
    assert table["text"].to_pylist() == corpus.posts["text"][:]


def test_the_parquet_file_is_read_as_the_same_posts(corpus, tmp_path):
    path = tmp_path / "posts.parquet"
    path.write_bytes(dataset_contents(corpus, "mit")[1].content)
    again = load_corpus(path)
    for column in COLUMNS:
        assert again.posts[column][:] == corpus.posts[column][:]


def test_the_card_is_valid_and_has_the_counts(corpus):
    text = dataset_card(corpus, "cc-by-4.0")
    card = DatasetCard(text)
    assert card.data.license == "cc-by-4.0"
    assert card.data.size_categories == ["n<1K"]
    assert card.data.configs[0]["data_files"][0] == {"split": "train", "path": DATA_FILE}
    assert "60 posts: 30 rumors and 30 non-rumors; label 0 is non-rumor, 1 is rumor." in text
    assert corpus.sha256 in text


@pytest.mark.parametrize(("count", "name"), [(999, "n<1K"), (1000, "1K<n<10K"), (10**6, "n>1M")])
def test_sizes_have_the_names_of_the_hub(count, name):
    assert _size(count) == name


def test_a_secret_in_a_post_is_detected_in_the_compressed_table(corpus_posts, write_ced, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/alice_wang")
    first, second, *others = corpus_posts
    first, second = (
        replace(post, text=f"{post.text} {place}")
        for post, place in ((first, "/home/bob/notes.txt"), (second, "/home/alice_wang/private.txt"))
    )
    corpus = load_corpus(write_ced(tmp_path / "ced", [first, second, *others]))
    with pytest.raises(OutputError, match="contains the home folder"):
        dataset_contents(corpus, "mit")


def test_names_of_skipped_files_are_not_in_the_card(corpus_posts, write_ced, tmp_path):
    path = write_ced(tmp_path / "ced", corpus_posts)
    (path / "secret.xlsx").touch()
    card = dataset_card(load_corpus(path), "mit")
    assert "1 files skipped" in card
    assert "secret" not in card
