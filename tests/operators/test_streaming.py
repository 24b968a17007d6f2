"""What the App hears of an operator that runs at once, over HTTP as the App asks."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from relabel.annotation import list_rounds
from tests.annotation.comparing.test_kinds import Editor
from tests.annotation.comparing.test_unreadable import move_all
from tests.annotation.sending.small_push import tasks_of, unique
from tests.annotation.stock.stock_rounds import stored
from tests.operators.app import execute, operator, uri
from tests.operators.test_cancelling import press_cancel, run_in_the_app

pytestmark = pytest.mark.cvat


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
    name, begins = asked[0]
    assert (name, begins["results"]) == ("show_output", {"progress": 0})
    assert begins["outputs"]["type"]["properties"]["progress"]["view"]["label"] == "Starting"
    assert "cancel" in begins["outputs"]["type"]["properties"]
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


@pytest.fixture
def sent(dataset, server):
    """A round of all images, of which all boxes have been moved in CVAT."""
    execute("send_to_cvat", dataset, {"what": "dataset", "key": "r"})
    (record,) = list_rounds(dataset)
    move_all(Editor(server, record))
    yield record
    server.delete_task(record.tasks[0].id)


def labels_of(dataset):
    return [document["ground_truth"] for document in stored(dataset)]


@pytest.mark.parametrize("name", ["review_changes", "pull_annotations", "undo_pull"])
def test_stream__can_be_cancelled_until_something_is_written(dataset, server, sent, name):
    before = labels_of(dataset)
    if name == "undo_pull":
        execute("pull_annotations", dataset, {"key": "r"})
    pulled = stored(dataset)
    running = run_in_the_app(name, dataset, {"key": "r"})
    assert press_cancel(next(running)[1], dataset)
    *_, (_, shown) = running
    assert "It was cancelled." in json.dumps(shown["outputs"])
    assert stored(dataset) == pulled
    *_, (asked, shown) = run_in_the_app(name, dataset, {"key": "r"})
    assert (asked, shown["results"]["key"]) == ("show_output", "r")
    assert (labels_of(dataset) == before) == (name != "pull_annotations")


def test_stream__a_pull_that_is_cancelled_too_late_says_what_it_did(
    dataset, server, sent, monkeypatch
):
    """Cancelled while it writes, it is not told "cancelled" with the labels merged."""
    module = sys.modules[type(operator("pull_annotations")).__module__]
    running = run_in_the_app("pull_annotations", dataset, {"key": "r"})
    _, begins = next(running)
    pull = module.pull

    def pulled(*arguments, **options):
        report = pull(*arguments, **options)
        assert press_cancel(begins, dataset)
        return report

    monkeypatch.setattr(module, "pull", pulled)
    *_, (asked, shown) = running
    assert (asked, shown["results"]["samples"]) == ("show_output", 6)


def test_stream__a_push_that_is_cancelled_leaves_nothing(dataset, server):
    key = unique("cancel")
    running = run_in_the_app("send_to_cvat", dataset, {"what": "dataset", "key": key})
    assert press_cancel(next(running)[1], dataset)
    *_, (_, shown) = running
    assert "It was cancelled." in json.dumps(shown["outputs"])
    assert tasks_of(server, key) == []
    assert list_rounds(dataset) == []
