"""A Hub on loopback: the endpoints that pushing and pulling ask for, and a diary of every byte that came in."""

import base64
import hashlib
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import httpx2
import huggingface_hub
import pytest


TOKEN = "hf_canaryTokenThatMustNotLeave"
USER = "tester"


class Handler(BaseHTTPRequestHandler):
    """Answers as the Hub of its server does."""

    protocol_version = "HTTP/1.1"

    @property
    def hub(self):
        return self.server.hub

    def log_message(self, *words):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self._chunks()
        headers = "".join(f"{k}: {v}\n" for k, v in self.headers.items() if k.lower() != "authorization")
        self.hub.received.append((f"POST {self.path}", headers, body))
        if self._has_failed():
            return None
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            return self._json({"error": "Invalid credentials"}, 401)
        self._json(self.hub.change(urlsplit(self.path), body))

    def do_GET(self):
        path = unquote(urlsplit(self.path).path).lstrip("/")
        if self._has_failed():
            return None
        answer = self.hub.resolve(path) if "/resolve/" in path else self.hub.tell(path)
        if answer is None:
            return self._json({"error": "not found"}, 404, {"X-Error-Code": self.hub.missing(path)})
        if isinstance(answer, tuple):
            sha, content = answer
            told = {"X-Repo-Commit": sha, "ETag": f'"{_oid(content)}"', "Content-Length": str(len(content))}
            return self._send(200, content, told)
        self._json(answer)

    def do_HEAD(self):
        self.do_GET()

    def _chunks(self):
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _has_failed(self):
        how = self.hub.failures.pop(0) if self.hub.failures else None
        if how in ("hang", "cut"):
            self.hub.closing.wait(30 if how == "hang" else 0)
            self.close_connection = True
        elif how == "hold":
            return not self.hub.go_on.wait(600)
        elif how is not None:
            self._json({"error": f"planted {how}"}, how, self.hub.headers)
        return how is not None

    def _json(self, value, status=200, headers=None):
        content = json.dumps(value).encode()
        told = {"Content-Type": "application/json", "Content-Length": str(len(content)), **(headers or {})}
        self._send(status, content, told)

    def _send(self, status, content, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else content)


