"""Normalize texts, so that copies of a post become equal."""

import unicodedata
from functools import cached_property

import opencc

from hf_rumor.corpus.values import is_blank


class _Characters(dict[int, int | str | None]):
    """A table for `str.translate`, filled on demand: character -> its normalized form, None if invisible.

    OpenCC converts traditional characters one by one, without its phrases, so that texts that differ in one character
    stay similar.
    """

    @cached_property
    def converter(self) -> opencc.OpenCC:
        """OpenCC from traditional to simplified Chinese, loaded on demand."""
        return opencc.OpenCC("t2s")

    def __missing__(self, code: int) -> int | str | None:
        simplified = [
            self.converter.convert(character) if character.isalpha() and not character.isascii() else character
            for character in unicodedata.normalize("NFKC", chr(code))
            if not is_blank(character)
        ]
        folded = "".join(simplified).casefold()
        self[code] = ord(folded) if len(folded) == 1 else folded or None  # numbers are faster than strings
        return self[code]


_CHARACTERS = _Characters()


def normalize(text: str) -> str:
    """Return `text` in lower case, NFKC and simplified characters, without whitespace and format characters."""
    return unicodedata.normalize("NFC", text.translate(_CHARACTERS))  # composes marks that follow their character
