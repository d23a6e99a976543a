"""Check for a network connection before anything that would otherwise retry for a minute."""

import socket
import threading
from urllib.parse import urlsplit

import requests


CONNECT_SECONDS = 3.0


def can_connect(url: str, seconds: float = CONNECT_SECONDS) -> bool:
    """Return whether the host of `url` accepts a connection within `seconds`, name look-up included.

    Where the environment names a proxy for it (`HTTPS_PROXY`, `NO_PROXY`, ...), the proxy is contacted.
    """
    proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    if proxy and "://" not in proxy:
        proxy = f"http://{proxy}"
    parts = urlsplit(proxy or url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:  # the proxy is not an address
        return False
    connected = threading.Event()

    def connect() -> None:
        try:
            socket.create_connection((parts.hostname or "", port), timeout=seconds).close()
        except OSError:
            return
        connected.set()

    # In a thread of its own, since a name look-up has no time limit.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(seconds)
    return connected.is_set()
