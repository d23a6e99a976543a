"""The form of a text by which posts are compared: equal for two copies of a post."""

import unicodedata
from functools import cache

import opencc


class _Characters(dict[int, int | str | None]):
    """A table for `str.translate`, filled as characters occur: one character -> its folded form, None if invisible.

    Traditional characters become simplified (OpenCC) one by one, without its phrases, so that texts that differ in one
    character stay similar.
    """

    def __missing__(self, code: int) -> int | str | None:
        characters = unicodedata.normalize("NFKC", chr(code))
        folded = "".join(_simplified(one) for one in characters if not _is_invisible(one)).casefold()
        self[code] = ord(folded) if len(folded) == 1 else folded or None  # numbers are faster than strings
        return self[code]


_CHARACTERS = _Characters()


def normalise(text: str) -> str:
    """Return `text` in lower case, NFKC and simplified characters, without invisible characters.

    Invisible are whitespace and the format characters of Unicode (category Cf), as U+200B.
    """
    return unicodedata.normalize("NFC", text.translate(_CHARACTERS))  # NFC composes what NFKC of one character cannot


def _is_invisible(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) == "Cf"


def _simplified(character: str) -> str:
    return _converter().convert(character) if character.isalpha() and not character.isascii() else character


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")
