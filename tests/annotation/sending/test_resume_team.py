"""A push of a team's round that is killed goes on: one project, everything assigned as it was."""

from __future__ import annotations

import uuid
from collections import Counter
from contextlib import contextmanager

import fiftyone.core.odm as foo
import pytest
import requests

from relabel.annotation import (
    RoundState,
    UnknownRound,
    discard_round,
    load_round,
    make_plan,
    push,
    resume_push,
    rounds_status,
)
from relabel.annotation.comparing.naming import label_specs
from relabel.annotation.record.round import project_tracker, trackers
from relabel.cvat import CvatForbidden, CvatUnreachable, JobType, LabelSpec
from tests.annotation.sending.small_push import remove, request_of, tasks_of, unique
from tests.annotation.sending.test_resume import failing_after, killed

__all__ = ["killed"]

pytestmark = pytest.mark.cvat

KEY = unique("team_round")
EVERY = tuple(JobType)


@pytest.fixture
def project(client):
    """A name that no project has; projects of that name are deleted after the test."""
    name = f"relabel-test-{uuid.uuid4().hex[:8]}"
    yield name
    for item in projects_named(client, name):
        client._transport.request("DELETE", f"/api/projects/{item['id']}")


def projects_named(client, name):
    return list(client._transport.pages("/api/projects", name=name))


def state_of(dataset, client, project):
    """All that a push of a team makes, without ids and without what CVAT leaves to chance."""
    record = load_round(dataset, KEY)
    (found,) = projects_named(client, project)
    tasks = tasks_of(client, KEY)
    assert [task["id"] for task in tasks] == [task.id for task in record.tasks]
    query = {"round_id": record.id}
    frames = list(foo.get_db_conn()["relabel_frames"].find(query))
    return {
        "state": record.state,
        "labels": record.labels,
        "tasks_in_project": found["tasks"]["count"],
        "classes": [label.name for label in client.projects.labels(found["id"])],
        "tasks": [_task(client, task) for task in tasks],
        "pools": [(task.pool, len(task.honeypots), task.overlap) for task in record.tasks],
        "baseline": sorted(
            (frame["sample_id"], [label["id"] for label in frame["labels"]]) for frame in frames
        ),
    }


def _task(client, task):
    names = client.frame_names(task["id"])
    jobs = client.jobs([task["id"]], types=EVERY)
    return {
        "assignee": task["assignee"] and task["assignee"]["username"],
        "images": Counter(names),
        "jobs": [(job.type, job.start_frame, job.stop_frame, job.assignee) for job in jobs],
        "shapes": Counter(
            (job.type, names[shape.frame], shape.points)
            for job in jobs
            for shape in client.job_annotations(job.id).shapes
        ),
    }


def options_of(kind, project, team):
    people = {"project": project, "task_assignees": team[2:], "reviewers": team[:1]}
    return (
        people
        | {
            "overlap": {"overlap": 1, "validation": "ground_truth", "validation_share": 0.4},
            "honeypots": {"images_per_job": 1, "validation": "honeypots", "validation_share": 0.4},
            "replicas": {"consensus_replicas": 2},
        }[kind]
    )


@pytest.fixture(params=["overlap", "honeypots", "replicas"])
def kind(request):
    return request.param


def test_push__of_a_team_killed_after_any_request_goes_on(  # noqa: PLR0917 - fixtures
    dataset, client, cvat_team, killed, project, kind
):
    team, step = tuple(cvat_team), 1 if kind == "overlap" else 2
    options = options_of(kind, project, team)
    request = request_of(dataset, KEY, team[:2], **options)
    push(dataset, make_plan(dataset, request), client)
    undisturbed = state_of(dataset, client, project)
    remove_all(dataset, client, project)
    dataset.persistent = True
    number, status = 1 - step, -9
    while status == -9:
        number += step
        status = killed(dataset, KEY, team[:2], number, **options)
        dataset.reload()
        if status == -9:
            push(dataset, make_plan(dataset, request), client)
        state = state_of(dataset, client, project)
        remove_all(dataset, client, project)
        assert state == undisturbed, f"killed after request {number}"
    assert status == 0
    assert number > 20


def remove_all(dataset, client, project):
    remove(dataset, client, KEY)
    for item in projects_named(client, project):
        client._transport.request("DELETE", f"/api/projects/{item['id']}")


@pytest.fixture
def interrupt(dataset, client, project, cvat_team):
    """Begins pushes into the project that stop after a number of requests."""

    def interrupt(after):
        request = request_of(dataset, KEY, cvat_team[:2], project=project)
        plan = make_plan(dataset, request)
        with failing_after(after), pytest.raises(Exception, match="same name"):
            push(dataset, plan, client)

    yield interrupt
    remove(dataset, client, KEY)


@pytest.mark.parametrize("after", [3, 4, 5, 8, 12])
def test_discard_round__removes_the_project_that_it_made(
    dataset, client, interrupt, project, after
):
    interrupt(after)
    discard_round(dataset, KEY, client)
    assert projects_named(client, project) == []
    assert tasks_of(client, KEY) == []


@contextmanager
def late(path):
    """The server begins with a POST only after its client has given it up and asked again."""
    send = requests.adapters.HTTPAdapter.send
    held, methods = [], []

    def holding(adapter, request, **options):
        first = request.method == "POST" and request.path_url == path and not methods
        if first:
            methods.append(request.method)
            held.append((adapter, request, options))
            raise requests.exceptions.ReadTimeout("late")
        if held and request.method == "POST" and request.path_url == path:
            answer = send(adapter, request, **options)
            send(held[0][0], held[0][1], **held.pop()[2])
            return answer
        return send(adapter, request, **options)

    requests.adapters.HTTPAdapter.send = holding
    try:
        yield held
    finally:
        requests.adapters.HTTPAdapter.send = send


