"""Fixtures of the tests of a desk."""

import pytest

from hf_rumor.desk import text_drift


@pytest.fixture(autouse=True)
def small_features(monkeypatch):
    """Hash into few features, which takes milliseconds."""
    monkeypatch.setattr(text_drift, "NUM_FEATURES", 64)
