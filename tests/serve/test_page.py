"""The page, driven in a real browser against a real server on loopback."""

import http.client
import json
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
from types import SimpleNamespace

import pytest
from hf_rumor.serve.page import _listen, _title

from hf_rumor import RumorClassifier
from hf_rumor.cli.main import make_parser
from hf_rumor.corpus.post import Post, Repost
from hf_rumor.errors import ArgumentError
from hf_rumor.reposts.model import save_reposts
from hf_rumor.serve.judge import Limits
from hf_rumor.serve.words import WORDS


POST = "听说昨夜公园停水，速转！"
NOON = 1372478400  # 2013-06-29 12:00 in China
ZH, EN = WORDS["zh"], WORDS["en"]


@pytest.fixture(scope="module")
def reading_folder(folder, reading_classifier, tmp_path_factory):
    """Return a folder with the small model and a model of reposts."""
    copy = shutil.copytree(folder, tmp_path_factory.mktemp("reading") / "model")
    save_reposts(reading_classifier.reposts, copy)
    return copy


@pytest.fixture(scope="module")
def server(reading_folder, tmp_path_factory):
    """Return the address of a server in a process of its own."""
    log = tmp_path_factory.mktemp("server") / "log"
    command = [sys.executable, "-m", "hf_rumor", "serve", str(reading_folder), "--port", "0", "--max_posts", "100"]
    with log.open("w") as file, subprocess.Popen(command, stdout=file, stderr=file) as running:
        while "API:" not in log.read_text("utf-8"):
            assert running.poll() is None, log.read_text("utf-8")
            time.sleep(0.05)
        yield re.search(r"page: (\S+)", log.read_text("utf-8"))[1]
        running.send_signal(signal.SIGINT)
        assert running.wait(300) in (0, 130)


@pytest.fixture
def page(browser, server):
    """Return the open page; check that it requested nothing from other hosts."""
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.set_default_timeout(300_000)
    urls, errors = [], []
    page.on("request", lambda request: urls.append(request.url))
    page.on("console", lambda message: errors.append(message) if message.type == "error" else None)
    page.goto(server)
    page.locator("#text textarea").wait_for()
    yield page
    assert [url for url in urls if not url.startswith((server, "data:", "blob:"))] == []
    # Gradio reports no progress for an upload that begins late, which is harmless.
    assert [message.text for message in errors if "/upload_progress" not in message.location["url"]] == []
    page.close()


def ask(address, body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}/api/predict", data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=300) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def classify(page, text):
    page.locator("#text textarea").fill(text)
    page.locator("#ask").click()


def upload(page, path):
    page.locator("#file input[type=file]").set_input_files(path)
    page.locator("#file").get_by_label(path.name).wait_for()  # shown before the upload is complete


@pytest.mark.slow
def test_the_page_shows_the_probability_of_the_classifier(page, folder):
    classify(page, POST)
    shown = page.locator("#probability").text_content()
    [expected] = RumorClassifier.from_pretrained(folder).predict([POST])
    assert float(shown) == pytest.approx(expected.rumor_probability, abs=1e-4)
    assert page.locator("[data-predicted]").get_attribute("data-predicted") == expected.predicted
    assert "停水" in page.locator("#verdict").text_content()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.slow
def test_the_page_shows_the_probability_over_time(page, reading_folder):
    page.locator("#posted_at textarea, #posted_at input").first.fill("2013-06-29 12:00")
    page.locator("#reposts textarea").fill("2013-06-29 12:01 真的吗\n2013-06-29 13:00 <b>谣言</b>\n")
    classify(page, POST)
    reposts = (Repost("", "真的吗", NOON + 60), Repost("", "<b>谣言</b>", NOON + 3600))
    post = Post(text=POST, posted_at=NOON, reposts=reposts)
    [expected] = RumorClassifier.from_pretrained(reading_folder).predict([post])
    assert float(page.locator("#probability").text_content()) == pytest.approx(expected.rumor_probability, abs=1e-4)
    assert page.locator("#curve").get_attribute("points").count(",") == 5
    assert "<b>谣言</b>" in page.locator("#important").text_content()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#reposts textarea").fill("真的吗")
    page.locator("#ask").click()
    page.get_by_text(ZH["no_time"].format("真的吗")).wait_for()


