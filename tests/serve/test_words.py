import re

from hf_rumor.serve.words import LANGUAGES, WORDS


def test_every_language_has_words():
    assert set(LANGUAGES.values()) == WORDS.keys()


def test_both_languages_have_the_same_texts_and_placeholders():
    one, other = WORDS.values()
    assert one.keys() == other.keys()
    for key in one:
        assert re.findall(r"\{.*?\}", one[key]) == re.findall(r"\{.*?\}", other[key])
