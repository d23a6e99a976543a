import bz2
import gzip
import lzma

import pyarrow
import pytest

from hf_rumor.corpus.formats import open_input, read_rows
from hf_rumor.corpus.formats.compressed import COMPRESSED
from hf_rumor.errors import CorpusError


CONTENT = "text,label\n雪,1\n雨,0\n".encode()
COMPRESS = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda content: pyarrow.compress(content, codec="zstd", asbytes=True),
}


@pytest.mark.parametrize("suffix", COMPRESSED)
def test_a_compressed_file_is_read_like_the_file(tmp_path, suffix):
    path = tmp_path / f"posts.csv{suffix}"
    path.write_bytes(COMPRESS[suffix](CONTENT))
    with open_input(path) as source:
        assert source.format == "csv"
        assert [row.values for row in read_rows(source)] == [
            {"text": "雪", "label": "1"},
            {"text": "雨", "label": "0"},
        ]


@pytest.mark.parametrize("suffix", COMPRESSED)
def test_a_truncated_file_is_refused(tmp_path, suffix):
    path = tmp_path / f"posts.csv{suffix}"
    path.write_bytes(COMPRESS[suffix](CONTENT * 10_000)[:-20])
    with pytest.raises(CorpusError, match="is damaged"), open_input(path) as source:
        list(read_rows(source))


def test_another_error_while_a_compressed_file_is_open_is_not_called_damage(tmp_path):
    path = tmp_path / "posts.csv.gz"
    path.write_bytes(gzip.compress(CONTENT))
    with pytest.raises(FileNotFoundError), open_input(path):
        (tmp_path / "none").read_bytes()


def test_a_compressed_zip_or_parquet_file_is_refused(tmp_path):
    path = tmp_path / "posts.parquet.gz"
    path.write_bytes(gzip.compress(b"PAR1"))
    with pytest.raises(CorpusError, match="cannot be read as parquet"), open_input(path) as source:
        list(read_rows(source))
