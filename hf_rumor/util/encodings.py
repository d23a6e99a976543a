"""Detect whether Chinese text is encoded in UTF-8, UTF-16 or GB18030."""

import codecs


CHINESE = (
    (0x2010, 0x2026),
    (0x3000, 0x303F),
    (0x4E00, 0x9FFF),
    (0xFF00, 0xFFEF),
)  # with punctuation
MIN_SHARE = 0.9  # damaged text in the right encoding has more, intact text in another encoding far less
ASCII = bytes(range(0x80))


def encoding_of(sample: bytes) -> str:
    """Return `utf-16` (marked as such), `gb18030` (GBK and GB2312 are part of it), or else `utf-8`.

    A few damaged bytes do not change the answer. Detectors such as charset-normalizer need samples longer than a post.
    """
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if _share_of_utf8(sample) >= MIN_SHARE:
        return "utf-8"
    other = [ord(character) for character in sample.decode("gb18030", "replace") if not character.isascii()]
    num_chinese = sum(any(low <= code <= high for low, high in CHINESE) for code in other)
    return "gb18030" if num_chinese >= MIN_SHARE * len(other) else "utf-8"


def decode(content: bytes) -> tuple[str, str]:
    """Return a text and its encoding.

    Raises:
        UnicodeDecodeError: A byte is invalid in this encoding.
    """
    encoding = encoding_of(content)
    return content.decode("utf-8-sig" if encoding == "utf-8" else encoding), encoding


def _share_of_utf8(sample: bytes) -> float:
    """Return the share of the bytes outside ASCII that belong to a character in UTF-8."""
    num_bytes = len(sample.translate(None, ASCII))
    num_decoded = len(sample.decode("utf-8", "ignore").encode().translate(None, ASCII))
    return num_decoded / num_bytes if num_bytes else 1.0
