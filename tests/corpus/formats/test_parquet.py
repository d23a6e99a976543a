import pyarrow
import pyarrow.parquet
import pytest
from datasets import ClassLabel, Dataset, Features, Value

from hf_rumor.corpus.formats import open_input, read_rows
from hf_rumor.errors import CorpusError


def values(path):
    with open_input(path) as source:
        return [row.values for row in read_rows(source)]


@pytest.mark.parametrize("names", [["fake", "real"], ["谣言", "非谣言"]])
def test_class_names_take_the_place_of_numbers(tmp_path, names):
    path = tmp_path / "posts.parquet"
    features = Features({"text": Value("string"), "label": ClassLabel(names=names)})
    Dataset.from_dict({"text": ["雪", "雨", "风"], "label": [0, 1, -1]}, features=features).to_parquet(path)
    assert [row["label"] for row in values(path)] == [*names, -1]


def test_other_metadata_does_not_matter(tmp_path):
    path = tmp_path / "posts.parquet"
    for metadata in ({}, {b"huggingface": b"?"}, {b"huggingface": b'{"info": 1}'}):
        table = pyarrow.table({"text": ["雪"], "label": [1]}).replace_schema_metadata(metadata)
        pyarrow.parquet.write_table(table, path)
        assert values(path) == [{"text": "雪", "label": 1}]


def test_rows_of_many_batches_are_numbered_throughout(tmp_path):
    path = tmp_path / "posts.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"text": ["雪"] * 2501}), path)
    with open_input(path) as source:
        assert [row.number for row in read_rows(source)] == list(range(1, 2502))


@pytest.mark.parametrize("content", [b"", b"text,label\n", None])
def test_a_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "posts.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"text": ["雪"]}), path)
    path.write_bytes(path.read_bytes()[:-20] if content is None else content)
    with pytest.raises(CorpusError, match="not a valid Parquet file"):
        values(path)
