"""A push of two tasks, and what it leaves on both sides, with no ids."""

from __future__ import annotations

import json
import uuid

import fiftyone.core.odm as foo

from relabel.annotation import Request, RoundField, field_facts, load_round
from relabel.labels import LabelSchema


def unique(name):
    """A name that nothing on the server has, as what is found by it is deleted."""
    return f"{name}_{uuid.uuid4().hex[:8]}"


def request_of(dataset, key, assignees, field="ground_truth", **options):
    facts = field_facts(dataset, field)
    schema = LabelSchema(facts.classes, facts.attributes)
    return Request(
        key,
        (RoundField(field, schema),),
        assignees=tuple(assignees),
        **{"images_per_task": 3, "images_per_job": 2, **options},
    )


def tasks_of(client, key):
    """The tasks of ours in CVAT that belong to a round, by name."""
    return sorted(
        (task for task in own_tasks(client) if task["name"].startswith(key)),
        key=lambda task: task["name"],
    )


def own_tasks(client):
    """The tasks that we own; others may make some while the tests run."""
    condition = json.dumps({"==": [{"var": "owner"}, client.user.username]})
    return list(client._transport.pages("/api/tasks", filter=condition))


def state_of(dataset, client, key):
    """All that a push makes, in CVAT and in the database."""
    record = load_round(dataset, key)
    tasks = tasks_of(client, key)
    assert [task["id"] for task in tasks] == [task.id for task in record.tasks]
    frames = list(
        foo.get_db_conn()["relabel_frames"]
        .find({"round_id": record.id})
        .sort([("task_id", 1), ("frame", 1)])
    )
    numbers = {task.id: number for number, task in enumerate(record.tasks)}
    shapes = {task.id: client.task_annotations(task.id).shapes for task in record.tasks}
    baseline = {label["shape_id"] for frame in frames for label in frame["labels"]}
    assert baseline == {shape.id for found in shapes.values() for shape in found}
    return {
        "state": record.state,
        "labels": record.labels,
        "tasks": [_task(client, task, shapes[task["id"]]) for task in tasks],
        "frames": [
            (
                numbers[frame["task_id"]],
                frame["frame"],
                frame["sample_id"],
                [(label["id"], label["drawn"]) for label in frame["labels"]],
            )
            for frame in frames
        ],
        "runs": dataset.list_annotation_runs(),
    }


def _task(client, task, shapes):
    meta = client._transport.get(f"/api/tasks/{task['id']}/data/meta")
    jobs = client.jobs([task["id"]])
    return {
        "name": task["name"],
        "frames": [frame["name"] for frame in meta["frames"]],
        "jobs": [(job.start_frame, job.stop_frame, job.assignee, job.state) for job in jobs],
        "shapes": sorted(
            (shape.frame, shape.points, sorted(shape.attributes.values())) for shape in shapes
        ),
    }


def remove(dataset, client, key):
    """Removes a round from both sides."""
    for task in tasks_of(client, key):
        client.delete_task(task["id"])
    dataset.reload()
    if dataset.has_annotation_run(key):
        dataset.delete_annotation_run(key)
