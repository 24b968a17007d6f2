"""A round that was interrupted, in the App: gone on with, or given up."""

from __future__ import annotations

import pytest
import requests
from bson import ObjectId
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionError

from relabel.annotation import Remark, add_remarks, discard_round, list_rounds
from relabel.compute import operations, steering, worker
from tests.operators.app import execute, form, problems

pytestmark = pytest.mark.cvat


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


def test_resume_round__not_of_what_is_being_given_up(dataset, server, interrupted, monkeypatch):
    with monkeypatch.context() as context:
        context.setattr(server, "delete_task", None)
        with pytest.raises(TypeError):
            discard_round(dataset, "torn", server)
    assert problems(form("resume_round", dataset)) != []
    assert problems(form("discard_round", dataset)) == []
    execute("discard_round", dataset, {"key": "torn"})


def test_send_to_cvat__has_time_to_remove_what_it_sent(dataset, server, monkeypatch):
    params = {"what": "dataset", "key": "r"}
    request = {"request_delegation": True, "delegation_target": "interrupted"}
    run = ObjectId(execute("send_to_cvat", dataset, params, **request).result["id"])
    claim = operations.claim_oldest(["interrupted"], "a")
    send, seen = requests.adapters.HTTPAdapter.send, []

    def cancelled_at_the_first_change(adapter, request, **options):
        if request.method == "POST" and not seen:
            steering.cancel(run)
            seen.append(operations.is_taking_back(claim))
        return send(adapter, request, **options)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", cancelled_at_the_first_change)
    worker.run(claim)
    assert seen == [True]
    dataset.reload()
    assert (list_rounds(dataset), dataset.list_annotation_runs()) == ([], [])
    DelegatedOperationService().delete_operation(run)


def test_resume_round__shows_what_was_not_shown_yet(dataset, server, monkeypatch):
    """The server was lost when the round was out, and its annotators were to be told something."""
    sent = execute("send_to_cvat", dataset, {"what": "dataset", "key": "r"}).result
    remark = Remark(dataset.first().id, (0.1, 0.1, 0.2, 0.2), "Is this cat?")
    with monkeypatch.context() as context:
        context.setattr(server, "add_issue", None)
        with pytest.raises(TypeError):
            add_remarks(dataset, "r", server, [remark])
    assert problems(form("discard_round", dataset)) != []
    assert problems(form("resume_round", dataset)) == []
    execute("resume_round", dataset, {"key": "r"})
    (record,) = list_rounds(dataset)
    assert len(server.issues(record.tasks[0].jobs)) == 1
    assert problems(form("resume_round", dataset)) != []
    server.delete_task(sent["tasks"][0]["id"])
