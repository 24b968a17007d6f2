"""Rounds of several label fields: each label comes back to its own."""

from __future__ import annotations

from dataclasses import replace

import fiftyone as fo
import pytest

from relabel.annotation import (
    ConflictPolicy,
    Request,
    RoundField,
    UnsupportedField,
    field_facts,
    make_plan,
    pull,
    push,
    undo_pull,
)
from tests.annotation.comparing.test_kinds import Editor, documents, editor_name

pytestmark = pytest.mark.cvat


@pytest.fixture
def round_of(dataset, client):
    """Sends a round of ``ground_truth``, of ``model`` with the same class, and of ``scene``."""
    for sample in dataset:
        box = fo.Detection(label="cat", bounding_box=[0.1, 0.1, 1 / 3, 0.5], confidence=0.5)
        sample["model"] = fo.Detections(detections=[box])
        sample["scene"] = fo.Classification(label="indoors")
        sample.save()
    fields = tuple(
        RoundField(name, field_facts(dataset, name).to_schema())
        for name in ("ground_truth", "model", "scene")
    )
    record = push(dataset, make_plan(dataset, Request("round_1", fields)), client)
    yield record
    for task in record.tasks:
        client.delete_task(task.id)


def test_push__classes_of_several_fields_are_told_apart(dataset, client, round_of):
    (task,) = round_of.tasks
    assert sorted(label.name for label in task.labels) == [
        "cat_ground_truth",
        "cat_model",
        "dog",
        "indoors",
    ]
    assert round_of.labels == 24


def test_pull__untouched_fields_stay_as_they_are(dataset, client, round_of):
    before = str(documents(dataset))
    editor = Editor(client, round_of)
    editor.save(editor.everything())
    editor.finish()
    assert pull(dataset, "round_1", client).counts == {}
    assert str(documents(dataset)) == before


def test_pull__each_label_comes_back_to_its_own_field(dataset, client, round_of):
    editor = Editor(client, round_of)
    before = [{**document, "last_modified_at": None} for document in documents(dataset)]
    shapes = {editor_name(editor, shape): shape for shape in editor.shapes()}
    rest = [shape for shape in editor.everything() if shape.frame != 0]
    moved = replace(shapes["cat_model"], points=(16.0, 12.0, 32.0, 24.0))
    other = editor.relabelled(shapes["cat_ground_truth"], "cat_model")
    editor.save([*rest, moved, other, shapes["dog"]])
    editor.finish()
    report = pull(dataset, "round_1", client)
    # A class of another field: the label leaves its field and is new in the other.
    assert report.counts == {"moved": 1, "added": 1, "removed": 2}
    assert report.sample_ids == (dataset.first().id,)
    first = dataset.first()
    assert [label.label for label in first.ground_truth.detections] == ["dog"]
    assert [label.label for label in first.model.detections] == ["cat", "cat"]
    assert first.model.detections[0].bounding_box == [0.25, 0.25, 0.25, 0.25]
    assert (first.model.detections[0].confidence, first.scene) == (0.5, None)
    undo_pull(dataset, "round_1")
    assert [{**document, "last_modified_at": None} for document in documents(dataset)] == before


def test_pull__a_conflict_in_one_field_does_not_hold_up_another(dataset, client, round_of):
    editor = Editor(client, round_of)
    shapes = {editor_name(editor, shape): shape for shape in editor.shapes()}
    rest = [shape for shape in editor.everything() if shape.frame != 0]
    points = (16.0, 12.0, 32.0, 24.0)
    editor.save(
        [
            *rest,
            *(replace(shapes[name], points=points) for name in ("cat_model", "dog")),
            shapes["cat_ground_truth"],
            shapes["indoors"],
        ]
    )
    editor.finish()
    sample = dataset.first()
    sample.model.detections[0].bounding_box = [0, 0, 0.5, 0.5]
    sample.save()
    assert pull(dataset, "round_1", client).counts == {"moved": 1, "conflict": 1}
    assert dataset.first().model.detections[0].bounding_box == [0, 0, 0.5, 0.5]
    report = pull(dataset, "round_1", client, policy=ConflictPolicy.CVAT_WINS)
    assert report.counts == {"moved": 1}
    assert dataset.first().model.detections[0].bounding_box == [0.25, 0.25, 0.25, 0.25]


@pytest.mark.parametrize("names", [(), ("ground_truth", "ground_truth")])
def test_make_plan__fields_are_named_once(dataset, names):
    schema = field_facts(dataset, "ground_truth").to_schema()
    request = Request("round_1", tuple(RoundField(name, schema) for name in names))
    with pytest.raises(UnsupportedField):
        make_plan(dataset, request)