@pytest.mark.slow
def test_the_page_can_switch_languages(page):
    assert page.locator("#ask").text_content().strip() == ZH["ask"]
    page.get_by_text("English").click()
    page.get_by_role("button", name=EN["ask"], exact=True).wait_for()
    page.locator("#limits").get_by_text("Limitations.").wait_for()
    classify(page, "")
    page.get_by_text(EN["empty"]).wait_for()


@pytest.mark.slow
def test_a_file_is_uploaded_and_the_result_downloaded(page, folder, texts, tmp_path):
    posts = tmp_path / "posts.csv"
    posts.write_text("id,text\n" + "".join(f"p{n},{text}\n" for n, text in enumerate(texts[:20])) + "bad\n", "utf-8")
    upload(page, posts)
    page.locator("#ask_file").click()
    page.get_by_text(ZH["done"].format(21, 1)).wait_for()
    with page.expect_download() as download:
        page.locator("#result a").first.click()
    rows = [json.loads(line) for line in Path(download.value.path()).read_text("utf-8").splitlines()]
    expected = RumorClassifier.from_pretrained(folder).predict(texts[:20])
    assert [row["id"] for row in rows] == [*(f"p{n}" for n in range(20)), "bad"]
    assert [row["rumor_probability"] for row in rows[:20]] == pytest.approx(
        [prediction.rumor_probability for prediction in expected], abs=1e-5
    )


@pytest.mark.slow
def test_two_users_who_upload_the_same_file_both_get_a_result(page, browser, server, tmp_path):
    posts = tmp_path / "posts.txt"
    posts.write_text("停水\n", encoding="utf-8")
    upload(page, posts)
    with closing(browser.new_page()) as other:
        other.set_default_timeout(300_000)
        other.goto(server)
        upload(other, posts)
        classify(other, POST)
        other.locator("#probability").wait_for()
        for each in (page, other):
            each.locator("#ask_file").click()
            each.locator("#result a").first.wait_for()
            assert ZH["done"].format(1, 0) in each.locator("#message").text_content()


@pytest.mark.slow
def test_long_texts_are_refused_and_markup_is_escaped(page):
    classify(page, "停水" * 500_000)
    page.get_by_text(ZH["too_long"].format(2_000, 1_000_000)).wait_for()
    classify(page, "<script>document.title = 'taken'</script>停水")
    page.locator("#probability").wait_for()
    assert page.title() != "taken"
    assert "<script>" in page.locator("#verdict").text_content()


@pytest.mark.slow
def test_a_binary_file_is_refused_with_a_reason(page, tmp_path):
    wrong = tmp_path / "picture.txt"
    wrong.write_bytes(b"\x89PNG\0\0\0")
    upload(page, wrong)
    page.locator("#ask_file").click()
    page.get_by_text(ZH["wrong_file"]).wait_for()
    assert "picture.txt: not a text file" in page.get_by_role("alert").text_content()
    assert page.locator("#result a").count() == 0


@pytest.mark.slow
def test_the_api_classifies_one_post_or_many(server, folder, texts):
    status, answer = ask(server, {"text": POST})
    [expected] = RumorClassifier.from_pretrained(folder).predict([POST])
    assert (status, answer["predicted"]) == (200, expected.predicted)
    assert answer["rumor_probability"] == pytest.approx(expected.rumor_probability, abs=1e-5)
    status, answer = ask(server, {"texts": texts[:30]})
    assert (status, len(answer)) == (200, 30)


