"""The API, without a network."""

import csv
import io
import json
import sqlite3

import pytest
from openpyxl import load_workbook

from hf_rumor.serve.words import WORDS


POST = "听说昨夜公园停水，速转！"
DAY = "编码,博文,转发数\n" + "".join(
    f"{number},{text},{number}\n"
    for number, text in enumerate(("昨夜公园停水", "河边下雪了", "菜场涨价，速转"), start=1)
)
CHOSEN = {"name": "day.csv", "text_column": "博文", "id_column": "编码"}


@pytest.fixture
def queue(client):
    """Return the queue of a day of three stories."""
    answer = client.post("/api/queue", params=CHOSEN, content=DAY.encode("gb18030"))
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_one_post_or_many_are_classified(client, judge):
    [expected] = judge.classifier.predict([POST])
    answer = client.post("/api/predict", json={"text": POST})
    assert answer.json() == {
        "rumor_probability": pytest.approx(expected.rumor_probability),
        "predicted": expected.predicted,
    }
    assert len(client.post("/api/predict", json={"texts": [POST, "下雪"]}).json()) == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[" * 19_000, 400),
        (b"\xff", 400),
        (b"[]", 400),
        (b'{"text": ""}', 400),
        (b'{"text": 3}', 400),
        (b'{"texts": []}', 400),
        (json.dumps({"text": "停" * 101}).encode(), 413),
        (json.dumps({"texts": ["停"] * 21}).encode(), 413),
        (json.dumps({"text": "停水" * 500_000}).encode(), 413),
    ],
    ids=range(10),
)
@pytest.mark.parametrize("path", ["/api/predict", "/api/explain"])
def test_invalid_requests_get_status_and_reason(client, path, body, status):
    if path == "/api/explain" and b"texts" in body:
        status = 400
    answer = client.post(path, content=body)
    assert (answer.status_code, "expected" in answer.json()["error"]) == (status, True)
    assert f"error_{answer.json()['code']}" in WORDS["en"]


@pytest.mark.parametrize("text", ["\ud800停水", "<script>alert(1)</script>", "\x00停水", "' OR 1=1 --", "{{ 7 * 7 }}"])
def test_strange_texts_are_answered(client, text):
    answer = client.post("/api/explain", content=json.dumps({"text": text}))
    assert answer.status_code in (200, 400)
    assert "error" in answer.json() or answer.json()["words"]


def test_strange_values_in_a_file_are_stored_and_answered(client):
    day = r'{"text": "昨夜停水", "\ud800": "\ud800", "likes": NaN}' + "\n" + r'{"text": "河边下雪", "likes": 1e400}'
    for output in ("csv", "xlsx", "jsonl"):
        answer = client.post("/api/files", params={"name": "a.jsonl", "output": output}, content=day)
        assert (answer.status_code, answer.headers["x-num-posts"]) == (200, "2")
    for story in client.post("/api/queue", params={"name": "a.jsonl"}, content=day).json()["stories"]:
        decision = rb'{"verdict": "rumor", "last": 0, "author": "\ud800"}'
        assert client.post(f"/api/queue/{story['number']}/verdict", content=decision).status_code == 200
    assert len(client.get("/api/queue/export").text.splitlines()) == 2


@pytest.mark.parametrize("number", [0, -1, 10**30])
def test_numbers_beyond_those_of_stories_are_refused(client, queue, number):
    assert client.post("/api/queue/undo", json={"story": number, "last": 0}).status_code == 404
    assert client.post(f"/api/queue/{number}/verdict", json={"verdict": "rumor", "last": 0}).status_code == 404
    assert client.get("/api/queue", params={"upload": number}).status_code == 400


@pytest.mark.parametrize("output", ["csv", "xlsx", "jsonl"])
def test_a_file_is_answered_with_a_table(client, output):
    answer = client.post("/api/files", params={**CHOSEN, "output": output}, content=DAY.encode("gb18030"))
    assert (answer.status_code, answer.headers["x-num-posts"], answer.headers["x-num-errors"]) == (200, "3", "0")
    if output == "csv":
        ids = [row["id"] for row in csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))]
    elif output == "jsonl":
        ids = [str(json.loads(line)["id"]) for line in answer.text.splitlines()]
    else:
        ids = [str(row[0]) for row in load_workbook(io.BytesIO(answer.content)).active.iter_rows(2, values_only=True)]
    assert ids == ["1", "2", "3"]


