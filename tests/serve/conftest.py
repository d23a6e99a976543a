"""Fixtures of the tests of the server: a judge, a store, and a client without a network."""

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
