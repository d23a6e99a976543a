import pytest

from hf_rumor.util import encodings
from hf_rumor.util.encodings import decode, encoding_of_file, open_as_utf8


TEXT = "听说明天全市停水一周，速转！\n"


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("utf-8", "utf-8-sig"),
        ("utf-8-sig", "utf-8-sig"),
        ("gb18030", "gb18030"),
        ("gbk", "gb18030"),
        ("gb2312", "gb18030"),
        ("utf-16", "utf-16"),
    ],
)
@pytest.mark.parametrize("page", [3, 7, 1 << 20])
def test_a_chinese_text_is_recognised_wherever_pages_end(tmp_path, monkeypatch, written, found, page):
    monkeypatch.setattr(encodings, "PAGE", page)
    path = tmp_path / "posts"
    path.write_bytes((TEXT * 5).encode(written))
    assert encoding_of_file(path) == found
    assert decode((TEXT * 5).encode(written)) == (TEXT * 5, found)


@pytest.mark.parametrize("written", ["utf-8", "gb18030", "utf-16"])
def test_whatever_it_was_written_in_a_file_is_opened_as_utf_8(tmp_path, monkeypatch, written):
    monkeypatch.setattr(encodings, "PAGE", 7)
    path = tmp_path / "posts"
    path.write_bytes((TEXT * 5).encode(written))
    with open_as_utf8(path) as file:
        assert file.read() == (TEXT * 5).encode()


def test_a_file_in_no_encoding_is_opened_as_it_stands(tmp_path):
    (tmp_path / "posts").write_bytes(b"\xff")
    with open_as_utf8(tmp_path / "posts") as file:
        assert file.read() == b"\xff"


def test_nothing_and_ascii_are_utf_8(tmp_path):
    assert decode(b"")[1] == decode(b"plain")[1] == "utf-8-sig"


@pytest.mark.parametrize(
    "content",
    ["café crème".encode("latin-1"), "слухи и факты".encode("koi8-r"), bytes(range(256)), b"\xff", b"\xff\xfe\0"],
)
def test_what_is_neither_is_refused(content):
    with pytest.raises(UnicodeDecodeError):
        decode(content)


def test_a_damaged_text_in_utf_8_is_not_taken_for_another_encoding():
    content = "医生让我每天走一万步，我走了三天".encode()[:-2]
    assert content.decode("gb18030").startswith("鍖荤敓")
    with pytest.raises(UnicodeDecodeError):
        decode(content)
