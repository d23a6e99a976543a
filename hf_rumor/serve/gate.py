"""An ASGI middleware in front of the application: who may send requests, how large they are, what browsers load."""

import asyncio
import hmac
import ipaddress
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


BODY_SECONDS = 30  # for a request to arrive
HEADERS = (
    (b"content-security-policy", b"default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True)
class Access:
    """Who may send requests.

    Attributes:
        hosts: Names by which the server may be addressed; None: any. Another name on loopback is a page that has
            changed the address of its own name to this machine (DNS rebinding).
        token: Required for the API; empty: none.
    """

    hosts: frozenset[str] | None
    token: str = ""


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Gate:
    """Pass on requests with their whole body; refuse those that are foreign, too large or too slow."""

    def __init__(self, app: Any, max_bytes: int, access: Access) -> None:
        self.app, self.max_bytes, self.access = app, max_bytes, access

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with 400, 401, 403, 408, 413 or 421."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        send = _with_headers(send)
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope, headers)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _read(receive, self.max_bytes, keep=refusal is None)
        except TimeoutError:
            await _answer(send, 408, "slow", f"expected the whole request within {BODY_SECONDS} seconds")
            return
        except ConnectionError:  # a part of a file must not be taken for the whole
            return
        if refusal is not None:
            await _answer(send, *refusal)
        elif body is None:
            await _answer(send, 413, "too_large", f"expected at most {self.max_bytes} bytes", limit=self.max_bytes)
        else:
            await self.app(scope, _replay(body, receive), send)

    def _refusal(self, scope: Message, headers: dict[bytes, str]) -> tuple[int, str, str] | None:
        """Return status, code and message of a refusal that does not depend on the body."""
        host = headers.get(b"host", "")
        if self.access.hosts is not None and _name(host) not in self.access.hosts:
            return 421, "host", f"expected one of the hosts {', '.join(sorted(self.access.hosts))}"
        if scope["method"] not in ("GET", "HEAD") and _is_foreign(headers, host):
            return 403, "origin", "expected a request from the page of this server, got one from another site"
        given = headers.get(b"authorization", "").encode("latin-1")
        expected = f"Bearer {self.access.token}".encode()
        is_api = scope["path"].startswith("/api/")
        if self.access.token and is_api and not hmac.compare_digest(given, expected):
            return 401, "token", "expected the header Authorization: Bearer TOKEN"
        return None


def _name(host: str) -> str:
    """Return the name in a Host header, without its port; empty if it is not valid."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_foreign(headers: dict[bytes, str], host: str) -> bool:
    """Return whether a browser sends this request for a page of another site."""
    if b"sec-fetch-site" in headers:
        return headers[b"sec-fetch-site"] not in ("same-origin", "none")
    return b"origin" in headers and headers[b"origin"].partition("://")[2] != host


async def _read(receive: Receive, max_bytes: int, *, keep: bool) -> bytes | None:
    """Return the body; None if it is too large. A client that is cut off while it sends does not read the answer.

    Raises:
        ConnectionError: The client has disconnected.
    """
    pieces, num_read = [], 0
    while num_read <= 10 * max_bytes:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError
        piece = message.get("body", b"")
        num_read += len(piece)
        if keep and num_read <= max_bytes:
            pieces.append(piece)
        if not message.get("more_body"):
            break
    return None if num_read > max_bytes else b"".join(pieces)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that returns a body that was already read, then further messages."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *HEADERS]}
        await send(message)

    return guarded


async def _answer(send: Send, status: int, code: str, message: str, **values: Any) -> None:
    body = json.dumps({"error": message, "code": code, **values}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(b"www-authenticate", b"Bearer")] if status == 401 else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
