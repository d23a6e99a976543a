import pytest

from hf_rumor.watch.events import LATEST, PostEvent, RepostEvent, parse_events


NOW = 1372480900


def test_a_post_and_the_reposts_in_it():
    line = (
        '{"id": 1, "text": " 停水 ", "time": 1372480809, "reposts": [{"id": "7", "text": "假的", "time": 1372480810}]}'
    )
    assert parse_events(line, NOW) == [
        PostEvent("1", "停水", 1372480809),
        RepostEvent("1", "7", "假的", 1372480810),
    ]


def test_a_repost_names_its_post():
    line = '{"repost_of": "1", "id": "7", "text": "", "time": "2013-06-29 12:40:10"}'
    assert parse_events(line, NOW) == [RepostEvent("1", "7", "", 1372480810)]


def test_reposts_without_an_id_are_the_same_if_time_and_text_are():
    lines = [f'{{"repost_of": "1", "text": "{text}", "time": 1372480810}}' for text in ("a", "a", "b")]
    keys = [parse_events(line, NOW)[0].key for line in lines]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "Expecting"),
        ("[1]", "not a JSON object"),
        ('{"text": "a", "time": 1372480809}', "no id"),
        ('{"id": "1", "time": 1372480809}', "no text"),
        ('{"id": "1", "text": " ", "time": 1372480809}', "the text is empty"),
        ('{"id": "1", "text": "a"}', "no time"),
        ('{"id": "1", "text": "a", "time": "soon"}', "time 'soon' is not a time, or in the future"),
        (f'{{"id": "1", "text": "a", "time": {NOW + LATEST + 1}}}', "in the future"),
        ('{"repost_of": "", "text": "a", "time": 1372480809}', "repost_of is empty"),
        ('{"id": "1", "text": "a", "time": 1372480809, "reposts": [3]}', "not a list of objects"),
    ],
)
def test_what_is_no_event_says_why(line, problem):
    with pytest.raises(ValueError, match=problem):
        parse_events(line, NOW)
