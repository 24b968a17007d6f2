"""Projects: found, made, extended, and deleted only when they are empty."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from relabel.cvat import (
    AttributeSpec,
    InputType,
    LabelSpec,
    ProjectConflict,
    UnknownProject,
    describe_missing,
    missing_labels,
)
from tests.annotation.conftest import client

__all__ = ["client"]

SIZE = AttributeSpec("size", InputType.SELECT, ("small", "large"), "small")
AGE = AttributeSpec("age", InputType.NUMBER, ("0", "9", "1"), "0")
CAT = LabelSpec("cat", attributes=(SIZE,))


@pytest.fixture
def name(client):
    """A name that no project has; projects of that name are deleted after the test."""
    name = f"relabel-test-{uuid.uuid4().hex[:8]}"
    yield name
    for item in client._transport.pages("/api/projects", name=name):
        client._transport.request("DELETE", f"/api/projects/{item['id']}")


@pytest.mark.cvat
def test_find__by_name_and_by_id(client, name):
    assert client.projects.find(name) is None
    made = client.projects.create(name, [CAT], tracker="ours")
    assert (made.name, made.tracker, made.tasks) == (name, "ours", 0)
    assert client.projects.find(name) == made
    assert client.projects.find(f"#{made.id}") == made


@pytest.mark.cvat
def test_find__two_of_one_name(client, name):
    first = client.projects.create(name, [])
    mine = client.projects.create(name, [], tracker="mine")
    with pytest.raises(UnknownProject, match=f"2 projects named '{name}'") as error:
        client.projects.find(name)
    assert f"#{first.id}" in error.value.advice
    assert client.projects.find(name, tracker="mine") == mine


@pytest.mark.cvat
@pytest.mark.parametrize("reference", ["#99999999", "#", "#cat"])
def test_find__an_id_that_is_none(client, reference):
    with pytest.raises(UnknownProject):
        client.projects.find(reference)


@pytest.mark.cvat
def test_add_labels__leaves_what_is_there(client, name):
    project = client.projects.create(name, [CAT, LabelSpec("bird", "any")])
    before = client.projects.labels(project.id)
    larger = replace(SIZE, values=("small", "huge"))
    wanted = [replace(CAT, attributes=(larger, AGE)), LabelSpec("dog")]
    missing = missing_labels(before, wanted)
    assert describe_missing(missing) == ["cat.size", "cat.age", "dog"]
    client.projects.add_labels(project.id, missing)
    after = {label.name: label for label in client.projects.labels(project.id)}
    assert list(after) == ["cat", "bird", "dog"]
    attributes = {item.name: item for item in after["cat"].attributes}
    assert attributes["size"].values == ("small", "large", "huge")
    assert attributes["size"].id == before[0].attributes[0].id
    assert attributes["age"].input_type is InputType.NUMBER
    assert missing_labels(after.values(), wanted) == []


@pytest.mark.cvat
def test_delete_if_empty__keeps_a_project_that_has_a_task(client, name):
    project = client.projects.create(name, [CAT])
    task_id = client.create_task(name, [], project_id=project.id)
    assert not client.projects.delete_if_empty(project)
    assert client.task_exists(task_id)
    client.delete_task(task_id)
    assert client.projects.delete_if_empty(project)
    assert client.projects.delete_if_empty(project), "it is gone already"
    assert client.projects.find(name) is None


def test_missing_labels__any_type_takes_every_shape():
    assert missing_labels([LabelSpec("cat", "any", id=1)], [LabelSpec("cat", "mask")]) == []


@pytest.mark.parametrize(
    "present",
    [
        LabelSpec("cat", "tag", (SIZE,), id=1),
        LabelSpec("cat", attributes=(replace(SIZE, input_type=InputType.TEXT),), id=1),
        LabelSpec("cat", sublabels=(LabelSpec("nose", "points"),), id=1),
    ],
)
def test_missing_labels__refuses_what_cannot_become_it(present):
    with pytest.raises(ProjectConflict, match="'cat'"):
        missing_labels([present], [CAT])
