"""A CVAT for the operators; the fixtures of the evaluation tests, for those that evaluate."""

from __future__ import annotations

import pytest

from relabel.annotation import connect
from tests.evaluation.conftest import predicted, saved_models
from tests.evaluation.label_errors.conftest import stored, world
from tests.operators.app import SERVER

__all__ = ["predicted", "saved_models", "stored", "world"]


@pytest.fixture
def server(monkeypatch, cvat_url, cvat_admin):
    """Points the plugin at the server under test, and connects to it."""
    for name, value in zip(SERVER, (cvat_url, *cvat_admin), strict=True):
        monkeypatch.setenv(name, value)
    return connect()
