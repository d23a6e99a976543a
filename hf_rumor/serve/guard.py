"""An ASGI middleware in front of the page that passes on only the requests of the page itself."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any


# Nothing is loaded from other hosts; Gradio needs inline scripts and workers (6.31.0).
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob:; worker-src 'self' blob:"
)
# Requests of the page; all others get status 404.
ROUTES = (
    *("/api/predict", "/assets/", "/static/", "/theme.css", "/config", "/favicon.ico", "/manifest.json"),
    *("/gradio_api/queue/", "/gradio_api/upload", "/gradio_api/heartbeat/", "/gradio_api/startup-events"),
    *("/gradio_api/file=/", "/gradio_api/app_id", "/gradio_api/info", "/gradio_api/cancel", "/gradio_api/reset"),
)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Guard:
    """Pass on the requests of the page, refuse bodies that are too large, add the content security policy.

    Gradio can do more than its page uses: fetch URLs, copy local files that a request names, keep the last text of a
    session. The guard makes all of that unreachable: a request may only name files in `folder`.
    """

    def __init__(self, app: Any, max_bytes: int, folder: Path) -> None:
        self.app, self.max_bytes, self.folder = app, max_bytes, folder

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with 404, 413 or 400."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path, query = scope["path"], scope.get("query_string", b"")
        if not (path == "/" or path.startswith(ROUTES)) or b"deep_link" in query:
            await _answer(send, 404, "not found")
            return
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self.max_bytes:
            await self._refuse(receive, send)
            return
        if b"transfer-encoding" in headers or path == "/gradio_api/queue/join":
            body = await _read(receive, self.max_bytes)
            if body is None:
                await self._refuse(receive, send)
                return
            if path == "/gradio_api/queue/join" and not self._names_own_files(body):
                await _answer(send, 400, "expected an uploaded file")
                return
            receive = _once(body, receive)
        await self.app(scope, receive, _with_policy(send))

    def _names_own_files(self, body: bytes) -> bool:
        """Return whether every file that a request to Gradio names is in the folder of uploads."""
        try:
            values = [json.loads(body)]
        except (ValueError, RecursionError):
            return False
        while values:
            value = values.pop()
            if isinstance(value, dict):
                if "path" in value and not Path(str(value["path"])).resolve().is_relative_to(self.folder):
                    return False
                values.extend(value.values())
            elif isinstance(value, list):
                values.extend(value)
        return True

    async def _refuse(self, receive: Receive, send: Send) -> None:
        num_read = 0
        while num_read < 10 * self.max_bytes:  # a client that is cut off while sending does not read the answer
            message = await receive()
            num_read += len(message.get("body", b""))
            if not message.get("more_body"):
                break
        await _answer(send, 413, f"expected at most {self.max_bytes} bytes")


def _with_policy(send: Send) -> Send:
    async def guarded(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            extra = ((b"content-security-policy", POLICY.encode()), (b"x-content-type-options", b"nosniff"))
            message = {**message, "headers": [*message.get("headers", []), *extra]}
        await send(message)

    return guarded


async def _answer(send: Send, status: int, message: str) -> None:
    body = json.dumps({"error": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _read(receive: Receive, max_bytes: int) -> bytes | None:
    """Return a body; None if it is larger than `max_bytes` or incomplete."""
    body = b""
    while len(body) <= max_bytes:
        message = await receive()
        if message["type"] != "http.request":
            return None
        piece: bytes = message.get("body", b"")
        body += piece
        if not message.get("more_body"):
            return body if len(body) <= max_bytes else None
    return None


def _once(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that returns a body that was already read, then further messages."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> dict[str, Any]:
        return messages.pop() if messages else await receive()

    return replay
