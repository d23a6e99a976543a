"""The server: its address, its end, its limits under load."""

import http.client
import json
import os
import signal
import socket
import sqlite3
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest

from hf_rumor.cli.main import main, make_parser
from hf_rumor.errors import ArgumentError
from hf_rumor.serve.server import TOKEN, listen
from hf_rumor.serve.upload import Limits


POST = "听说昨夜公园停水，速转！"


def ask(address, path, body, **headers):
    data = json.dumps(body).encode() if not isinstance(body, bytes | None) else body
    request = urllib.request.Request(f"{address}{path}", data, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=300) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_an_address_in_use_is_an_error():
    with listen("127.0.0.1", 0) as first, pytest.raises(ArgumentError, match="Choose another port"):
        listen("127.0.0.1", first.getsockname()[1])


@pytest.mark.parametrize("host", ["a" * 64, "中" * 64, "[::1]"])
def test_a_host_that_is_not_a_name_is_an_error(host):
    with pytest.raises(ArgumentError, match="Choose another"):
        listen(host, 0)


def test_the_server_listens_on_loopback_by_default():
    assert make_parser().parse_args(["serve", "out"]).host == "127.0.0.1"


def test_a_queue_that_cannot_be_opened_is_one_line(folder, tmp_path, capsys):
    assert main(["serve", str(folder), "--port", "0", "--queue", str(tmp_path / "no" / "desk.sqlite")]) == 2
    assert "Choose another file" in capsys.readouterr().err


@pytest.fixture(scope="module")
def server(start_server, folder):
    """Return the address of a server."""
    with start_server(folder, "--max_posts", "100") as (address, _):
        yield address


@pytest.mark.slow
def test_two_hundred_parallel_requests_get_clear_answers(server):
    def ask_one(number):
        return ask(server, "/api/predict", {"text": f"{POST}{number}"})

    with ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(ask_one, range(200)))
    assert {status for status, _ in answers} <= {200, 503}
    assert sum(status == 200 for status, _ in answers) >= Limits.max_waiting
    assert all("error" in answer for status, answer in answers if status == 503)
    assert ask(server, "/api/predict", {"text": POST})[0] == 200


@pytest.mark.slow
def test_stalled_requests_do_not_block_others(server):
    host, port = server.removeprefix("http://").split(":")
    head = f"POST /api/predict HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 20\r\n"
    with ExitStack() as stack:
        for _ in range(Limits.max_waiting):
            stalled = stack.enter_context(socket.create_connection((host, int(port))))
            stalled.sendall(f"{head}\r\n{{".encode())
        assert ask(server, "/api/predict", {"text": POST})[0] == 200
    assert ask(server, "/api/predict", {"text": POST})[0] == 200  # closed connections do not count


@pytest.mark.slow
def test_a_body_without_a_length_is_limited_too(server):
    with closing(http.client.HTTPConnection(server.removeprefix("http://"), timeout=300)) as connection:
        pieces = (b'{"text": "' + b"x" * 1_000_000 for _ in range(8))
        connection.request("POST", "/api/predict", pieces, {"Content-Type": "application/json"}, encode_chunked=True)
        with connection.getresponse() as answer:
            assert answer.status == 413


@pytest.mark.slow
def test_a_megabyte_of_text_gets_a_clear_answer(server):
    body = json.dumps({"text": "停水" * 170_000}, ensure_ascii=False).encode()
    status, answer = ask(server, "/api/explain", body)
    assert (status, answer["code"], answer["limit"]) == (413, "too_long", 2000)


@pytest.mark.slow
def test_foreign_host_names_are_refused(server):
    assert ask(server, "/api/model", None, Host="evil.example")[0] == 421


@pytest.mark.slow
def test_verdicts_survive_sigkill_and_the_token_stays_secret(start_server, folder, tmp_path, monkeypatch):
    monkeypatch.setenv(TOKEN, "s3cret-token")
    allowed, database = {"Authorization": "Bearer s3cret-token"}, tmp_path / "desk.sqlite"
    with start_server(folder, "--queue", str(database), "--host", "0.0.0.0") as (address, running):
        address = address.replace("0.0.0.0", "127.0.0.1")
        assert ask(address, "/api/queue", None)[0] == 401
        day = "".join(f"今天{word}了\n" for word in ("停水", "下雪", "涨价")).encode()
        _, queue = ask(address, "/api/queue?name=day.txt", day, **allowed)
        for story in queue["stories"]:
            path = f"/api/queue/{story['number']}/verdict"
            assert ask(address, path, {"verdict": "rumor", "last": 0}, **allowed)[0] == 200
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
        assert "s3cret" not in running.log.read_text("utf-8")
    with start_server(folder, "--queue", str(database)) as (address, _):
        _, queue = ask(address, "/api/queue", None, **allowed)
        assert [story["verdict"] for story in queue["stories"]] == ["rumor"] * 3
    with closing(sqlite3.connect(database)) as connection:
        assert "s3cret" not in "\n".join(connection.iterdump())


@pytest.mark.slow
def test_an_open_server_without_token_is_warned_about(start_server, folder):
    with start_server(folder, "--host", "0.0.0.0") as (_, running):
        assert f"Set {TOKEN}" in running.log.read_text("utf-8")
