"""What the App hears of an operator that runs at once, over HTTP as the App asks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from relabel.annotation import connect, list_rounds
from tests.operators.app import execute, uri

SERVER = ("FIFTYONE_CVAT_URL", "FIFTYONE_CVAT_USERNAME", "FIFTYONE_CVAT_PASSWORD")


@pytest.fixture
def server(monkeypatch, cvat_url, cvat_admin):
    """Points the plugin at the server under test."""
    for name, value in zip(SERVER, (cvat_url, *cvat_admin), strict=True):
        monkeypatch.setenv(name, value)
    return connect()


def stream(name, dataset, params):
    """What the operator asks of the App, in order: pairs of operator and parameters."""
    from fiftyone.server.app import app

    body = {
        "operator_uri": uri(name),
        "dataset_name": dataset.name,
        "params": params,
        "sample_selection_style": {},
    }
    response = TestClient(app).post("/operators/execute/generator", json=body)
    asked = [json.loads(line)["body"] for line in response.text.splitlines()]
    return [(item["operator_uri"].rsplit("/", 1)[-1], item["params"]) for item in asked]


def test_stream__shows_progress_then_the_output(dataset, server):
    asked = stream("send_to_cvat", dataset, {"what": "dataset", "key": "r"})
    assert asked[0] == ("set_progress", {"label": "Starting", "progress": 0})
    assert [name for name, _ in asked][-3:] == ["notify", "open_panel", "show_output"]
    assert asked[-1][1]["results"]["images"] == 6
    (record,) = list_rounds(dataset)
    for task in record.tasks:
        server.delete_task(task.id)


def test_stream__ends_with_what_went_wrong(dataset, server):
    Path(dataset.first().filepath).unlink()
    *_, (name, shown) = stream("send_to_cvat", dataset, {"what": "dataset", "key": "r"})
    assert name == "show_output"
    assert "image-0.png is missing" in json.dumps(shown["outputs"])
    assert list_rounds(dataset) == []


def test_stream__hides_the_text_of_a_foreign_error(dataset, server, caplog):
    sent = execute("send_to_cvat", dataset, {"what": "dataset", "key": "r"}).result
    *_, (name, shown) = stream("pull_annotations", dataset, {"key": "r", "jobs": 7})
    server.delete_task(sent["tasks"][0]["id"])
    assert name == "show_output"
    assert "TypeError" in json.dumps(shown["outputs"])
    assert "iterable" not in json.dumps(shown["outputs"])
    assert "iterable" in caplog.text
