"""What a corpus format reads (`Input`) and what it yields (`Row`)."""

import codecs
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from hf_rumor.corpus.findings import Findings
from hf_rumor.errors import CorpusError
from hf_rumor.util.encodings import encoding_of


HEAD_BYTES = 4096
BUFFER_BYTES = 1 << 16
MAX_LINE_BYTES = 16 << 20  # a post with a thousand reposts has less than one MiB
MAX_SHARE_OF_NUL = 0.01  # of the first bytes: with more, the file is not text
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Row:
    """One post as it is in the file.

    Attributes:
        number: Number of the post from 1: of the line, of the row below a header, or of the record. It is the id of a
            post without one.
        where: Position for messages, such as "line 3"; the first line of a record.
        values: Column -> value; empty for a blank line, which is not a post.
        error: What is wrong and what to do, if the row cannot be parsed; `values` may then be incomplete.
    """

    number: int
    where: str
    values: dict[str, Any]
    error: str | None = None


@dataclass(frozen=True)
class Line:
    """One line of text without its line end; `text` is empty if there is an `error`."""

    number: int  # from 1
    text: str
    error: str | None = None


@dataclass
class Input:
    """A corpus file, folder or stream, open for reading.

    Attributes:
        name: For messages.
        format: A key of `FORMATS`.
        path: Of the file or folder; None for a stream.
        file: The open file or stream; None for a folder.
        is_labeled: Whether each post needs a label (training).
        findings: Counts of oddities; a format may add to them.
        is_numbered: Whether a table has no header, so that its columns are numbered from 1.
    """

    name: str
    format: str
    path: Path | None
    file: io.BufferedReader | None
    is_labeled: bool = True
    findings: Findings = field(default_factory=Findings)
    is_numbered: bool = False
    wrapper: io.TextIOWrapper | None = field(default=None, repr=False)

    def part(self, name: str, content: bytes) -> "Input":
        """Return a file of this folder or zip as an input of its own, with the same findings."""
        raw: Any = io.BytesIO(content)
        file = io.BufferedReader(raw)
        return replace(self, name=f"{self.name}: {name}", path=None, file=file, wrapper=None)

    def need_path(self) -> Path:
        """Return the path, for formats that cannot be read from a stream.

        Raises:
            CorpusError: The input is a stream.
        """
        if self.path is None or not (self.path.is_file() or self.path.is_dir()):
            raise CorpusError(f"{self.name}: a stream cannot be read as {self.format}. Give a file.")
        return self.path

    def num_bytes(self) -> int | None:
        """Return the size of the file; None for a folder or a stream."""
        return self.path.stat().st_size if self.path is not None and self.path.is_file() else None

    def position(self) -> int:
        """Return how many bytes of the file have been read."""
        return self.file.tell() if self.file else 0

    def lines(self) -> Iterator[Line]:
        """Yield the lines of a text file in UTF-8, UTF-16 or GB18030; a bad byte affects its own line only.

        The encoding is detected at the first line that is not ASCII.

        Raises:
            CorpusError: The file is not text.
        """
        assert self.file is not None
        head = self.file.peek(HEAD_BYTES)
        readline, encoding = self._readline(head)
        for number in count(1):
            raw = readline(MAX_LINE_BYTES + 1)
            if not raw:
                return
            if len(raw) > MAX_LINE_BYTES and not raw.endswith(b"\n"):
                while raw and not raw.endswith(b"\n"):
                    raw = readline(MAX_LINE_BYTES + 1)
                yield Line(number, "", f"the line is longer than {MAX_LINE_BYTES:,} bytes. Shorten or split it.")
                continue
            if number == 1 and raw.startswith(codecs.BOM_UTF8):
                raw, encoding = raw.removeprefix(codecs.BOM_UTF8), "utf-8"
            if not encoding and not raw.isascii():
                encoding = encoding_of(raw + (head if self.wrapper else self.file.peek(BUFFER_BYTES)))
                self.findings["files_in_gb18030"] += encoding == "gb18030"
            yield _decode(number, raw, encoding or "ascii")

    def _readline(self, head: bytes) -> tuple[Callable[[int], bytes], str]:
        r"""Return a function like `readline`, and the encoding of its lines, empty if not yet known.

        Lines end with `\n`, or with `\r` in a file without `\n`, as written by old spreadsheets on Macs.
        """
        assert self.file is not None
        is_utf16 = head.startswith(UTF16_MARKS)
        if not is_utf16 and (b"\0" in head.partition(b"\n")[0] or head.count(0) > MAX_SHARE_OF_NUL * len(head)):
            raise CorpusError(f"{self.name}: not a text file (NUL byte at {head.index(0)}). Save it as UTF-8.")
        if not is_utf16 and (b"\n" in head or b"\r" not in head):
            return self.file.readline, ""
        # Latin-1 keeps every byte. The wrapper would close the file when it is garbage-collected, hence the reference.
        text = self.wrapper = io.TextIOWrapper(self.file, "utf-16" if is_utf16 else "latin-1", "replace")
        if is_utf16:  # a surrogate is invalid in UTF-8, so damage becomes an error of its line
            return (
                lambda size: text.readline(size).replace("\ufffd", "\udcff").encode("utf-8", "surrogatepass"),
                "utf-8",
            )
        return lambda size: text.readline(size).encode("latin-1"), ""


def _decode(number: int, raw: bytes, encoding: str) -> Line:
    try:
        text = raw.decode(encoding).rstrip("\r\n")
    except UnicodeDecodeError as error:
        what = f"not valid {encoding.upper()} (byte 0x{raw[error.start]:02x} at position {error.start})"
        return Line(number, "", f"{what}. Repair the line, or convert the file to UTF-8.")
    if "\0" in text:
        return Line(number, "", "the line contains a NUL byte. Repair the line.")
    return Line(number, text)
