"""The page, driven in a real browser against a real server on loopback."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from hf_rumor import RumorClassifier
from hf_rumor.cli import verbs
from hf_rumor.errors import ArgumentError
from hf_rumor.serve.app import Judge, Limits, _listen
from hf_rumor.serve.words import LANGUAGES, WORDS


POST = "听说昨夜公园停水，速转！"


@pytest.fixture(scope="module")
def server(folder, tmp_path_factory):
    """Return the address of a server in a process of its own."""
    log = tmp_path_factory.mktemp("server") / "log"
    command = [sys.executable, "-m", "hf_rumor", "serve", str(folder), "--port", "0", "--max_posts", "100"]
    with log.open("w") as told, subprocess.Popen(command, stdout=told, stderr=told) as running:
        while "API:" not in log.read_text("utf-8"):
            assert running.poll() is None, log.read_text("utf-8")
            time.sleep(0.05)
        yield re.search(r"page: (\S+)", log.read_text("utf-8"))[1]
        running.send_signal(signal.SIGINT)
        assert running.wait(300) in (0, 130)


@pytest.fixture
def page(browser, server):
    """Return the open page; whatever it asked for, all of it came from the server."""
    found = browser.new_page(viewport={"width": 390, "height": 900})
    found.set_default_timeout(300_000)
    asked, told = [], []
    found.on("request", lambda request: asked.append(request.url))
    found.on("console", lambda message: told.append(message) if message.type == "error" else None)
    found.goto(server)
    found.locator("#text textarea").wait_for()
    yield found
    assert [url for url in asked if not url.startswith((server, "data:", "blob:"))] == []
    # Gradio forgets how far an upload is that begins late: no harm.
    assert [message.text for message in told if "/upload_progress" not in message.location["url"]] == []
    found.close()


def ask(address, body, headers=None):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}/api/predict", data, headers or {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=300) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def judge_on(page, text):
    page.locator("#text textarea").fill(text)
    page.locator("#ask").click()


def upload(page, path):
    page.locator("#file input[type=file]").set_input_files(path)
    page.locator("#file").get_by_label(path.name).wait_for()  # its name is there on the way too


@pytest.mark.slow
def test_a_post_is_judged_on_the_page_with_the_probability_of_the_classifier(page, folder):
    judge_on(page, POST)
    told = page.locator("#probability").text_content()
    [expected] = RumorClassifier.from_pretrained(folder).predict([POST])
    assert float(told) == pytest.approx(expected.rumor_probability, abs=1e-4)
    assert page.locator("[data-predicted]").get_attribute("data-predicted") == expected.predicted
    assert "停水" in page.locator("#verdict").text_content()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.slow
def test_the_page_changes_its_language(page):
    assert page.locator("#ask").text_content().strip() == "判断"
    page.get_by_text("English").click()
    page.get_by_role("button", name="Judge", exact=True).wait_for()
    page.locator("#limits").get_by_text("The model reads wording, not the world").wait_for()
    judge_on(page, "")
    page.get_by_text("Type a text first.").wait_for()


@pytest.mark.slow
def test_a_file_is_uploaded_and_its_result_downloaded(page, folder, texts, tmp_path):
    posts = tmp_path / "posts.csv"
    posts.write_text("id,text\n" + "".join(f"p{n},{text}\n" for n, text in enumerate(texts[:20])) + "bad\n", "utf-8")
    upload(page, posts)
    page.locator("#ask_file").click()
    page.get_by_text("已判断 21 行，其中 1 行无法读取").wait_for()
    with page.expect_download() as download:
        page.locator("#result a").first.click()
    rows = [json.loads(line) for line in Path(download.value.path()).read_text("utf-8").splitlines()]
    expected = RumorClassifier.from_pretrained(folder).predict(texts[:20])
    assert [row["id"] for row in rows] == [*(f"p{n}" for n in range(20)), "bad"]
    assert [row["rumor_probability"] for row in rows[:20]] == pytest.approx(
        [of.rumor_probability for of in expected], abs=1e-5
    )


@pytest.mark.slow
def test_two_who_upload_the_same_file_both_get_a_result(page, browser, server, tmp_path):
    posts = tmp_path / "posts.txt"
    posts.write_text("停水\n", encoding="utf-8")
    upload(page, posts)
    with closing(browser.new_page()) as other:
        other.set_default_timeout(300_000)
        other.goto(server)
        upload(other, posts)
        judge_on(other, POST)
        other.locator("#probability").wait_for()
        for of in (page, other):
            of.locator("#ask_file").click()
            of.locator("#result a").first.wait_for()
            assert "已判断 1 行" in of.locator("#told").text_content()


@pytest.mark.slow
def test_what_is_too_long_or_markup_gets_a_clear_answer(page):
    judge_on(page, "停水" * 500_000)
    page.get_by_text("文字太长：最多 2,000 个字符，现有 1,000,000 个。").wait_for()
    judge_on(page, "<script>document.title = 'taken'</script>停水")
    page.locator("#probability").wait_for()
    assert page.title() != "taken"
    assert "<script>" in page.locator("#verdict").text_content()


@pytest.mark.slow
def test_a_wrong_file_gets_a_clear_answer(page, tmp_path):
    wrong = tmp_path / "picture.txt"
    wrong.write_bytes(b"\x89PNG\0\0\0")
    upload(page, wrong)
    page.locator("#ask_file").click()
    page.get_by_text("无法读取这个文件").wait_for()
    assert page.get_by_role("alert").text_content().endswith("found no text")
    assert page.locator("#result a").count() == 0


@pytest.mark.slow
def test_the_api_answers_a_post_and_many(server, folder, texts):
    status, answer = ask(server, {"text": POST})
    [expected] = RumorClassifier.from_pretrained(folder).predict([POST])
    assert (status, answer["predicted"]) == (200, expected.predicted)
    assert answer["rumor_probability"] == pytest.approx(expected.rumor_probability, abs=1e-5)
    status, answer = ask(server, {"texts": texts[:30]})
    assert (status, len(answer)) == (200, 30)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[" * 100_000, 400),
        ({}, 400),
        ({"text": ""}, 400),
        ({"text": 3}, 400),
        ({"texts": []}, 400),
        ([], 400),
        ({"text": "停" * 2001}, 413),
        ({"texts": ["停"] * 101}, 413),
        ({"text": "停水" * 1_000_000}, 413),
    ],
    ids=range(10),
)
def test_the_api_says_what_it_expects(server, body, status):
    found, answer = ask(server, body)
    assert (found, "expected" in answer["error"]) == (status, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/gradio_api/file=https://example.com/", None, 404),
        ("/gradio_api/deep_link?session_hash=s", None, 404),
        ("/?deep_link=x", None, 404),
        ("/gradio_api/proxy=https://example.com/", None, 404),
        ("/gradio_api/file=/etc/passwd", None, 403),
        ("/gradio_api/queue/join", {"fn_index": 1, "session_hash": "s", "data": [{"path": "/etc/passwd"}]}, 400),
        (
            "/gradio_api/queue/join",
            {"fn_index": 1, "session_hash": "s", "data": [{"path": "https://example.com"}]},
            400,
        ),
        ("/gradio_api/run/predict", {"data": []}, 404),
    ],
)
@pytest.mark.slow
def test_nothing_but_the_page_is_answered(server, path, body, status):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{server}{path}", data, {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=300)
    with caught.value as answer:
        assert answer.code == status


@pytest.mark.slow
def test_a_body_without_a_length_is_cut_off_too(server):
    host = server.removeprefix("http://")
    with closing(http.client.HTTPConnection(host, timeout=300)) as connection:
        pieces = (b'{"text": "' + b"x" * 1_000_000 for _ in range(8))
        connection.request("POST", "/api/predict", pieces, {"Content-Type": "application/json"}, encode_chunked=True)
        with connection.getresponse() as answer:
            assert answer.status == 413


@pytest.mark.slow
def test_fifty_requests_at_once_are_answered_and_the_server_lives_on(server):
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda number: ask(server, {"text": f"{POST}{number}"}), range(50)))
    assert {status for status, _ in answers} == {200}
    assert ask(server, {"text": POST})[0] == 200


@pytest.mark.slow
def test_requests_that_never_arrive_keep_nobody_waiting(server):
    host, port = server.removeprefix("http://").rstrip("/").split(":")
    head = f"POST /api/predict HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 20\r\n"
    with ExitStack() as stack:
        for _ in range(Limits().max_waiting):
            stalled = stack.enter_context(socket.create_connection((host, int(port))))
            stalled.sendall(f"{head}\r\n{{".encode())
        assert ask(server, {"text": POST})[0] == 200
    assert ask(server, {"text": POST})[0] == 200  # and those who have gone leave nothing behind


STALLED = """
import asyncio, shutil, sys
from hf_rumor.serve import app as web