class Hub:
    """What the stand-in holds and does.

    Attributes:
        address: Of the server.
        commits: (repository with its type, revision) -> path -> content, as it is now.
        messages: Of the commits, in order.
        received: Every request: its first line, headers and body.
        failures: What the next requests get instead of an answer: a status, "hang" or "cut"; or "hold", an answer when
            `go_on` is set.
        headers: Sent with each failure.
        slept: Seconds that were waited between tries.
    """

    def __init__(self):
        self.commits = {}
        self.messages = []
        self.received = []
        self.failures = []
        self.headers = {}
        self.slept = []
        self.closing = threading.Event()
        self.go_on = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.hub = self
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def files(self, repo, revision="main"):
        return self.commits[repo, revision]

    def sha(self, repo, revision):
        content = self.commits[repo, revision]
        return hashlib.sha1("".join(path + _oid(content[path]) for path in sorted(content)).encode()).hexdigest()

    def everything(self):
        """Return all bytes that came in, with what was base64 in them decoded."""
        parts = []
        for line, headers, body in self.received:
            parts += [line.encode(), headers.encode(), body]
            for entry in body.splitlines() if b'"base64"' in body else []:
                parts.append(base64.b64decode(json.loads(entry).get("value", {}).get("content", "")))
        return b"\n".join(parts)

    def change(self, url, body):
        """Answer a POST."""
        parts = unquote(url.path).strip("/").split("/")
        told = json.loads(body) if parts[-1] != "" and b"\n" not in body.strip() and body.strip() else {}
        if parts[:3] == ["api", "repos", "create"]:
            kind = told.get("type") or "model"
            name = f"{told.get('organization') or USER}/{told['name']}"
            repo = ("datasets/" if kind == "dataset" else "") + name
            self.commits.setdefault((repo, "main"), {})
            return {"url": f"{self.address}/{repo}", "id": name}
        if parts[1] == "validate-yaml":
            return {"errors": [], "warnings": []}
        repo = ("datasets/" if parts[1] == "datasets" else "") + "/".join(parts[2:4])
        if parts[4] == "branch":
            self.commits.setdefault((repo, "/".join(parts[5:])), dict(self.commits[repo, "main"]))
            return {}
        revision = "/".join(parts[5:]) or "main"
        if parts[4] == "preupload":
            files = [
                {"path": entry["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": None}
                for entry in told["files"]
            ]
            return {"files": files}
        assert parts[4] == "commit", url.path
        is_request = "create_pr=1" in url.query
        content = dict(self.commits[repo, revision])
        for line in body.splitlines():
            entry = json.loads(line)
            if entry["key"] == "header":
                self.messages.append(entry["value"]["summary"])
            elif entry["key"] == "file":
                content[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
        self.commits[repo, "refs/pr/1" if is_request else revision] = content
        answer = {
            "success": True,
            "commitOid": self.sha(repo, revision),
            "commitUrl": f"{self.address}/{repo}/commit/1",
        }
        return answer | ({"pullRequestUrl": f"{self.address}/{repo}/discussions/1"} if is_request else {})

    def _find(self, repo, revision):
        for (name, branch), content in self.commits.items():
            if name == repo and revision in (branch, self.sha(name, branch)):
                return self.sha(name, branch), content
        return None

    def tell(self, path):
        """Answer a GET of the API."""
        parts = path.split("/")
        repo = ("datasets/" if parts[1] == "datasets" else "") + "/".join(parts[2:4])
        revision = "/".join(parts[5:6]) or "main"
        found = self._find(repo, revision)
        if found is None:
            return None
        sha, content = found
        if parts[4:5] == ["tree"]:
            if parts[6:]:  # a folder in it
                return None
            return [
                {"type": "file", "path": name, "size": len(content[name]), "oid": _oid(content[name])}
                for name in sorted(content)
            ]
        return {
            "id": "/".join(parts[2:4]),
            "sha": sha,
            "private": False,
            "siblings": [{"rfilename": name} for name in sorted(content)],
        }

    def missing(self, path):
        """Return what the Hub calls it that there is nothing at `path`."""
        parts = path.split("/")
        repo, _, rest = path.partition("/resolve/")
        if parts[0] == "api":
            repo, rest = ("datasets/" if parts[1] == "datasets" else "") + "/".join(parts[2:4]), "/".join(parts[5:6])
        if repo not in {name for name, _ in self.commits}:
            return "RepoNotFound"
        return "EntryNotFound" if self._find(repo, rest.partition("/")[0]) else "RevisionNotFound"

    def resolve(self, path):
        """Return commit and content of a file."""
        repo, _, rest = path.partition("/resolve/")
        revision, _, name = rest.partition("/")
        found = self._find(repo, revision)
        return (found[0], found[1][name]) if found and name in found[1] else None


def _oid(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@pytest.fixture
def hub(monkeypatch):
    """Return a Hub that this process talks to, with a token, and no waiting between tries."""
    hub = Hub()
    hooks = huggingface_hub.get_session().event_hooks
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", hub.address)
    template = f"{hub.address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("hf_rumor.hub.push.time", SimpleNamespace(sleep=hub.slept.append))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    yield hub
    hub.close()
    # Closes the connections of this one.
    huggingface_hub.set_client_factory(lambda: httpx2.Client(event_hooks=hooks, follow_redirects=True))


@pytest.fixture
def environment_of():
    """Return the environment in which a command talks to a Hub: `environment_of(hub, home)`."""

    def environment(hub, home):
        env = {key: value for key, value in os.environ.items() if not key.startswith(("HF_HUB", "TRANSFORMERS_"))}
        return env | {
            "HF_ENDPOINT": hub.address,
            "HF_TOKEN": TOKEN,
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HOME": str(home / "hf_home"),
            "HF_RUMOR_CACHE": str(home / "cache"),
        }

    return environment


@pytest.fixture
def wait_until():
    """Return a function that waits for something to become true: `wait_until(condition)`."""

    def wait(condition):
        end = time.monotonic() + 300
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.02)

    return wait
