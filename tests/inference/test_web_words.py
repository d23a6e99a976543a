from hf_rumor.inference.web_words import LANGUAGES, WORDS


def test_every_language_has_words():
    assert set(LANGUAGES.values()) == WORDS.keys()
