"""Check the network connection before requests that would otherwise retry for a minute."""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

import requests


CONNECT_SECONDS = 3.0


def can_connect(url: str, seconds: float = CONNECT_SECONDS) -> bool:
    """Return whether the host of `url` accepts a connection within `seconds`, including the name look-up.

    If the environment sets a proxy for the host (`HTTPS_PROXY`, `NO_PROXY`, ...), the proxy is contacted instead.
    """
    proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    if proxy and "://" not in proxy:
        proxy = f"http://{proxy}"
    parts = urlsplit(proxy or url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:  # the proxy has no valid port
        return False
    connected = threading.Event()

    def connect() -> None:
        with suppress(OSError):
            socket.create_connection((parts.hostname or "", port), timeout=seconds).close()
            connected.set()

    # In a thread, since a name look-up has no time limit.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(seconds)
    return connected.is_set()