async def stall():
    await asyncio.Event().wait()

async def send(message):
    print(message.get("status", ""), message.get("body", b"").decode())

web.BODY_SECONDS = 0.05
judge = web.Judge(sys.argv[1], web.Limits())
head = {"type": "http", "method": "POST", "path": "/api/predict", "headers": [(b"content-length", b"20")]}
app = web.make_app(judge, "out")
asyncio.run(app({**head, "query_string": b"", "http_version": "1.1", "scheme": "http"}, stall, send))
shutil.rmtree(judge.folder)
"""


@pytest.mark.slow
def test_a_request_that_stalls_is_given_up(folder):
    command = [sys.executable, "-c", STALLED, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.stdout.split("\n")[0].strip() == "408", done.stderr
    assert "expected the whole request within 0.05 seconds" in done.stdout


@pytest.mark.slow
def test_pages_carry_a_policy_that_lets_nothing_in_from_elsewhere(server):
    with urllib.request.urlopen(server, timeout=300) as answer:
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        body = answer.read().decode()
    assert re.findall(r"""(?:src|href)=["']?(https?:)?//(?!127)""", body) == []


@pytest.fixture(scope="module")
def judge(folder):
    judge = Judge(str(folder), Limits(max_characters=20, max_posts=3, max_bytes=1000))
    yield judge
    shutil.rmtree(judge.folder)


