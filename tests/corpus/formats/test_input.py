import io

import pytest

from hf_rumor.corpus.formats import FORMATS, SUFFIXES, open_input
from hf_rumor.corpus.formats import input as module
from hf_rumor.errors import CorpusError


class Trickle(io.RawIOBase):
    """A stream that gives a few bytes at a time, as a pipe may."""

    def __init__(self, content, size):
        self.content, self.size = content, size

    def readable(self):
        return True

    def readinto(self, buffer):
        part, self.content = self.content[: self.size], self.content[self.size :]
        buffer[: len(part)] = part
        return len(part)


def lines(content, size=1 << 16):
    with open_input(Trickle(content, size), "lines") as source:
        return [(line.number, line.text, line.error is None) for line in source.lines()]


@pytest.mark.parametrize("size", [1, 3, 1 << 16])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_stream_is_decoded_line_by_line(size, encoding, line_end):
    texts = ["plain", "听说明天全市停水一周，速转！", "", "小城下雪，孩子们堆了雪人"]
    content = line_end.join(texts).encode(encoding)
    if encoding == "utf-16" and size == 1:
        return  # its mark must arrive in one piece
    assert lines(content, size) == [(number, text, True) for number, text in enumerate(texts, start=1)]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_bad_byte_costs_its_line_only(encoding):
    content = "听说停水\n听说停电\n听说涨价\n".encode(encoding)
    bad = {"utf-8": b"\xff", "gb18030": b"\xff", "utf-16": "\udc00".encode("utf-16-le", "surrogatepass")}[encoding]
    middle = content.index("电".encode(encoding.replace("16", "16-le")))
    assert lines(content[:middle] + bad + content[middle:]) == [
        (1, "听说停水", True),
        (2, "", False),
        (3, "听说涨价", True),
    ]


def test_utf_16_without_its_last_byte_loses_the_last_line():
    assert lines("停水\n停电".encode("utf-16")[:-1]) == [(1, "停水", True), (2, "", False)]


@pytest.mark.parametrize("length", [99, 100, 101, 250])
def test_a_line_of_any_length_is_one_line(monkeypatch, length):
    monkeypatch.setattr(module, "MAX_LINE_BYTES", 100)
    assert lines(b"x" * length + b"\nnext\n") == [
        (1, "x" * length if length < 101 else "", length < 101),
        (2, "next", True),
    ]
    assert len(lines(b"x" * length)) == 1


@pytest.mark.parametrize("content", [b"\0\1\2", b"PK\3\4\0\0\0\n", bytes(range(256)) * 20])
def test_bytes_with_nul_are_not_text(content):
    with pytest.raises(CorpusError, match="stdin: not a text file"):
        lines(content)


def test_one_nul_in_a_text_costs_its_line_only():
    assert lines(b"first\n" * 50 + b"a\0b\nlast")[-2:] == [(51, "", False), (52, "last", True)]


@pytest.mark.parametrize("name", ["parquet", "ced"])
def test_formats_that_need_a_file_refuse_a_stream(name):
    with open_input(io.BytesIO(b"x"), name) as source, pytest.raises(CorpusError, match=r"a stream.* Give a file\."):
        next(FORMATS[name][0](source))


def test_the_format_is_that_of_the_suffix_else_of_the_first_bytes(tmp_path):
    for suffix, name in {**SUFFIXES, ".CSV": "csv", ".json": "jsonl", ".dat": "lines", "": "lines"}.items():
        path = tmp_path / f"posts{suffix}"
        path.write_bytes("停水".encode())
        with open_input(path) as source:
            assert source.format == name
    for head, name in ((b'\xef\xbb\xbf {"text"', "jsonl"), (b"[1]", "jsonl"), (b"", "lines"), (b"x", "lines")):
        with open_input(io.BytesIO(head)) as source:
            assert source.format == name


@pytest.mark.parametrize(
    ("name", "content", "advice"),
    [
        ("posts.jsonl.gz", b"\x1f\x8b", "the compressed file is damaged"),
        ("posts.xls", b"PK", "Save it as .xlsx or CSV"),
    ],
)
def test_a_format_that_is_not_supported_is_refused_with_a_way_out(tmp_path, name, content, advice):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CorpusError) as caught, open_input(path):
        pass
    assert str(caught.value).startswith(f"{path}: ")
    assert advice in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="no such file or folder"), open_input(tmp_path / "none.csv"):
        pass
