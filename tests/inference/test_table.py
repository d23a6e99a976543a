import json

from hf_rumor.corpus.post import Post
from hf_rumor.corpus.rows import Item
from hf_rumor.inference.table import to_table


ITEMS = [
    Item(7, Post(text="停水"), values={"id": 7, "正文": "停水", "predicted": "old"}),
    Item(8, None, "the text is empty.", {"id": 8, "正文": ""}),
    Item(9, Post(text="下雨"), values={"id": 9, "正文": "下雨"}),
]
LINES = [
    json.dumps({"id": 7, "rumor_probability": 0.2, "predicted": "non-rumor"}),
    json.dumps({"id": 8, "error": "the text is empty."}),
    json.dumps({"id": 9, "rumor_probability": 0.9, "predicted": "rumor"}),
]


def test_the_columns_of_the_input_stand_behind_the_prediction():
    columns, rows = to_table(LINES, ITEMS)
    assert columns == ["id", "rumor_probability", "predicted", "error", "正文", "predicted_input"]
    assert rows == [
        [7, 0.2, "non-rumor", None, "停水", "old"],
        [8, None, None, "the text is empty.", "", None],
        [9, 0.9, "rumor", None, "下雨", None],
    ]


def test_the_most_probable_rumors_come_first_if_sorted():
    assert [row[0] for row in to_table(LINES, ITEMS, sort=True)[1]] == [9, 7, 8]
    assert [row[0] for row in to_table(LINES, ITEMS, sort=True, top=1)[1]] == [9]
