import json
from datetime import UTC, date, datetime
from itertools import product

import pytest

from hf_rumor.corpus.values import (
    LABEL_WORDS,
    SPLIT_WORDS,
    is_blank,
    label_word,
    map_label,
    parse_bool,
    parse_count,
    parse_label,
    parse_label_map,
    parse_split,
    parse_text,
    parse_time,
    parse_without_year,
)
from hf_rumor.errors import ArgumentError


NOON = 1372480809  # 2013-06-29 12:40:09 in China


@pytest.mark.parametrize("word", [*LABEL_WORDS, "non-rumor", "Non Rumour", "NON_RUMOR"])
@pytest.mark.parametrize("dress", [str, str.upper, str.title, lambda word: f" {word}\t"])
def test_label_words_have_one_meaning_in_every_column(word, dress):
    expected = LABEL_WORDS[word.lower().replace("-", "").replace(" ", "").replace("_", "")]
    assert {parse_label(dress(word), column) for column in ("label", "is_rumor", "is_true")} == {expected}


@pytest.mark.parametrize(
    ("columns", "rumors", "others"),
    [
        (("label", "标签", "ground_truth"), [1, 1.0, "1", True, "true", "假", b"1"], [0, 0.0, False, "FALSE", "真"]),
        (("is_rumor", "Rumor", "是否谣言", "is_fake"), [1, True, "yes", "是", "真"], [0, False, "no", "否", "假"]),
        (("is_true", "real", "是否属实", "non_rumor"), [0, False, "no", "否", "假"], [1, True, "yes", "是", "真"]),
    ],
)
def test_an_answer_means_what_its_column_asks(columns, rumors, others):
    for column in columns:
        assert all(parse_label(value, column) for value in rumors)
        assert not any(parse_label(value, column) for value in others)


@pytest.mark.parametrize(
    ("column", "value"),
    [*product(["label", "标签", "真假"], ["是", "否", "yes", "no"]), *product(["真假"], [0, 1, "true", "FALSE"])],
)
def test_an_answer_without_a_question_is_refused(value, column):
    with pytest.raises(ValueError, match="is ambiguous"):
        parse_label(value, column)


@pytest.mark.parametrize("value", [None, "", " ", float("nan")])
def test_a_missing_label_is_called_empty(value):
    with pytest.raises(ValueError, match="the label is empty"):
        parse_label(value)


@pytest.mark.parametrize("value", ["2", 2, -1, 0.5, "rumors", "nan", "10", []])
def test_another_label_is_refused_and_quoted(value):
    with pytest.raises(ValueError, match="is unknown") as caught:
        parse_label(value)
    assert repr(value) in str(caught.value) or f"a {type(value).__name__}" in str(caught.value)


@pytest.mark.parametrize("word", SPLIT_WORDS)
def test_words_for_parts_are_read(word):
    assert parse_split(f" {word.upper()}") == SPLIT_WORDS[word] in ("train", "validation", "test")


@pytest.mark.parametrize("value", [None, "", "holdout", 1])
def test_other_parts_are_none(value):
    assert parse_split(value) is None


@pytest.mark.parametrize(
    "value",
    [
        NOON,
        str(NOON),
        f" {NOON} ",
        float(NOON),
        NOON * 1000 + 999,
        str(NOON * 1000),
        float(NOON * 1000),
        "Sat Jun 29 12:40:09 +0800 2013",
        "2013-06-29 12:40:09",
        "2013/6/29 12:40:09",
        "2013年6月29日 12:40:09",
        "2013年06月29日12时40分09秒",
        "2013-06-29T12:40:09",
        "2013-06-29T04:40:09Z",
        "2013-06-29 06:40:09+02:00",
        str(NOON).encode(),
        datetime(2013, 6, 29, 12, 40, 9),
        datetime(2013, 6, 29, 4, 40, 9, tzinfo=UTC),
    ],
)
def test_every_way_to_write_a_moment_gives_the_same_seconds(value):
    assert parse_time(value) == NOON


DAYS = ["2013-06-29", "2013/6/29", "2013年6月29日", "2013.6.29", "20130629", 20130629, 20130629.0, date(2013, 6, 29)]


@pytest.mark.parametrize("value", [*DAYS, "2013-06-28 24:00", "2013/6/28 24:00:00"])
def test_a_day_begins_at_midnight_in_china(value):
    assert parse_time(value) == 1372435200


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "yesterday",
        "12",
        7,
        -5,
        "2013-13-45",
        "2013/13/45",
        "20131345",
        "6/29/2013",
        "2013-06-29 24:30",
        "0000-00-00 00:00:00",
        "1" * 20,
        True,
        "१" * 10,
        {},
    ],
)
def test_other_values_are_no_time(value):
    assert parse_time(value) is None


