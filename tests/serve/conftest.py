"""Fixtures of the tests of the server: a judge, a store, and a client without a network."""

import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from starlette.testclient import TestClient

from hf_rumor.serve.app import make_app
from hf_rumor.serve.gate import Access
from hf_rumor.serve.judge import Judge
from hf_rumor.serve.store import Store
from hf_rumor.serve.upload import Limits


@pytest.fixture(scope="session")
def judge(folder):
    """Return a judge with the small model and small limits."""
    return Judge(str(folder), Limits(max_characters=100, max_posts=20, max_bytes=20_000))


@pytest.fixture
def store(tmp_path):
    """Return an empty queue."""
    store = Store(tmp_path / "desk.sqlite")
    yield store
    store.close()


@pytest.fixture
def make_client(judge, store):
    """Return a function that makes a client of an application with such access; failures become answers."""

    def make(**access):
        app = make_app(judge, store, Access(**{"hosts": None, **access}), is_temporary=True)
        return TestClient(app, raise_server_exceptions=False)

    return make


@pytest.fixture
def client(make_client):
    """Return a client that may send requests."""
    return make_client()


@pytest.fixture(scope="session")
def start_server(tmp_path_factory):
    """Return a context manager that starts a server and yields its address and its process, with its `log`."""

    @contextmanager
    def start(model, *flags):
        log = tmp_path_factory.mktemp("server") / "log"
        command = [sys.executable, "-m", "hf_rumor", "serve", str(model), "--port", "0", *flags]
        with log.open("w") as file, subprocess.Popen(command, stdout=file, stderr=file) as running:
            running.log = log
            try:
                while "API:" not in log.read_text("utf-8"):
                    assert running.poll() is None, log.read_text("utf-8")
                    time.sleep(0.05)
                yield re.search(r"page: (\S+)", log.read_text("utf-8"))[1], running
            finally:
                if running.poll() is None:
                    running.send_signal(signal.SIGINT)
                    assert running.wait(300) in (0, 130)

    return start