def test_unknown_columns_are_listed(client, store):
    for path in ("/api/files", "/api/queue"):
        answer = client.post(path, params={"name": "day.csv"}, content=DAY.encode("gb18030"))
        assert (answer.status_code, answer.json()["columns"]) == (422, ["编码", "博文", "转发数"])
    assert store.uploads() == []


@pytest.mark.parametrize(
    "parameters", [{}, {"name": ""}, {"name": "a.csv", "output": "exe"}, {"name": "a" * 2000}], ids=range(4)
)
def test_invalid_parameters_get_status_400(client, parameters):
    answer = client.post("/api/files", params=parameters, content=b"text\nx\n")
    assert (answer.status_code, answer.json()["code"]) == (400, "request")


def test_a_day_becomes_a_queue(client, queue):
    assert queue["is_temporary"] is True
    assert [story["own"]["rank"] for story in queue["stories"]] == [1, 2, 3]
    assert {story["text"] for story in queue["stories"]} == {"昨夜公园停水", "河边下雪了", "菜场涨价，速转"}
    assert client.get("/api/queue").json() == queue
    top = client.post("/api/queue", params={**CHOSEN, "top": 1}, content=DAY.encode()).json()
    assert (len(top["stories"]), len(top["uploads"])) == (1, 2)
    assert client.get("/api/queue", params={"upload": queue["upload"]}).json()["stories"] == queue["stories"]
    assert client.get("/api/queue", params={"upload": "x"}).status_code == 400


def test_checked_stories_come_last_on_the_next_day(client, queue):
    story = queue["stories"][0]
    client.post(f"/api/queue/{story['number']}/verdict", json={"verdict": "rumor", "last": 0})
    again = client.post("/api/queue", params=CHOSEN, content=DAY.encode()).json()["stories"]
    assert again[-1]["text"] == story["text"]
    assert (again[-1]["own"]["earlier_verdict"], again[-1]["own"]["earlier_posts"]) == ("rumor", 1)


def test_verdicts_are_recorded_undone_and_exported(client, queue):
    number = queue["stories"][0]["number"]
    decided = client.post(f"/api/queue/{number}/verdict", json={"verdict": "rumor", "last": 0, "author": "李"}).json()
    assert (decided["verdict"], decided["author"]) == ("rumor", "李")
    stale = client.post(f"/api/queue/{number}/verdict", json={"verdict": "non-rumor", "last": 0})
    assert (stale.status_code, stale.json()["story"]) == (409, decided)
    export = client.get("/api/queue/export")
    [row] = [json.loads(line) for line in export.text.splitlines()]
    assert (row["text"], row["label"], row["verdict_by"]) == (decided["text"], "rumor", "李")
    undone = client.post("/api/queue/undo", json={"story": number, "last": decided["last"]})
    assert (undone.status_code, undone.json()["verdict"]) == (200, "")
    assert client.get("/api/queue/export").text == ""


@pytest.mark.parametrize(
    "body",
    [[], {}, {"verdict": "rumor"}, {"verdict": "x", "last": 0}, {"verdict": "rumor", "last": True}, {"story": "1"}],
)
def test_invalid_verdicts_are_refused(client, queue, body):
    number = queue["stories"][0]["number"]
    for path in (f"/api/queue/{number}/verdict", "/api/queue/undo"):
        assert client.post(path, json=body).status_code == 400
    assert client.post("/api/queue/999/verdict", json={"verdict": "rumor", "last": 0}).status_code == 404
    assert client.post("/api/queue/x/verdict", json={"verdict": "rumor", "last": 0}).status_code == 400


def test_a_verdict_that_cannot_be_saved_is_an_error(client, queue, store, monkeypatch):
    def fail(*arguments):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(store, "decide", fail)
    answer = client.post("/api/queue/1/verdict", json={"verdict": "rumor", "last": 0})
    assert (answer.status_code, answer.json()["code"]) == (503, "database")


def test_too_many_requests_are_asked_to_retry(client):
    client.app.app.state.turns._num_waiting = 64
    answer = client.post("/api/predict", json={"text": POST})
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (503, "5", "busy")
