import pytest

from hf_rumor.util.translation import ENGLISH, Translator


CHINESE = Translator("zh", {"{count} posts": "{count} 条微博", "yes": "是"})


def test_a_sentence_is_filled_in_either_language():
    assert ENGLISH("{count} posts", count=7) == "7 posts"
    assert CHINESE("{count} posts", count=7) == "7 条微博"
    assert ENGLISH('{"class_weights": "balanced"}') == '{"class_weights": "balanced"}'  # without values, braces stay


def test_a_sentence_without_a_translation_is_an_error_and_a_word_from_data_stays():
    with pytest.raises(KeyError):
        CHINESE("a typing eror")
    assert (CHINESE.word("yes"), CHINESE.word("2013"), ENGLISH.word("yes")) == ("是", "2013", "yes")


def test_chinese_sentences_are_joined_without_a_space():
    assert (CHINESE.join(["一。", "二。"]), ENGLISH.join(["One.", "Two."])) == ("一。二。", "One. Two.")
