"""Rounds in a project that others use too."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from relabel.annotation import (
    ProjectLacksClasses,
    Request,
    RoundField,
    field_facts,
    list_rounds,
    project_additions,
    pull,
)
from relabel.cvat import LabelSpec, ProjectConflict
from tests.annotation.desk import Desk
from tests.annotation.sending.small_push import own_tasks
from tests.annotation.stock.stock_rounds import stored

pytestmark = pytest.mark.cvat


@pytest.fixture
def project(client):
    """A name that no project has; projects of that name are deleted after the test."""
    name = f"relabel-test-{uuid.uuid4().hex[:8]}"
    yield name
    for item in client._transport.pages("/api/projects", name=name):
        client._transport.request("DELETE", f"/api/projects/{item['id']}")


def test_project__two_rounds_of_the_same_classes_stay_apart(dataset, client, send, project):
    for sample in dataset:
        sample["second"] = sample.ground_truth.copy()
        sample.save()
    first = send(project=project)
    second = send(key="round_2", field="second", project=f"#{first.project_id}")
    assert second.project_id == first.project_id
    assert client.projects.find(project).tasks == 2
    before = stored(dataset)
    works = [Desk(client, record) for record in (first, second)]
    for work in works:
        work.finish(*work.jobs())
    for key in ("round_1", "round_2"):
        report = pull(dataset, key, client)
        assert (report.counts, report.problems) == ({}, ())
    assert stored(dataset) == before
    (job,) = works[1].jobs()
    works[1].draw(job, frame=0)
    works[1].move(job, works[1].shapes(job, frame=0)[0])
    assert pull(dataset, "round_1", client).counts == {}
    assert pull(dataset, "round_2", client).counts == {"added": 1, "moved": 1}
    sample = dataset.first()
    assert [len(sample[name].detections) for name in ("ground_truth", "second")] == [2, 3]


def test_project__is_extended_only_if_that_is_allowed(dataset, client, send, project):
    made = client.projects.create(project, [LabelSpec("cat"), LabelSpec("bird")])
    tasks = len(own_tasks(client))
    with pytest.raises(ProjectLacksClasses, match=r"lacks cat\.label_id, .*dog"):
        send(project=project)
    assert len(own_tasks(client)) == tasks
    assert list_rounds(dataset) == []
    record = send(project=project, extend_project=True)
    assert project_additions(record.request, client) == []
    names = [label.name for label in client.projects.labels(made.id)]
    assert names == ["cat", "bird", "dog"]


def test_project_additions__says_what_would_be_added(dataset, client, project):
    schema = field_facts(dataset, "ground_truth").to_schema()
    request = Request("round_1", (RoundField("ground_truth", schema),), project=project)
    assert project_additions(request, client) == []
    made = client.projects.create(project, [replace(schema.to_specs()[0], attributes=())])
    found = project_additions(request, client)
    assert "cat.label_id" in found
    assert "dog" in found
    assert [label.attributes for label in client.projects.labels(made.id)] == [()]


def test_project__of_another_shape_is_refused_before_anything_is_sent(
    dataset, client, send, project
):
    client.projects.create(project, [LabelSpec("cat", "polygon")])
    with pytest.raises(ProjectConflict, match="for shapes of type polygon"):
        send(project=project, extend_project=True)
    assert list_rounds(dataset) == []


@pytest.mark.parametrize("made_by_us", [True, False])
def test_project__of_a_push_that_is_cancelled(client, send, project, monkeypatch, made_by_us):
    if not made_by_us:
        client.projects.create(project, [])

    def cancel(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(client, "put_task_shapes", cancel)
        with pytest.raises(KeyboardInterrupt):
            send(project=project, extend_project=True)
    found = client.projects.find(project)
    assert found is None if made_by_us else found.tasks == 0
