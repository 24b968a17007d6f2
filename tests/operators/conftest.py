"""A CVAT for the operators; the fixtures of the evaluation tests, for those that evaluate."""

from __future__ import annotations

import pytest

from relabel.annotation import connect
from tests.evaluation.conftest import predicted, saved_models
from tests.evaluation.label_errors.conftest import stored, world
from tests.operators.app import SERVER, module_of_plugin

__all__ = ["predicted", "saved_models", "stored", "world"]


@pytest.fixture(autouse=True)
def finding(monkeypatch):
    """The plugin's module that finds out for forms; on a busy machine they wait in the tests."""
    module = module_of_plugin("operators.finding")
    monkeypatch.setattr(module, "WAITED_SECONDS", 30)
    return module


@pytest.fixture
def server(monkeypatch, cvat_url, cvat_admin):
    """Points the plugin at the server under test, and connects to it."""
    for name, value in zip(SERVER, (cvat_url, *cvat_admin), strict=True):
        monkeypatch.setenv(name, value)
    return connect()
