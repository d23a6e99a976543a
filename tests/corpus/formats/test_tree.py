import tracemalloc
import zipfile

import pytest

from hf_rumor.corpus.findings import Findings
from hf_rumor.corpus.formats import tree
from hf_rumor.corpus.formats.tree import load_json, open_tree
from hf_rumor.errors import CorpusError


def test_a_folder_and_a_zip_give_the_same_files(tmp_path):
    (tmp_path / "folder" / "a").mkdir(parents=True)
    (tmp_path / "folder" / "a" / "1.json").write_text("[1]")
    with zipfile.ZipFile(tmp_path / "files.zip", "w") as archive:
        archive.write(tmp_path / "folder" / "a" / "1.json", "a/1.json")
    for path in (tmp_path / "folder", tmp_path / "files.zip"):
        with open_tree(path) as (names, read):
            assert names == ["a/1.json"]
            assert load_json("a/1.json", read, list, Findings()) == [1]
            with pytest.raises(ValueError, match="a JSON list, not a dict"):
                load_json("a/1.json", read, dict, Findings())


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_bomb_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch, compression):
    monkeypatch.setattr(tree, "MAX_BYTES", 1 << 20)
    path = tmp_path / "files.zip"
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("1.json", b"0" * (50 << 20))
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    with open_tree(path) as (_, read), pytest.raises(ValueError, match="at most 1,048,576 are read"):
        read("1.json")
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()


def test_a_bomb_with_a_false_size_is_not_read_beyond_it(tmp_path):
    path = tmp_path / "files.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1.json", b"0" * (1 << 20))
    path.write_bytes(path.read_bytes().replace((1 << 20).to_bytes(4, "little"), (9).to_bytes(4, "little")))
    with open_tree(path) as (_, read), pytest.raises(ValueError, match="Bad CRC-32"):
        read("1.json")


def test_an_archive_of_too_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(tree, "MAX_FILES", 3)
    with zipfile.ZipFile(tmp_path / "files.zip", "w") as archive:
        for number in range(4):
            archive.writestr(f"{number}.txt", "")
    with pytest.raises(CorpusError, match="4 files; at most 3 are read"), open_tree(tmp_path / "files.zip"):
        pass