def test_one_model_predicts_and_explains(judge):
    assert judge.explainer.model is judge.classifier.model


@pytest.mark.parametrize("language", LANGUAGES.values())
def test_files_are_judged_within_their_limits_and_not_kept(judge, tmp_path, language):
    path = judge.folder / "posts.txt"
    path.write_text(f"停水\n{'停' * 21}\n", encoding="utf-8")
    told, name = judge.answer_file(str(path), language)
    assert WORDS[language]["done"].format(2, 1) in told
    rows = [json.loads(line) for line in Path(name).read_text("utf-8").splitlines()]
    assert rows[1]["error"] == "the text has 21 characters, at most 20 are allowed."
    assert not path.exists()
    path.write_text("停水\n", encoding="utf-8")
    judge.expect_file(str(path))
    judge.expect_file(str(path))  # by another: equal files lie in one place
    for left in (1, 0):
        told, _ = judge.answer_file(str(path), language)
        assert (WORDS[language]["done"].format(1, 0) in told, path.exists()) == (True, left > 0)
    path.write_text("停水\n" * 4, encoding="utf-8")
    told, result = judge.answer_file(str(path), language)
    assert (result, "more than 3 posts" in told) == (None, True)
    assert not path.exists()
    judge.expect_file(str(path))  # removed by Gradio before it was judged
    judge.answer_file(None, language)
    assert not judge._uploads
    outside = tmp_path / "posts.txt"
    outside.write_text("停水\n", encoding="utf-8")
    for given in (None, str(path), str(outside), "/etc/hostname"):
        assert judge.answer_file(given, language) == (judge._problem(WORDS[language]["no_file"]), None)
    assert outside.exists()
    os.utime(name, (0, 0))
    judge.answer_file(None, language)
    assert not Path(name).exists()


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_a_table_as_spreadsheets_save_it_is_judged(judge, encoding):
    path = judge.folder / "posts.csv"
    path.write_bytes("正文\n昨夜停水\n".encode(encoding))
    told, name = judge.answer_file(str(path), "zh")
    assert WORDS["zh"]["done"].format(1, 0) in told
    path.write_text("正文\n昨夜停水\n", encoding="utf-8")
    assert Path(name).read_text("utf-8") == Path(judge.answer_file(str(path), "zh")[1]).read_text("utf-8")


def test_a_table_in_no_encoding_gets_an_answer_that_can_be_sent(judge):
    path = judge.folder / "posts.csv"
    path.write_bytes(b"\xff\xff\xff\n1,2\n")
    told, result = judge.answer_file(str(path), "zh")
    assert (result, "UTF-8" in told) == (None, True)
    told.encode("utf-8")


def test_both_languages_say_the_same_things():
    one, other = WORDS.values()
    assert one.keys() == other.keys()
    for key in one:
        assert re.findall(r"\{.*?\}", one[key]) == re.findall(r"\{.*?\}", other[key])


def test_an_address_that_is_taken_is_a_mistake():
    with _listen("127.0.0.1", 0) as first, pytest.raises(ArgumentError, match="expected a free address"):
        _listen("127.0.0.1", first.getsockname()[1])


def test_a_server_listens_on_loopback_unless_told_otherwise():
    assert verbs.make_parser().parse_args(["serve", "out"]).host == "127.0.0.1"
