import pytest

from hf_rumor.util.encodings import decode, encoding_of


TEXT = "听说明天全市停水一周，速转！\n"
CODECS = [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("gb18030", "gb18030"), ("gbk", "gb18030"), ("utf-16", "utf-16")]


@pytest.mark.parametrize(("codec", "encoding"), CODECS)
@pytest.mark.parametrize("text", [TEXT, TEXT * 100, "听说停水", "他说：“停水”……", "plain, with 听说停水 in it"])
def test_chinese_texts_of_any_length_are_detected(codec, encoding, text):
    assert decode(text.encode(codec)) == (text, encoding)


def test_nothing_and_ascii_are_utf_8():
    assert decode(b"") == ("", "utf-8")
    assert decode(b"plain") == ("plain", "utf-8")


@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
@pytest.mark.parametrize("position", [0, 7, 20])
def test_a_bad_byte_does_not_change_the_encoding(codec, position):
    content = bytearray((TEXT * 10).encode(codec))
    content[position] = 0xFF
    assert encoding_of(bytes(content)) == codec
    with pytest.raises(UnicodeDecodeError):
        decode(bytes(content))


@pytest.mark.parametrize(
    "content",
    ["café crème".encode("latin-1"), "слухи и факты".encode("koi8-r"), bytes(range(256)), b"\xff", b"\xff\xfe\0"],
)
def test_other_encodings_are_refused(content):
    with pytest.raises(UnicodeDecodeError):
        decode(content)


def test_a_cut_utf_8_text_is_not_taken_for_gb18030():
    content = "医生让我每天走一万步，我走了三天".encode()[:-2]
    assert content.decode("gb18030").startswith("鍖荤敓")
    assert encoding_of(content) == "utf-8"
