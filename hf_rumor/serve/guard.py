"""What stands before the page: an ASGI middleware that lets through only what the page itself needs."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any


# No word of a page may come from elsewhere; Gradio itself needs inline scripts and workers.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob:; worker-src 'self' blob:"
)
# What the page asks for. Whatever else Gradio would answer is not let through.
ROUTES = (
    *("/api/predict", "/assets/", "/static/", "/theme.css", "/config", "/favicon.ico", "/manifest.json"),
    *("/gradio_api/queue/", "/gradio_api/upload", "/gradio_api/heartbeat/", "/gradio_api/startup-events"),
    *("/gradio_api/file=/", "/gradio_api/app_id", "/gradio_api/info", "/gradio_api/cancel", "/gradio_api/reset"),
)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Guard:
    """An ASGI middleware: lets through what the page needs, refuses bodies that are too large, sends the policy.

    Gradio answers more than its page asks for: it fetches addresses, copies files of the machine that a request
    names, keeps the last text of a session. None of that is let through.

    Args:
        app: What is guarded.
        max_bytes: Of a request.
        folder: Of the uploads and results: the only files a request may name.
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
            await _answer(send, 404, "expected an address of the page")
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
                await _answer(send, 400, "expected uploaded files")
                return
            receive = _once(body, receive)
        await self.app(scope, receive, _with_policy(send))

    def _names_own_files(self, body: bytes) -> bool:
        """Return whether every file that a request to Gradio names is an upload."""
        try:
            waiting = [json.loads(body)]
        except (ValueError, RecursionError):
            return False
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                if "path" in value and not Path(str(value["path"])).resolve().is_relative_to(self.folder):
                    return False
                waiting.extend(value.values())
            elif isinstance(value, list):
                waiting.extend(value)
        return True

    async def _refuse(self, receive: Receive, send: Send) -> None:
        read = 0
        while read < 10 * self.max_bytes:  # who is cut off while sending does not read the answer
            message = await receive()
            read += len(message.get("body", b""))
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


async def _answer(send: Send, status: int, words: str) -> None:
    body = json.dumps({"error": words}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _read(receive: Receive, most: int) -> bytes | None:
    """Return a whole body; None if it is larger than `most` bytes or breaks off."""
    body = b""
    while len(body) <= most:
        message = await receive()
        if message["type"] != "http.request":
            return None
        piece: bytes = message.get("body", b"")
        body += piece
        if not message.get("more_body"):
            return body if len(body) <= most else None
    return None


def _once(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body that was read already, and then what else there is."""
    given = False

    async def again() -> dict[str, Any]:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
