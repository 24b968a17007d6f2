"""A round that was interrupted, in the App: gone on with, or given up."""

from __future__ import annotations

import pytest
import requests
from fiftyone.operators.executor import ExecutionError

from relabel.annotation import connect, list_rounds
from tests.operators.app import execute, form, problems

SERVER = ("FIFTYONE_CVAT_URL", "FIFTYONE_CVAT_USERNAME", "FIFTYONE_CVAT_PASSWORD")


@pytest.fixture
def server(monkeypatch, cvat_url, cvat_admin):
    for name, value in zip(SERVER, (cvat_url, *cvat_admin), strict=True):
        monkeypatch.setenv(name, value)
    return connect()


@pytest.fixture
def interrupted(dataset, server, monkeypatch):
    """The labels of a round never arrived."""
    send = requests.adapters.HTTPAdapter.send

    def failing(adapter, request, **options):
        if request.method == "PUT":
            raise requests.exceptions.ConnectionError("reset")
        return send(adapter, request, **options)

    with monkeypatch.context() as context:
        context.setattr(requests.adapters.HTTPAdapter, "send", failing)
        with pytest.raises(ExecutionError, match="same name"):
            execute("send_to_cvat", dataset, {"what": "dataset", "key": "torn"})
    (record,) = list_rounds(dataset)
    return record


def test_resume_round__sends_the_rest(dataset, server, interrupted):
    assert problems(form("resume_round", dataset)) == []
    result = execute("resume_round", dataset, {"key": "torn"}).result
    assert result == {"key": "torn", "images": 6, "labels": 12}
    (record,) = list_rounds(dataset)
    assert [task.id for task in record.tasks] == [task.id for task in interrupted.tasks]
    assert len(server.task_annotations(record.tasks[0].id).shapes) == 12
    assert problems(form("resume_round", dataset)) != []
    server.delete_task(record.tasks[0].id)


def test_discard_round__removes_what_was_made(dataset, server, interrupted):
    assert problems(form("discard_round", dataset)) == []
    execute("discard_round", dataset, {"key": "torn"})
    dataset.reload()
    assert dataset.list_annotation_runs() == []
    assert not server.task_exists(interrupted.tasks[0].id)
    assert problems(form("discard_round", dataset)) != []