@pytest.mark.parametrize("path", ["/api/tasks", "/api/projects"])
def test_push__what_the_server_made_late_is_removed(dataset, client, cvat_pair, project, path):
    request = request_of(dataset, KEY, cvat_pair, project=project)
    with late(path) as held:
        with pytest.raises(CvatUnreachable, match="same name"):
            push(dataset, make_plan(dataset, request), client)
        push(dataset, make_plan(dataset, request), client)
        assert not held, "it was carried out in the end"
    assert state_of(dataset, client, project)["tasks_in_project"] == 2
    remove_all(dataset, client, project)


@pytest.mark.parametrize("path", ["/api/tasks", "/api/projects"])
def test_discard_round__removes_what_the_server_made_late(
    dataset, client, cvat_pair, project, path
):
    request = request_of(dataset, KEY, cvat_pair, project=project)
    with late(path), pytest.raises(CvatUnreachable, match="same name"):
        push(dataset, make_plan(dataset, request), client)
    record = load_round(dataset, KEY)
    if path == "/api/tasks":
        for tracker in trackers(record):
            client.create_task(KEY, [LabelSpec("cat")], tracker=tracker)
    else:
        for _ in range(2):
            client.projects.create(project, [LabelSpec("cat")], tracker=project_tracker(record))
    discard_round(dataset, KEY, client)
    assert tasks_of(client, KEY) == []
    assert projects_named(client, project) == []


class MadeLater:
    """Carries out the first POST to an address only when it is told to."""

    def __init__(self, path):
        self._path, self._held = path, []

    def __enter__(self):
        self._send = requests.adapters.HTTPAdapter.send

        def holding(adapter, request, **options):
            if not self._held and (request.method, request.path_url) == ("POST", self._path):
                self._held.append((adapter, request.copy(), options))
                raise requests.exceptions.ReadTimeout("late")
            return self._send(adapter, request, **options)

        requests.adapters.HTTPAdapter.send = holding
        return self

    def __exit__(self, *_):
        requests.adapters.HTTPAdapter.send = self._send

    def carry_out(self):
        adapter, request, options = self._held[0]
        self._send(adapter, request, **options).raise_for_status()


@pytest.mark.parametrize("made", ["tasks", "projects"])
@pytest.mark.parametrize("way_out", [push, discard_round])
def test_status__removes_what_was_made_when_nobody_waited_any_more(
    dataset, client, project, made, way_out
):
    in_project = {"project": project} if made == "projects" or way_out is push else {}
    plan = make_plan(dataset, request_of(dataset, KEY, (), **in_project))
    path = f"/api/{made}"
    with MadeLater(path) as later, pytest.raises(CvatUnreachable, match="same name"):
        push(dataset, plan, client)
    way_out(dataset, plan if way_out is push else KEY, client)
    wanted = {task["id"] for task in tasks_of(client, KEY)}
    projects = {item["id"] for item in projects_named(client, project)}
    later.carry_out()
    found = [*tasks_of(client, KEY), *projects_named(client, project)]
    assert len(found) == len(wanted) + len(projects) + 1
    rounds_status(dataset, client)
    assert {task["id"] for task in tasks_of(client, KEY)} == wanted
    assert {item["id"] for item in projects_named(client, project)} == projects
    if way_out is push:
        remove_all(dataset, client, project)


def test_status__is_there_though_what_came_late_cannot_be_looked_for(
    dataset, client, cvat_pair, monkeypatch
):
    plan = make_plan(dataset, request_of(dataset, KEY, cvat_pair))
    with MadeLater("/api/tasks") as later, pytest.raises(CvatUnreachable, match="same name"):
        push(dataset, plan, client)
    discard_round(dataset, KEY, client)
    later.carry_out()
    with monkeypatch.context() as context:
        context.setattr(client, "find_tasks", refused)
        assert rounds_status(dataset, client) == []
    assert rounds_status(dataset, client) == []
    assert len(tasks_of(client, KEY)) == 1, "it is looked for at most once a minute"
    with pytest.raises(UnknownRound):
        resume_push(dataset, KEY, client)
    assert tasks_of(client, KEY) == [], "whoever resumes does not wait"


def refused(*_):
    raise CvatForbidden("CVAT does not let this user do that.")


def test_discard_round__keeps_a_project_that_was_there(dataset, client, interrupt, project):
    classes = label_specs(request_of(dataset, KEY, ()).fields)
    there = client.projects.create(project, classes)
    interrupt(8)
    discard_round(dataset, KEY, client)
    assert [item["id"] for item in projects_named(client, project)] == [there.id]


def test_discard_round__that_was_interrupted_at_the_project(dataset, client, interrupt, project):
    interrupt(6)
    assert len(projects_named(client, project)) == 1
    for after in (3, 4):
        with failing_after(after), pytest.raises(Exception, match="reached"):
            discard_round(dataset, KEY, client)
    assert load_round(dataset, KEY).state is RoundState.DISCARDING
    discard_round(dataset, KEY, client)
    assert projects_named(client, project) == []


def test_discard_round__keeps_a_project_that_others_have_filled(
    dataset, client, interrupt, project
):
    interrupt(8)
    (made,) = projects_named(client, project)
    task_id = client.create_task("of somebody else", [LabelSpec("cat")], project_id=made["id"])
    discard_round(dataset, KEY, client)
    assert tasks_of(client, KEY) == []
    assert client.task_exists(task_id)
