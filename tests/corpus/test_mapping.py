from pathlib import Path

import pytest
from datasets import Dataset

from hf_rumor.corpus.mapping import map_cached


def lengths(rows, extra):
    return {"length": [len(text) + extra for text in rows["text"]]}


@pytest.fixture
def posts(tmp_path):
    """Return a function that loads posts from Arrow on disk, and their folder."""
    path = tmp_path / "posts"
    Dataset.from_dict({"text": ["天气", "停水了"] * 9}).save_to_disk(path)
    return lambda: Dataset.load_from_disk(path), path


def test_columns_are_computed_once_for_the_same_arguments(posts):
    load, _ = posts
    first, second, other = (map_cached(load(), lengths, ["text"], "lengths", extra=extra) for extra in (0, 0, 1))
    assert first.column_names == ["length"]
    assert first["length"][:2] == [2, 3]
    assert first.cache_files == second.cache_files != other.cache_files
    assert other["length"][:2] == [3, 4]


@pytest.mark.parametrize("how", ["truncated", "emptied", "overwritten"])
def test_corrupt_columns_are_rebuilt_with_a_warning(posts, caplog, how):
    load, _ = posts
    expected = map_cached(load(), lengths, [], "lengths", extra=0)
    path = Path(expected.cache_files[0]["filename"])
    content = path.read_bytes()
    path.write_bytes({"truncated": content[: len(content) // 2], "emptied": b"", "overwritten": b"?" * 999}[how])
    assert map_cached(load(), lengths, [], "lengths", extra=0)["length"][:] == [2, 3] * 9
    assert "lengths are corrupt" in caplog.text


def test_leftovers_of_a_killed_process_are_removed(posts):
    load, path = posts
    (path / "tmpabc123").write_bytes(b"half")
    map_cached(load(), lengths, [], "lengths", extra=0)
    assert not (path / "tmpabc123").exists()