@pytest.mark.slow
def test_the_api_reads_reposts_until_the_time_of_observation(server, reading_folder):
    values = {"text": POST, "time": NOON, "reposts": [{"text": "假的", "time": NOON + 60}]}
    late, early = (ask(server, {**values, "observed_at": NOON + delay})[1] for delay in (60, 59))
    post = Post(text=POST, posted_at=NOON, reposts=(Repost("", "假的", NOON + 60),))
    [expected] = RumorClassifier.from_pretrained(reading_folder).predict([post], observed_at=NOON + 60)
    assert late["rumor_probability"] == pytest.approx(expected.rumor_probability, abs=1e-5)
    assert early == ask(server, {"text": POST})[1]


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
def test_invalid_api_requests_get_status_and_reason(server, body, status):
    actual, answer = ask(server, body)
    assert (actual, "expected" in answer["error"]) == (status, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/gradio_api/file=https://example.com/", None, 404),
        ("/gradio_api/file=/etc/passwd", None, 403),
        ("/gradio_api/queue/join", {"fn_index": 1, "session_hash": "s", "data": [{"path": "/etc/passwd"}]}, 400),
        ("/gradio_api/run/predict", {"data": []}, 404),
    ],
)
def test_only_requests_of_the_page_are_answered(server, path, body, status):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{server}{path}", data, {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=300)
    with caught.value as answer:
        assert answer.code == status


@pytest.mark.slow
def test_a_body_without_a_length_is_limited_too(server):
    host = server.removeprefix("http://")
    with closing(http.client.HTTPConnection(host, timeout=300)) as connection:
        pieces = (b'{"text": "' + b"x" * 1_000_000 for _ in range(8))
        connection.request("POST", "/api/predict", pieces, {"Content-Type": "application/json"}, encode_chunked=True)
        with connection.getresponse() as answer:
            assert answer.status == 413


@pytest.mark.slow
def test_fifty_concurrent_requests_are_answered(server):
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda number: ask(server, {"text": f"{POST}{number}"}), range(50)))
    assert {status for status, _ in answers} == {200}
    assert ask(server, {"text": POST})[0] == 200


@pytest.mark.slow
def test_stalled_requests_do_not_block_others(server):
    host, port = server.removeprefix("http://").rstrip("/").split(":")
    head = f"POST /api/predict HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 20\r\n"
    with ExitStack() as stack:
        for _ in range(Limits.max_waiting):
            stalled = stack.enter_context(socket.create_connection((host, int(port))))
            stalled.sendall(f"{head}\r\n{{".encode())
        assert ask(server, {"text": POST})[0] == 200
    assert ask(server, {"text": POST})[0] == 200  # closed connections do not count


STALLED = """
import asyncio, shutil, sys
from hf_rumor.serve import page
from hf_rumor.serve.judge import Judge, Limits

async def stall():
    await asyncio.Event().wait()

async def send(message):
    print(message.get("status", ""), message.get("body", b"").decode())

page.BODY_SECONDS = 0.05
judge = Judge(sys.argv[1], Limits(2_000, 10, 1_000_000))
head = {"type": "http", "method": "POST", "path": "/api/predict", "headers": [(b"content-length", b"20")]}
app = page.make_app(judge, "out")
asyncio.run(app({**head, "query_string": b"", "http_version": "1.1", "scheme": "http"}, stall, send))
shutil.rmtree(judge.folder)
"""


@pytest.mark.slow
def test_a_stalled_request_times_out(folder):
    command = [sys.executable, "-c", STALLED, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.stdout.split("\n")[0].strip() == "408", done.stderr
    assert "expected the whole request within 0.05 seconds" in done.stdout


@pytest.mark.slow
def test_pages_have_a_content_security_policy_and_load_nothing_from_other_hosts(server):
    with urllib.request.urlopen(server, timeout=300) as answer:
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        body = answer.read().decode()
    assert re.findall(r"""(?:src|href)=["']?(https?:)?//(?!127)""", body) == []


def test_the_page_states_that_a_model_was_trained_on_synthetic_posts(make_report):
    judge = SimpleNamespace(report=make_report(data={"is_synthetic": True}))
    assert "**The posts are synthetic" in _title("en", judge, "/home/me/out")
    assert "人工合成" in _title("zh", judge, "out")
    assert "**" not in _title("en", SimpleNamespace(report=None), "out")


def test_an_address_in_use_is_an_error():
    with _listen("127.0.0.1", 0) as first, pytest.raises(ArgumentError, match="Choose another port"):
        _listen("127.0.0.1", first.getsockname()[1])


def test_the_server_listens_on_loopback_by_default():
    assert make_parser().parse_args(["serve", "out"]).host == "127.0.0.1"
