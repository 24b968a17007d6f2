"""What is kept of a pull to undo it."""

from __future__ import annotations

from dataclasses import replace

import fiftyone.core.odm as foo
import pytest

from relabel.annotation import EVERYTHING, TooLargeToUndo, pull, undo_pull

TEXT = "x" * 9_000_000


def describe(dataset):
    """Gives the first label of the first image a text that does not travel; returns its sample."""
    samples = dataset._sample_collection
    sample_id = stored(dataset)[0]["_id"]
    samples.update_one({"_id": sample_id}, {"$set": {"ground_truth.detections.0.story": TEXT}})
    return str(sample_id)


def move(client, record, shape):
    points = tuple(value + 1 for value in shape.points)
    item = replace(shape, points=points).to_json() | {"id": shape.id}
    body = {"version": 0, "tags": [], "tracks": [], "shapes": [item]}
    path = f"/api/tasks/{record.tasks[0].id}/annotations"
    client._transport.send_json("PATCH", path, body, {"action": "update"})


def shapes_of_first(client, record):
    shapes = client.task_annotations(record.tasks[0].id).shapes
    return [shape for shape in shapes if shape.frame == 0]


def stored(dataset):
    return list(dataset._sample_collection.find().sort("_id", 1))


def test_pull__what_cannot_be_kept_is_an_error_before_anything_is_written(dataset, client, send):
    record = send()
    sample_id = describe(dataset)
    shapes = client.task_annotations(record.tasks[0].id).shapes
    move(client, record, shapes_of_first(client, record)[0])
    move(client, record, next(shape for shape in shapes if shape.frame == 1))
    before = stored(dataset)
    with pytest.raises(TooLargeToUndo, match=sample_id):
        pull(dataset, "round_1", client, EVERYTHING)
    assert stored(dataset) == before
    report = pull(dataset, "round_1", client, EVERYTHING, leave_out={sample_id})
    assert report.counts == {"moved": 1}, "the other image is pulled"


def test_undo_pull__keeps_only_the_labels_that_a_pull_changes(dataset, client, send):
    record = send()
    describe(dataset)
    move(client, record, shapes_of_first(client, record)[1])
    before = stored(dataset)
    assert pull(dataset, "round_1", client, EVERYTHING).counts == {"moved": 1}
    (kept,) = foo.get_db_conn()["relabel_undo"].find({"round_id": record.id})
    labels = before[0]["ground_truth"]["detections"]
    assert kept["before"] == [labels[1]]
    assert kept["order"] == [label["_id"] for label in labels]
    undo_pull(dataset, "round_1")
    for sample, was in zip(stored(dataset), before, strict=True):
        assert {**sample, "last_modified_at": 0} == {**was, "last_modified_at": 0}
