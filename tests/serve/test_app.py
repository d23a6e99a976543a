"""The page, the documentation of the API, and errors."""

import re

import pytest

from hf_rumor.serve.words import WORDS


def test_the_page_is_chinese_until_the_language_is_changed(client):
    page = client.get("/").text
    assert '<html lang="zh-CN">' in page
    assert f'data-word="ask">{WORDS["zh"]["ask"]}<' in page
    assert 'id="reposts"' not in page  # the model does not read them
    assert re.findall(r"<(?:script|style)(?![^>]*(?:src=|application/json))", page) == []
    assert re.findall(r" (?:style|on\w+)=", page.partition("</head>")[2]) == []


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_load_nothing_from_other_hosts(client, path):
    assert re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", client.get(path).text) == []


def test_every_route_is_documented(client):
    api = client.get("/openapi.json").json()
    documentation = client.get("/docs").text
    assert len(api["paths"]) == 8
    for path, methods in api["paths"].items():
        for method, route in methods.items():
            assert f"{method.upper()} {path}" in documentation
            assert route["description"]
            assert ("422" in route["responses"]) == (path in ("/api/files", "/api/queue") and method == "post")


def test_the_server_is_healthy(client):
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/api/predict", 405), ("DELETE", "/api/queue", 405), ("GET", "/static/", 404)],
)
def test_unknown_requests_get_json(client, method, path, status):
    answer = client.request(method, path)
    assert (answer.status_code, "error" in answer.json()) == (status, True)


def test_a_failure_hides_its_reason(client, judge, monkeypatch):
    def fail(body):
        raise RuntimeError("secret")

    monkeypatch.setattr(judge, "explain", fail)
    answer = client.post("/api/explain", json={"text": "停水"})
    assert (answer.status_code, "secret" in answer.text) == (500, False)
