"""Which encoding a text is written in: UTF-8, or what Chinese programs wrote before it."""

import codecs
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path


PAGE = 1 << 20  # bytes read at a time
CHINESE = ((0x3000, 0x303F), (0x4E00, 0x9FFF), (0xFF00, 0xFFEF))  # punctuation, characters, full-width forms
SHARE_OF_CHINESE = 0.9  # of what is not ASCII; texts in other encodings that happen to decode have far less
SHARE_OF_UTF8 = 0.9  # of the bytes that are not ASCII; a damaged UTF-8 text has more, one in GB18030 far less
ASCII = bytes(range(0x80))


def encoding_of_file(path: Path) -> str:
    """Return `utf-8-sig`, `utf-16` (where its mark says so) or `gb18030` (which GBK and GB2312 are part of).

    Raises:
        UnicodeDecodeError: It is none of these; the error is that of UTF-8.
    """
    return _encoding_of(lambda: _pages(path))


def decode(content: bytes) -> tuple[str, str]:
    """Return a text and its encoding; see `encoding_of_file`."""
    encoding = _encoding_of(lambda: [content])
    return content.decode(encoding), encoding


def open_as_utf8(path: Path) -> io.BufferedReader:
    """Open a file; one in GB18030 or UTF-16 is written anew in UTF-8, piece by piece, into a file without a name.

    What is in none of these, and what is no plain file, is opened as it stands.
    """
    try:
        encoding = encoding_of_file(path) if path.is_file() else "utf-8-sig"
    except UnicodeDecodeError:
        encoding = "utf-8-sig"
    if encoding == "utf-8-sig":
        return path.open("rb")
    anew = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    with path.open(encoding=encoding, newline="") as text:
        while page := text.read(PAGE):
            anew.write(page.encode())
    anew.seek(0)
    return anew  # type: ignore[return-value]


def _pages(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while page := file.read(PAGE):
            yield page


def _encoding_of(pages: Callable[[], Iterable[bytes]]) -> str:
    first = next(iter(pages()), b"")
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        _check(pages(), "utf-16")
        return "utf-16"
    try:
        _check(pages(), "utf-8")
    except UnicodeDecodeError as error:
        try:
            num_other, num_chinese = _check(pages(), "gb18030")
        except UnicodeDecodeError:
            raise error from None
        if num_chinese < SHARE_OF_CHINESE * num_other or _share_of_utf8(pages()) > SHARE_OF_UTF8:
            raise
        return "gb18030"
    return "utf-8-sig"


def _check(pages: Iterable[bytes], encoding: str) -> tuple[int, int]:
    """Decode everything; return how many characters are not ASCII, and how many of them are Chinese.

    Raises:
        UnicodeDecodeError: It is not in this encoding.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    num_other = num_chinese = 0
    for page in _ended(pages):
        text = decoder.decode(page or b"", final=page is None)
        if encoding == "gb18030":
            other = [ord(character) for character in text if not character.isascii()]
            num_other += len(other)
            num_chinese += sum(any(low <= code <= high for low, high in CHINESE) for code in other)
    return num_other, num_chinese


def _share_of_utf8(pages: Iterable[bytes]) -> float:
    """Return the share of the bytes that are not ASCII which are part of a character in UTF-8."""
    num_bytes = num_decoded = 0
    for page in pages:
        num_bytes += len(page.translate(None, ASCII))
        num_decoded += len(page.decode("utf-8", "ignore").encode().translate(None, ASCII))
    return num_decoded / max(1, num_bytes)


def _ended(pages: Iterable[bytes]) -> Iterator[bytes | None]:
    yield from pages
    yield None
