"""Detect whether Chinese text is encoded in UTF-8, UTF-16 or GB18030."""

import codecs
import re


CHINESE = re.compile("[\u2010-\u2026\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")  # with punctuation
MIN_SHARE = 0.9  # damaged text in the right encoding has more, intact text in another encoding far less
ASCII = bytes(range(0x80))


def encoding_of(sample: bytes) -> str:
    """Return `utf-16` (with a byte order mark), `gb18030` (includes GBK and GB2312), or else `utf-8`.

    A few damaged bytes do not change the result. Detectors such as charset-normalizer need samples longer than a post.
    """
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    num_bytes = len(sample.translate(None, ASCII))
    num_valid = len(sample.decode("utf-8", "ignore").encode().translate(None, ASCII))
    if num_valid >= MIN_SHARE * num_bytes:
        return "utf-8"
    text = sample.decode("gb18030", "replace")
    num_characters = sum(not character.isascii() for character in text)
    return "gb18030" if len(CHINESE.findall(text)) >= MIN_SHARE * num_characters else "utf-8"


def decode(content: bytes) -> tuple[str, str]:
    """Return a text and its encoding.

    Raises:
        UnicodeDecodeError: A byte is invalid in the detected encoding.
    """
    encoding = encoding_of(content)
    return content.decode("utf-8-sig" if encoding == "utf-8" else encoding), encoding
