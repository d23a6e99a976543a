"""Sentences in English, or in Chinese by a dictionary whose keys are the English sentences."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal


Language = Literal["en", "zh"]


@dataclass(frozen=True)
class Translator:
    """Returns sentences in one language: `tr("{share} of the posts", share="5%")`."""

    language: Language = "en"
    chinese: Mapping[str, str] = field(default_factory=dict)  # English sentence -> Chinese, with the same placeholders

    def __call__(self, english: str, /, **values: object) -> str:
        """Return a sentence with its values; a test checks that every sentence is in the dictionary."""
        text = self.chinese[english] if self.language == "zh" else english
        return text.format(**values) if values else text

    def word(self, text: str) -> str:
        """Return a word that comes from data, such as a year or `yes`; a word without a translation stays."""
        return self.chinese.get(text, text) if self.language == "zh" else text

    def join(self, sentences: Iterable[str]) -> str:
        """Return sentences as a paragraph; Chinese ones have no space between them."""
        return ("" if self.language == "zh" else " ").join(sentences)


ENGLISH = Translator()
