"""A Hub on loopback: the endpoints for pushing and pulling, and a log of all bytes received."""

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import httpx2
import huggingface_hub
import pytest


TOKEN = "hf_canaryTokenThatMustNotLeave"
USER = "tester"


class Handler(BaseHTTPRequestHandler):
    """Answers requests with the Hub of its server."""

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
        self._json(self.hub.post(urlsplit(self.path), body))

    def do_GET(self):
        path = unquote(urlsplit(self.path).path).lstrip("/")
        if self._has_failed():
            return None
        answer = self.hub.resolve(path) if "/resolve/" in path else self.hub.get(path)
        if answer is None:
            return self._json({"error": "not found"}, 404, {"X-Error-Code": self.hub.error_code(path)})
        if isinstance(answer, tuple):
            sha, content = answer
            return self._send(200, content, {"X-Repo-Commit": sha, "ETag": f'"{_oid(content)}"'})
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
        failure = self.hub.failures.pop(0) if self.hub.failures else None
        if failure in ("hang", "cut"):
            self.hub.closing.wait(30 if failure == "hang" else 0)
            self.close_connection = True
        elif failure == "hold":
            return not self.hub.released.wait(600)
        elif failure is not None:
            self._json({"error": f"planted {failure}"}, failure, self.hub.headers)
        return failure is not None

    def _json(self, value, status=200, headers=None):
        self._send(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def _send(self, status, content, headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else content)


class Hub:
    """A fake Hub.

    Attributes:
        address: URL of the server.
        commits: (repository with its type, revision) -> path -> newest content.
        messages: Messages of the commits, in order.
        received: First line, headers and body of every request.
        failures: Failures of the next requests: a status, "hang" or "cut"; "hold" delays the answer until `released`.
        headers: Headers of each failure.
        slept: Seconds waited before each retry.
    """

    def __init__(self):
        self.commits = {}
        self.messages = []
        self.received = []
        self.failures = []
        self.headers = {}
        self.slept = []
        self.closing = threading.Event()
        self.released = threading.Event()
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
        """Return all bytes received, base64 decoded."""
        parts = []
        for line, headers, body in self.received:
            parts += [line.encode(), headers.encode(), body]
            for entry in body.splitlines() if b'"base64"' in body else []:
                parts.append(base64.b64decode(json.loads(entry).get("value", {}).get("content", "")))
        return b"\n".join(parts)

    def post(self, url, body):
        """Answer a POST."""
        parts = unquote(url.path).strip("/").split("/")
        request = json.loads(body) if body.strip() and b"\n" not in body.strip() else {}
        if parts[:3] == ["api", "repos", "create"]:
            name = f"{request.get('organization') or USER}/{request['name']}"
            repo = ("datasets/" if request.get("type") == "dataset" else "") + name
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
            state = {"uploadMode": "regular", "shouldIgnore": False, "oid": None}
            return {"files": [{"path": entry["path"], **state} for entry in request["files"]]}
        assert parts[4] == "commit", url.path
        is_pull_request = "create_pr=1" in url.query
        content = dict(self.commits[repo, revision])
        for line in body.splitlines():
            entry = json.loads(line)
            if entry["key"] == "header":
                self.messages.append(entry["value"]["summary"])
            elif entry["key"] == "file":
                content[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
        self.commits[repo, "refs/pr/1" if is_pull_request else revision] = content
        url = f"{self.address}/{repo}"
        answer = {"success": True, "commitOid": self.sha(repo, revision), "commitUrl": f"{url}/commit/1"}
        return answer | ({"pullRequestUrl": f"{url}/discussions/1"} if is_pull_request else {})

    def _find(self, repo, revision):
        for (name, branch), content in self.commits.items():
            if name == repo and revision in (branch, self.sha(name, branch)):
                return self.sha(name, branch), content
        return None

    def get(self, path):
        """Answer a GET of the API."""
        parts = path.split("/")
        repo = ("datasets/" if parts[1] == "datasets" else "") + "/".join(parts[2:4])
        commit = self._find(repo, "/".join(parts[5:6]) or "main")
        if commit is None or parts[6:]:  # parts[6:]: a folder in a repository
            return None
        sha, content = commit
        if parts[4:5] == ["tree"]:
            return [
                {"type": "file", "path": name, "size": len(content[name]), "oid": _oid(content[name])}
                for name in sorted(content)
            ]
        files = [{"rfilename": name} for name in sorted(content)]
        return {"id": "/".join(parts[2:4]), "sha": sha, "private": False, "siblings": files}

    def error_code(self, path):
        """Return the error code for a missing `path`."""
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
        sha, content = self._find(repo, revision) or (None, {})
        return (sha, content[name]) if name in content else None


def _oid(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@pytest.fixture
def hub(monkeypatch):
    """Return a Hub that this process uses, with a token and without waits between retries."""
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
    # Closes the connections to this Hub.
    huggingface_hub.set_client_factory(lambda: httpx2.Client(event_hooks=hooks, follow_redirects=True))
