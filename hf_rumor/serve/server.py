"""Run the application until it is interrupted."""

import logging
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

from hf_rumor.errors import ArgumentError, ModelError


TOKEN = "HF_RUMOR_TOKEN"

logger = logging.getLogger(__name__)


def serve(
    model: str,
    host: str,
    port: int,
    limits: tuple[int, int, int],
    on_start: Callable[[str], None],
    *,
    queue: Path | None = None,
    revision: str | None = None,
    threshold: float | None = None,
) -> None:
    """Serve the page until interrupted; call `on_start` with its URL.

    Args:
        model: A folder, or a name on the Hub.
        host: Address.
        port: 0 is any free port.
        limits: Characters per text, posts per file, and bytes per request.
        on_start: Is called with the URL when the server accepts connections.
        queue: Database of the review queue; None: a temporary one.
        revision: Of a model on the Hub.
        threshold: Instead of that of the model.

    Raises:
        RumorError: The model cannot be loaded, the address is in use, or the queue cannot be opened.
    """
    try:
        import uvicorn

        from hf_rumor.serve.app import make_app
        from hf_rumor.serve.gate import Access, is_loopback
    except ImportError as error:
        raise ModelError(f"serve: {error}. Run: pip install fastapi uvicorn captum jieba openpyxl") from error
    from hf_rumor.serve.judge import Judge
    from hf_rumor.serve.store import Store
    from hf_rumor.serve.upload import Limits

    token = read_token()
    if not token and not is_loopback(host):
        logger.warning("serve: --host %s: anyone who reaches this address can use it. Set %s.", host, TOKEN)
    hosts = frozenset({host, "localhost", "127.0.0.1", "::1"}) if is_loopback(host) else None
    with tempfile.TemporaryDirectory(prefix="hf_rumor_") as folder, listen(host, port) as listening:
        store = Store(queue or Path(folder) / "queue.sqlite")
        try:
            judge = Judge(model, Limits(*limits), revision, threshold)
            app = make_app(judge, store, Access(hosts, token), is_temporary=queue is None)
            shown = f"[{host}]" if ":" in host else host
            on_start(f"http://{shown}:{listening.getsockname()[1]}")
            config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=3, server_header=False)
            uvicorn.Server(config).run(sockets=[listening])
        finally:
            store.close()


def read_token() -> str:
    """Return the token in the environment; empty if there is none.

    Raises:
        ArgumentError: It cannot be sent in a header.
    """
    token = os.environ.get(TOKEN, "")
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise ArgumentError(f"{TOKEN}: must be printable ASCII without spaces. Choose another token.")
    return token


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        ArgumentError: The address is in use, or is not one of this machine.
    """
    try:
        host.encode("ascii")  # a socket raises TypeError for other names
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=512)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = str(error).rstrip(".")
        raise ArgumentError(f"--host {host} --port {port}: {reason}. Choose another port.") from error
