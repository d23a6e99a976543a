import asyncio
import json

import pytest

from hf_rumor.serve.guard import Guard


@pytest.fixture
def ask(tmp_path):
    """Return a function that sends a request through a guard of 1,000 bytes and returns status and body."""

    async def app(scope, receive, send):
        message = await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": message["body"]})

    def run(path, body=b"", headers=(), query=b""):
        sent, pieces = [], [{"type": "http.request", "body": body, "more_body": False}]

        async def receive():
            return pieces.pop() if pieces else {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "path": path, "query_string": query, "headers": list(headers)}
        asyncio.run(Guard(app, 1000, tmp_path)(scope, receive, send))
        return sent[0]["status"], sent[1]["body"], dict(sent[0]["headers"])

    return run


def test_requests_of_the_page_are_answered_with_the_policy(ask):
    status, body, headers = ask("/api/predict", b"{}", [(b"content-length", b"2")])
    assert (status, body) == (200, b"{}")
    assert b"default-src 'self'" in headers[b"content-security-policy"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/gradio_api/file=https://example.com/", b""),
        ("/gradio_api/deep_link", b""),
        ("/gradio_api/proxy=https://example.com/", b""),
        ("/docs", b""),
        ("//", b""),
        ("/", b"deep_link=x"),
    ],
)
def test_other_requests_are_not_answered(ask, path, query):
    assert ask(path, query=query)[0] == 404


@pytest.mark.parametrize(
    "header", [(b"content-length", b"1001"), (b"content-length", b"x"), (b"transfer-encoding", b"chunked")]
)
def test_a_body_that_is_too_large_is_refused(ask, header):
    assert ask("/api/predict", b"x" * 1001, [header])[0] == 413


@pytest.mark.parametrize(
    ("name", "status"),
    [("inside.csv", 200), ("../outside.csv", 400), ("/etc/passwd", 400), ("https://example.com", 400)],
)
def test_a_request_may_name_uploaded_files_only(ask, tmp_path, name, status):
    path = name if "://" in name else str(tmp_path / name)
    body = json.dumps([{"path": path}]).encode()
    actual, answer, _ = ask("/gradio_api/queue/join", body)
    assert (actual, answer == body) == (status, status == 200)
