"""What the stock exchange gets wrong about teams, by its number in the list of known failures.

Each test sends over a real server. The stock behaviour is named where it happens.
"""

from __future__ import annotations

import uuid

import pytest
import requests
from fiftyone.operators.executor import ExecutionError

from relabel.annotation import (
    EVERYTHING,
    Request,
    RoundField,
    connect,
    discard_round,
    field_facts,
    list_rounds,
    make_plan,
    pull,
    push,
)
from relabel.cvat import JobState, JobType, LabelSpec, UnknownAssignee
from tests.annotation.conftest import client, send
from tests.annotation.sending.small_push import own_tasks
from tests.operators.app import execute

__all__ = ["client", "send"]

pytestmark = pytest.mark.cvat

NOBODY = "nobody_of_that_name"


def stored(dataset):
    return list(dataset._sample_collection.find().sort("_id", 1))


@pytest.fixture
def projects(client):
    """Finds projects by name; those that were asked for are deleted after the test."""
    names = set()

    def projects(name):
        names.add(name)
        return list(client._transport.pages("/api/projects", name=name))

    yield projects
    for name in names:
        for item in projects(name):
            client._transport.request("DELETE", f"/api/projects/{item['id']}")


@pytest.fixture
def environment(monkeypatch, cvat_url, cvat_admin):
    """What the App reads its server from."""
    values = dict(zip(("URL", "USERNAME", "PASSWORD"), (cvat_url, *cvat_admin), strict=True))
    for name, value in values.items():
        monkeypatch.setenv(f"FIFTYONE_CVAT_{name}", value)


@pytest.mark.parametrize("validation", ["ground_truth", "honeypots"])
def test_failure_06__shapes_of_the_yardstick_are_no_labels(dataset, client, send, validation):
    """Stock takes the shapes of ground-truth jobs for ordinary labels."""
    record = send(images_per_job=2, validation=validation, validation_share=0.4)
    task = record.tasks[0]
    before = stored(dataset)
    (truth,) = client.jobs([task.id], types=(JobType.GROUND_TRUTH,))
    drawn = client.job_annotations(truth.id).shapes
    assert drawn, "the yardstick begins with the labels, and is no label itself"
    client.put_job_shapes(truth.id, [])
    for job in (truth, *client.jobs([task.id])):
        client.set_job(job.id, state=JobState.COMPLETED)
    report = pull(dataset, "round_1", client, EVERYTHING)
    assert (report.counts, report.problems) == ({}, ())
    assert stored(dataset) == before


@pytest.mark.parametrize("others_use_it", [False, True])
def test_failure_30__a_project_goes_only_when_it_is_empty(
    dataset, client, projects, monkeypatch, others_use_it
):
    """Stock never deletes the project it made, or deletes one that is not empty."""
    name = f"relabel-test-{uuid.uuid4().hex[:8]}"
    schema = field_facts(dataset, "ground_truth").to_schema()
    request = Request("torn", (RoundField("ground_truth", schema),), project=name)

    def refuse(*_):
        raise requests.exceptions.ConnectionError("reset")

    plan = make_plan(dataset, request)
    with monkeypatch.context() as context:
        context.setattr(client, "upload_images", refuse)
        context.setattr(client, "delete_task", refuse)
        with pytest.raises(requests.exceptions.ConnectionError):
            push(dataset, plan, client)
    (made,) = projects(name)
    assert made["tasks"]["count"] == 1
    other = None
    if others_use_it:
        other = client.create_task("of others", [LabelSpec("cat")], project_id=made["id"])
    discard_round(dataset, "torn", client)
    left = [item["id"] for item in projects(name)]
    assert left == ([made["id"]] if others_use_it else [])
    assert other is None or client.task_exists(other)


def test_failure_31__jobs_are_given_in_the_order_of_their_images(client, send, cvat_team):
    """Stock keeps jobs newest first, so that its round robin runs backwards."""
    one, two, three = cvat_team
    record = send(images_per_job=1, assignees=(one, two, three))
    jobs = client.jobs([record.tasks[0].id])
    assert [job.start_frame for job in jobs] == list(range(6))
    assert [job.assignee for job in jobs] == [one, two, three] * 2


@pytest.mark.parametrize("option", ["assignees", "task_assignees", "reviewers"])
def test_failure_32__an_unknown_person_is_an_error_before_anything_is_sent(
    dataset, client, send, option
):
    """Stock leaves the task to nobody, and says nothing."""
    tasks = own_tasks(client)
    with pytest.raises(UnknownAssignee, match=NOBODY):
        send(**{option: (NOBODY,)})
    assert own_tasks(client) == tasks
    assert list_rounds(dataset) == []
    assert dataset.list_annotation_runs() == []


@pytest.mark.usefixtures("environment")
def test_failure_33__who_is_named_in_the_form_gets_the_jobs(dataset, client, cvat_pair):
    """The form of @voxel51/annotation sends what nothing reads."""
    asked = {"what": "dataset", "key": "by_form", "images_per_job": 3}
    with pytest.raises(ExecutionError, match=NOBODY):
        execute("send_to_cvat", dataset, {**asked, "assignees": [NOBODY]})
    sent = execute("send_to_cvat", dataset, {**asked, "assignees": list(cvat_pair)})
    task_id = sent.result["tasks"][0]["id"]
    assert [job.assignee for job in connect().jobs([task_id])] == list(cvat_pair)
    client.delete_task(task_id)
    connect().delete_task(task_id)
