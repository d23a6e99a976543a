from hf_rumor.serve.words import LANGUAGES, WORDS


def test_every_language_has_words():
    assert set(LANGUAGES.values()) == WORDS.keys()
