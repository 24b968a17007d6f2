"""A push that is interrupted goes on where it stood; one that is given up leaves nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import fiftyone.core.odm as foo
import pytest
import requests

from relabel.annotation import (
    RoundError,
    RoundNameTaken,
    discard_round,
    list_rounds,
    load_round,
    make_plan,
    push,
    resume_push,
    rounds_status,
)
from relabel.annotation.planning.planned import load_plan
from relabel.cvat import CvatDataRejected, uploads
from tests.annotation.sending.small_push import remove, request_of, state_of, tasks_of, unique

pytestmark = pytest.mark.cvat

KEY = unique("interrupted")


def environment_of(config):
    """The variables under which another process finds the server."""
    settings = {
        "URL": config.url,
        "USERNAME": config.username,
        "PASSWORD": config.password,
        "TOKEN": config.token,
    }
    named = {f"FIFTYONE_CVAT_{name}": value or "" for name, value in settings.items()}
    return {**os.environ, **named}


@pytest.fixture
def killed(cvat_config):
    """Pushes in a process of its own that is killed after a number of requests."""
    command = [sys.executable, "-m", "tests.annotation.sending.killed_process"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[3],
        env=environment_of(cvat_config),
    ) as process:

        def killed(dataset, key, assignees, kill_after, **options):
            order = {
                "dataset": dataset.name,
                "key": key,
                "assignees": assignees,
                "options": options,
                "kill_after": kill_after,
            }
            process.stdin.write(f"{json.dumps(order)}\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        yield killed
        process.stdin.close()


@contextmanager
def failing_after(number, error=requests.exceptions.ConnectionError):
    """An error at a request, after the server has done what it was asked for."""
    send = requests.adapters.HTTPAdapter.send
    seen = 0

    def counting(*args, **kwargs):
        nonlocal seen
        answer = send(*args, **kwargs)
        seen += 1
        if seen == number:
            raise error("lost")
        return answer

    requests.adapters.HTTPAdapter.send = counting
    try:
        yield
    finally:
        requests.adapters.HTTPAdapter.send = send


@pytest.fixture
def interrupted(dataset, client, cvat_pair):
    """A push that stops after a number of requests, and its plan."""

    def interrupted(after):
        plan = make_plan(dataset, request_of(dataset, KEY, cvat_pair))
        with failing_after(after), pytest.raises(Exception, match="same name"):
            push(dataset, plan, client)
        return plan

    yield interrupted
    remove(dataset, client, KEY)


def test_push__killed_after_any_request_goes_on_where_it_stood(
    dataset, client, cvat_pair, killed, monkeypatch
):
    monkeypatch.setattr(uploads, "MAX_REQUEST_FILES", 2)
    request = request_of(dataset, KEY, cvat_pair)
    push(dataset, make_plan(dataset, request), client)
    undisturbed = state_of(dataset, client, KEY)
    remove(dataset, client, KEY)
    dataset.persistent = True
    number, status = 0, -9
    while status == -9:
        number += 1
        status = killed(dataset, KEY, cvat_pair, number)
        dataset.reload()
        if status == -9:
            plan = make_plan(dataset, request)
            assert plan.resumes or number == 1, "the first request may ask for the people"
            push(dataset, plan, client)
        state = state_of(dataset, client, KEY)
        remove(dataset, client, KEY)
        assert state == undisturbed, f"killed after request {number}"
    assert status == 0
    assert number > 20, "two tasks, each with four requests of data"


@pytest.mark.parametrize("arrived", [False, True])
def test_push__killed_in_mid_upload_sends_no_file_again(
    dataset, client, killed, monkeypatch, arrived
):
    """Also not if the server has taken the request of which no answer came."""
    monkeypatch.setattr(uploads, "MAX_REQUEST_FILES", 2)
    whole = {"images_per_task": 6}
    plan = make_plan(dataset, request_of(dataset, KEY, (), **whole))
    push(dataset, plan, client)
    undisturbed = state_of(dataset, client, KEY)
    remove(dataset, client, KEY)
    dataset.persistent = True
    assert killed(dataset, KEY, [], "files", **whole) == -9
    dataset.reload()
    record = load_round(dataset, KEY)
    (task,) = record.tasks
    assert task.sent == 2
    if arrived:
        asked_next = [image.file for image in load_plan(record.id, 2, 2)]
        multiple = {"Upload-Multiple": "true"}
        uploads._send_batch(
            client._transport, task.id, asked_next, {"image_quality": 70}, multiple
        )
    with seen_uploads(task.id) as seen:
        push(dataset, plan, client)
    each = ["Upload-Length"] if arrived else ["Upload-Length", "Upload-Offset"]
    assert seen == [*each, *each, "Upload-Multiple", "Upload-Finish"]
    (after,) = load_round(dataset, KEY).tasks
    state = state_of(dataset, client, KEY)
    remove(dataset, client, KEY)
    assert (after.id, state) == (task.id, undisturbed)


@contextmanager
def seen_uploads(task_id):
    """What is asked of the data of a task, by the header that says it."""
    send, seen = requests.adapters.HTTPAdapter.send, []

    def watching(adapter, request, **options):
        if request.method != "GET" and f"/api/tasks/{task_id}/data/" in request.path_url:
            names = [name for name in request.headers if name.startswith("Upload-")]
            seen.append(names[0])
        return send(adapter, request, **options)

    requests.adapters.HTTPAdapter.send = watching
    try:
        yield seen
    finally:
        requests.adapters.HTTPAdapter.send = send


def test_push__whose_upload_met_an_error_begins_the_task_anew(
    dataset, client, cvat_pair, interrupted, monkeypatch
):
    """The server may have failed in the midst of a request: nobody knows what it has of it."""
    monkeypatch.setattr(uploads, "MAX_REQUEST_FILES", 2)
    plan = interrupted(5)
    (first, _) = load_round(dataset, KEY).tasks
    assert (first.sent, first.step) == (0, "created")
    push(dataset, plan, client)
    assert first.id not in [task.id for task in load_round(dataset, KEY).tasks]


def test_discard_round__leaves_nothing_wherever_it_was_interrupted(
    dataset, client, interrupted, cvat_pair
):
    before = list(dataset._sample_collection.find())
    for after in (2, 3, 5, 8, 11):
        interrupted(after)
        (status,) = rounds_status(dataset, client)
        assert (status.key, status.state) == (KEY, "pushing")
        discard_round(dataset, KEY, client)
        assert tasks_of(client, KEY) == []
        dataset.reload()
        assert dataset.list_annotation_runs() == []
        assert list_rounds(dataset) == []
        assert list(dataset._sample_collection.find()) == before
        frames = foo.get_db_conn()["relabel_frames"]
        assert frames.count_documents({"sample_id": {"$in": dataset.values("id")}}) == 0


def test_push__cancelled_after_any_request_leaves_nothing(dataset, client, cvat_pair, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_REQUEST_FILES", 2)
    before = list(dataset._sample_collection.find())
    plan = make_plan(dataset, request_of(dataset, KEY, cvat_pair))
    for number in count(1):
        try:
            with failing_after(number, KeyboardInterrupt):
                push(dataset, plan, client)
            break
        except KeyboardInterrupt:
            assert tasks_of(client, KEY) == [], f"cancelled after request {number}"
        dataset.reload()
        assert dataset.list_annotation_runs() == []
        assert list_rounds(dataset) == []
        frames = foo.get_db_conn()["relabel_frames"]
        assert frames.count_documents({"sample_id": {"$in": dataset.values("id")}}) == 0
        assert list(dataset._sample_collection.find()) == before
    assert number > 20
    remove(dataset, client, KEY)


def test_discard_round__that_was_interrupted_itself(dataset, client, interrupted):
    plan = interrupted(8)
    with failing_after(2), pytest.raises(Exception, match="reached"):
        discard_round(dataset, KEY, client)
    push(dataset, plan, client)
    assert state_of(dataset, client, KEY)["state"] == "out"
    assert len(tasks_of(client, KEY)) == 2


def test_discard_round__refuses_what_is_out(dataset, client, send):
    record = send()
    with pytest.raises(RoundError, match="may have worked"):
        discard_round(dataset, "round_1", client)
    assert client.task_exists(record.tasks[0].id)


def test_resume_push__needs_no_plan(dataset, client, interrupted):
    interrupted(6)
    resume_push(dataset, KEY, client)
    assert len(state_of(dataset, client, KEY)["frames"]) == 6


def test_resume_push__cancelled_after_any_request_can_be_resumed(dataset, client, interrupted):
    interrupted(11)
    first = load_round(dataset, KEY).tasks[0]
    for number in count(1):
        try:
            with failing_after(number, KeyboardInterrupt):
                resume_push(dataset, KEY, client)
            break
        except KeyboardInterrupt:
            record = load_round(dataset, KEY)
            assert record.state == "pushing", f"cancelled after request {number}"
            assert record.tasks[0].id == first.id
    assert number > 5
    assert len(state_of(dataset, client, KEY)["frames"]) == 6


def test_resume_push__files_that_cvat_cannot_read_end_it(
    dataset, client, interrupted, monkeypatch
):
    interrupted(11)

    def refuse(*_):
        raise CvatDataRejected("CVAT could not read the images.")

    monkeypatch.setattr(client, "wait_until_read", refuse)
    with pytest.raises(CvatDataRejected):
        resume_push(dataset, KEY, client)
    assert (list_rounds(dataset), tasks_of(client, KEY)) == ([], [])


def test_push__of_another_plan_under_the_name_of_an_interrupted_round(
    dataset, client, interrupted
):
    plan = interrupted(6)
    other = make_plan(dataset.limit(2), plan.request)
    with pytest.raises(RoundNameTaken, match="interrupted"):
        push(dataset, other, client)


def test_push__samples_deleted_meanwhile_keep_their_frames(dataset, client, interrupted):
    interrupted(6)
    gone = dataset.first().id
    dataset.delete_samples([gone])
    resume_push(dataset, KEY, client)
    frames = state_of(dataset, client, KEY)["frames"]
    assert frames[0][2:] == (gone, [])
    assert [len(labels) for *_, labels in frames] == [0, 2, 2, 2, 2, 2]


def test_push__a_run_that_a_crash_left_without_a_record(dataset, client, send, killed):
    dataset.persistent = True
    assert killed(dataset, KEY, [], "record") == -9
    dataset.reload()
    assert dataset.list_annotation_runs() == [KEY]
    assert list_rounds(dataset) == []
    record = send(KEY)
    assert [known.id for known in list_rounds(dataset)] == [record.id]
    assert foo.get_db_conn()["relabel_intents"].count_documents({}) == 0