@pytest.mark.parametrize("value", [NOON + 0.25, f"{NOON}.25"])
def test_a_fraction_of_a_second_does_not_make_a_time_unreadable(value):
    assert parse_time(value) == NOON


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("  话 \n", "话"),
        ("\u3000全角\u3000", "全角"),
        (12, "12"),
        ("半\ud83d", "半?"),
        ("😀", "😀"),
        (float("nan"), ""),
        (3491607856621234.0, "3491607856621234"),
        (0.5, "0.5"),
        ("雪".encode(), "雪"),
        ("\u200b\ufeff \u2060", ""),
        ("\u200b雪", "\u200b雪"),
    ],
)
def test_text_is_stripped_and_can_be_stored(value, text):
    assert parse_text(value) == text
    assert parse_text(value).encode("utf-8").decode("utf-8") == text


@pytest.mark.parametrize("parse", [parse_label, parse_text])
def test_bytes_that_are_no_text_are_refused(parse):
    with pytest.raises(ValueError, match="utf-8"):
        parse(b"\xff")


@pytest.mark.parametrize("value", [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)])
def test_a_moment_that_is_in_no_year_of_china_is_none_however_it_is_written(value):
    assert parse_time(value) is parse_time(str(value)) is None


@pytest.mark.parametrize(
    ("value", "answer"),
    [(True, True), ("True", True), (1.0, True), ("no", False), (0, False), (None, None), ("", None), ("2", None)],
)
def test_yes_and_no_are_read(value, answer):
    assert parse_bool(value) is answer


@pytest.mark.parametrize(
    ("value", "count"), [(0, 0), ("12", 12), (12.0, 12), (None, None), ("many", None), (-1, None), (10**12, None)]
)
def test_a_count_is_read(value, count):
    assert parse_count(value) == count


@pytest.mark.parametrize(
    ("text", "expected"), [("", True), (" \u3000\n", True), ("\u200b\u200d\ufeff", True), ("。", False)]
)
def test_whitespace_and_format_characters_are_blank(text, expected):
    assert is_blank(text) is expected


JULY_1 = 1372608000  # 2013-07-01 00:00 in China


@pytest.mark.parametrize(
    ("value", "time"),
    [
        ("07月01日 00:02", JULY_1 + 2 * 60 + 59),
        ("7-1 00:02:05", JULY_1 + 2 * 60 + 5),
        ("07月01日 00:00", JULY_1 + 59),
        ("06月30日 23:59", JULY_1 + 364 * 86400 + 86399),
        ("02月29日 00:00", 1456675259),  # of 2016
        ("02月30日 00:00", None),
        ("yesterday", None),
        (5, None),
    ],
)
def test_a_date_without_a_year_is_the_first_one_after_the_post(value, time):
    assert parse_without_year(value, JULY_1) == time


def test_a_date_without_a_year_needs_the_time_of_the_post():
    assert parse_without_year("07月01日 00:02", None) is None


@pytest.mark.parametrize("word", [True, "1", 1.0, "No", "rumor", "存疑"])
def test_a_label_map_decides_about_every_label(word):
    for meaning, expected in (("rumor", True), ("non-rumor", False), (None, None)):
        others = {"a": "rumor", "b": "non-rumor"}
        labels = parse_label_map(json.dumps({label_word(word): meaning, **others}))
        assert map_label(word, labels) is expected


def test_a_word_with_one_meaning_need_not_be_in_the_map():
    labels = parse_label_map('{"a": "rumor", "b": "non-rumor", "fake": null}')
    assert [map_label(word, labels) for word in ("rumor", "非谣言", "fake")] == [True, False, None]


def test_no_label_map_is_none():
    assert parse_label_map(None) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fake", "not valid JSON"),
        ('["fake"]', "not a JSON object"),
        ('{"fake": ["rumor"]}', "not a JSON object of labels"),
        ('{"fake": "yes", "real": "non-rumor"}', "'fake' is 'yes'. Use rumor, non-rumor, or null"),
        ('{"fake": "rumor", "2": null}', "non-rumor and rumor are both needed"),
    ],
)
def test_a_wrong_label_map_is_refused(text, words):
    with pytest.raises(ArgumentError) as error:
        parse_label_map(text)
    assert words in str(error.value)


@pytest.mark.parametrize("word", ["U", "unverified", "uncertain", "存疑"])
def test_an_uncertain_label_needs_a_label_map(word):
    with pytest.raises(ValueError, match=r"neither rumor nor non-rumor\. Define each label with --label_map"):
        parse_label(word)
