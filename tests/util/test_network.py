import socket
import threading

import pytest

from hf_rumor.util import network
from hf_rumor.util.network import can_connect


@pytest.fixture
def port():
    """Return a port of this machine that accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_host_that_listens_can_be_connected_to(port):
    assert can_connect(f"http://127.0.0.1:{port}/any/path.zip")


def test_a_host_that_does_not_listen_cannot():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert not can_connect(f"http://127.0.0.1:{port}/")


def test_behind_a_proxy_the_proxy_is_contacted(port, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = listener.getsockname()[1]
    for proxy in (f"http://127.0.0.1:{port}", f"127.0.0.1:{port}"):
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        assert can_connect("https://example.invalid/")
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed}")
    assert not can_connect("https://example.invalid/")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:abc")
    assert not can_connect("https://example.invalid/")
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert can_connect(f"http://127.0.0.1:{port}/")


def test_a_hanging_name_look_up_times_out(monkeypatch):
    released = threading.Event()

    def hang(address, timeout):
        released.wait()
        raise OSError("too late")

    monkeypatch.setattr(network.socket, "create_connection", hang)
    try:
        assert not can_connect("http://example.invalid/", seconds=0.05)
    finally:
        released.set()


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://example.invalid/a", ("example.invalid", 443)),
        ("http://example.invalid/a", ("example.invalid", 80)),
        ("https://example.invalid:8443/a", ("example.invalid", 8443)),
    ],
)
def test_the_port_is_that_of_the_address_or_of_its_scheme(url, address, monkeypatch):
    contacted = []

    def refuse(address, timeout):
        contacted.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(network.socket, "create_connection", refuse)
    assert not can_connect(url)
    assert contacted == [address]
