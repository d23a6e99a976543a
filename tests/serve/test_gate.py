"""Who may send requests, and how large they are."""

import json

import pytest

from hf_rumor.serve.gate import is_loopback
from hf_rumor.serve.server import TOKEN, read_token


HOST = {"host": "127.0.0.1:7860"}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.2"])
def test_loopback_is_recognized(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "localhost.example.com", ""])
def test_other_addresses_are_not_loopback(host):
    assert not is_loopback(host)


@pytest.mark.parametrize(("host", "status"), [("127.0.0.1:7860", 200), ("evil.example", 421), ("[", 421), ("", 421)])
def test_foreign_hosts_are_refused_on_loopback(make_client, host, status):
    client = make_client(hosts=frozenset({"127.0.0.1", "::1"}))
    assert client.get("/healthz", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),  # not a browser
        ({"origin": "http://127.0.0.1:7860"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://desk.example", "sec-fetch-site": "same-origin"}, 200),  # behind a proxy
        ({"origin": "http://127.0.0.1:7860", "sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_pages_of_other_sites_cannot_send_requests(client, headers, status):
    answer = client.post("/api/predict", json={"text": "停水"}, headers=HOST | headers)
    assert answer.status_code == status
    assert client.get("/healthz", headers=HOST | headers).status_code == 200
    assert "access-control-allow-origin" not in answer.headers


def test_a_token_is_required_for_the_api_only(make_client):
    client = make_client(token="s3cret")
    assert client.get("/").status_code == client.get("/healthz").status_code == 200
    for headers in ({}, {"authorization": "Bearer s3cre"}, {"authorization": "s3cret"}, {"authorization": "Bearer é"}):
        raw = {name: value.encode() for name, value in headers.items()}
        answer = client.post("/api/predict", json={"text": "停水"}, headers=raw)
        assert (answer.status_code, answer.json()["code"]) == (401, "token")
    assert client.get("/api/model?token=s3cret").status_code == 401
    headers = {"authorization": "Bearer s3cret"}
    assert client.post("/api/predict", json={"text": "停水"}, headers=headers).status_code == 200


@pytest.mark.parametrize(("token", "is_valid"), [("", True), ("s3cret", True), ("a b", False), ("密码", False)])
def test_a_token_fits_into_a_header(monkeypatch, token, is_valid):
    monkeypatch.setenv(TOKEN, token)
    if is_valid:
        assert read_token() == token
    else:
        with pytest.raises(Exception, match="Choose another token") as caught:
            read_token()
        assert token not in str(caught.value)


def test_every_answer_has_the_policy(client):
    for path in ("/", "/docs", "/api/model", "/static/page.js", "/nowhere", "/static/../app.py"):
        answer = client.get(path)
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("length", [20_001, 300_000])
def test_large_bodies_are_refused_with_and_without_a_length(client, length):
    for content in (b"x" * length, (b"x" * 1000 for _ in range(length // 1000 + 1))):
        answer = client.post("/api/predict", content=content)
        assert (answer.status_code, answer.json()["limit"]) == (413, 20_000)
    for length_header in (b"many", b"\xb2"):  # the body counts, not what a header states
        answer = client.post("/api/predict", content=b"", headers={"content-length": length_header})
        assert answer.status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static//etc/passwd",
        "/static/..%2fapp.py",
        "/api/../../etc/passwd",
    ],
)
def test_paths_lead_to_the_files_of_the_page_only(client, path):
    answer = client.get(path)
    assert answer.status_code in (400, 404)
    assert json.loads(answer.content)["error"]
