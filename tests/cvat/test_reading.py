"""Waiting for a server that forgets, is old, fails or hangs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relabel.cvat import CvatClient, CvatDataRejected, CvatNeverRead, reading
from tests.cvat.conftest import Answer

REQUEST = "/api/requests/action%3Dcreate%26target%3Dtask%26target_id%3D{}"
FORGOTTEN = Answer(404, raw=b"There is no request with specified id")
HTML = {"Content-Type": "text/html"}


@pytest.fixture
def client(script, config, monkeypatch):
    monkeypatch.setattr(reading, "_FIRST_POLL", 0.01)
    settings = config(script.url)
    patience = replace(settings.timeouts, processing=0.3)
    with CvatClient(replace(settings, timeouts=patience)) as client:
        yield client


def tasks(*sizes):
    """A list of tasks; those of size 0 have no frames."""
    items = [
        {"id": number, "jobs": {"count": 1 if size else 0}} | ({"size": size} if size else {})
        for number, size in enumerate(sizes, 1)
    ]
    return Answer(200, {"results": items, "next": None})


def said(status, message="", task_id=1):
    body = {"status": status, "message": message, "operation": {"task_id": task_id}}
    return Answer(200, body)


def test_wait_until_read__what_the_server_has_forgotten_is_in_the_task(script, client):
    script.on("GET", REQUEST.format(1), FORGOTTEN)
    script.on("GET", "/api/tasks", tasks(3))
    assert client.wait_until_read([1]) == set()


def test_wait_until_read__of_somebody_else_the_task_is_asked(script, client):
    refusal = {"detail": "You do not have permission to perform this action."}
    script.on("GET", REQUEST.format(1), Answer(403, refusal))
    script.on("GET", "/api/tasks", tasks(3))
    assert client.wait_until_read([1]) == set()


def test_wait_until_read__nothing_was_sent(script, client):
    script.on("GET", REQUEST.format(1), FORGOTTEN)
    script.on("GET", "/api/tasks", tasks(0))
    script.on("GET", "/api/tasks/1/status", Answer(200, {"state": "Finished", "message": ""}))
    assert client.wait_until_read([1]) == {1}


def test_wait_until_read__an_old_server_has_no_requests(script, client):
    """Neither the list nor the single request is there: an HTML page answers."""
    missing = Answer(404, raw=b"<h1>Not Found</h1>", headers=HTML)
    for path in ("/api/requests", REQUEST.format(1), REQUEST.format(2)):
        script.on("GET", path, missing)
    script.on("GET", "/api/tasks", tasks(0, 3), tasks(0, 3), tasks(5, 3))
    started = Answer(200, {"state": "Started", "message": "Media files are being extracted..."})
    script.on("GET", "/api/tasks/1/status", started)
    assert client.wait_until_read([1, 2]) == set()
    assert script.seen("GET", "/api/tasks/1/status") == 2


def test_wait_until_read__an_old_server_fails(script, client):
    script.on("GET", REQUEST.format(1), Answer(404, raw=b"<h1>Not Found</h1>", headers=HTML))
    script.on("GET", "/api/tasks", tasks(0))
    trace = "Traceback (most recent call last):\nOSError: image file is truncated: 7.png\n"
    script.on("GET", "/api/tasks/1/status", Answer(200, {"state": "Failed", "message": trace}))
    with pytest.raises(CvatDataRejected, match=r"truncated: 7\.png") as caught:
        client.wait_until_read([1])
    assert caught.value.task_id == 1


def test_wait_until_read__a_server_that_comes_to_no_end(script, client):
    script.on("GET", REQUEST.format(1), said("started"))
    with pytest.raises(CvatNeverRead, match="FIFTYONE_CVAT_READING_MINUTES"):
        client.wait_until_read([1])


def test_wait_until_read__its_patience_begins_anew_with_every_task_that_is_read(
    script, client, monkeypatch
):
    """Three tasks, each read just before the patience of 0.3 s is over."""
    now = 0.0

    def sleep(_):
        nonlocal now
        now += 0.2

    monkeypatch.setattr(reading.time, "sleep", sleep)
    monkeypatch.setattr(reading.time, "monotonic", lambda: now)
    states = [["started"] * read + ["finished"] for read in (1, 2, 3)]
    listed = [
        {
            "results": [
                said(state[min(poll, len(state) - 1)], task_id=number).body
                for number, state in enumerate(states, 1)
            ]
        }
        for poll in range(4)
    ]
    script.on("GET", "/api/requests", *(Answer(200, body) for body in listed))
    for number, state in enumerate(states, 1):
        script.on("GET", REQUEST.format(number), said(state[-1], task_id=number))
    assert client.wait_until_read([1, 2, 3]) == set()
    assert now > 0.3
