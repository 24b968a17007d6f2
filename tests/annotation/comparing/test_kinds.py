"""Rounds of every kind of label over a real server: nothing is lost, only edits are written."""

from __future__ import annotations

import math
from dataclasses import replace

import fiftyone as fo
import numpy as np
import pytest

from relabel.annotation import (
    Request,
    RoundField,
    UnsupportedField,
    field_facts,
    make_plan,
    pull,
    undo_pull,
)
from relabel.cvat import JobState, Shape
from relabel.labels import LabelSchema

pytestmark = pytest.mark.cvat

DISC = np.hypot(*np.mgrid[-5:6, -6:7]) < 5
RING = DISC & (np.hypot(*np.mgrid[-5:6, -6:7]) > 2)


def documents(dataset):
    return list(dataset._sample_collection.find().sort("_id", 1))


def masks():
    box = [8 / 64, 12 / 48, 13 / 64, 11 / 48]
    return fo.Detections(
        detections=[
            fo.Detection(label="ring", bounding_box=box, mask=RING, confidence=0.25, tags=["t"]),
            fo.Detection(label="box", bounding_box=[0.1, 0.1, 1 / 3, 0.3], index=7),
            fo.Detection(label="far", bounding_box=[0.5, 0.5, 0.3, 0.3], mask=DISC[4:7, 4:6]),
        ]
    )


def polylines():
    outer = [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (1 / 3, 0.9)]
    hole = [(0.4, 0.4), (0.6, 0.4), (0.5, 0.6)]
    island = [(0.92, 0.92), (0.95, 0.92), (0.95, 0.95)]
    return fo.Polylines(
        polylines=[
            fo.Polyline(label="lake", points=[outer, hole, island], closed=True, filled=True),
            fo.Polyline(label="road", points=[outer], confidence=0.5),
            fo.Polyline(label="path", points=[outer[:2], hole]),
            fo.Polyline(label="none", points=[]),
        ]
    )


def keypoints():
    missing = (math.nan, math.nan)
    return fo.Keypoints(
        keypoints=[
            fo.Keypoint(label="a", points=[(0.1, 0.2), missing, (0.3, 1 / 3)]),
            fo.Keypoint(label="b", points=[missing, missing, (0.5, 0.5)], confidence=[0, 0, 0.9]),
            fo.Keypoint(label="b", points=[missing, missing, missing]),
        ]
    )


def classifications():
    return fo.Classifications(
        classifications=[
            fo.Classification(label="day", confidence=0.5, logits=np.array([0.1, 0.9])),
            fo.Classification(label="rain", wet=True),
        ]
    )


MAKERS = {
    "masks": masks,
    "polylines": polylines,
    "keypoints": keypoints,
    "classifications": classifications,
    "one_detection": lambda: masks().detections[0],
    "one_polyline": lambda: polylines().polylines[0],
    "one_keypoint": lambda: keypoints().keypoints[0],
    "one_classification": lambda: classifications().classifications[1],
}


@pytest.fixture
def fill(dataset):
    """Gives every second sample a label of a kind in the field ``labels``."""

    def fill(name):
        for sample in dataset.match_tags("even"):
            sample["labels"] = MAKERS[name]()
            sample.save()
        dataset.add_dynamic_sample_fields()

    return fill


class Editor:
    """Edits a round in CVAT."""

    def __init__(self, client, record):
        self.client = client
        self.task = record.tasks[0]
        self.labels = {spec.name: spec for spec in self.task.labels}

    def shapes(self, frame=0):
        annotations = self.client.task_annotations(self.task.id)
        return [shape for shape in annotations.shapes if shape.frame == frame]

    def save(self, shapes):
        """Saves everything anew; every server id changes, as it does with stock FiftyOne."""
        self.client.put_task_shapes(self.task.id, [replace(shape, id=None) for shape in shapes])

    def relabelled(self, shape, name):
        """The shape with another class; the attributes of that class have ids of their own."""
        names = {a.id: a.name for spec in self.labels.values() for a in spec.attributes}
        ids = {a.name: a.id for a in self.labels[name].attributes}
        attributes = {ids[names[spec]]: text for spec, text in shape.attributes.items()}
        return replace(shape, label_id=self.labels[name].id, attributes=attributes)

    def finish(self):
        for job in self.task.jobs:
            self.client.set_job(job, state=JobState.COMPLETED)

    def everything(self):
        return list(self.client.task_annotations(self.task.id).shapes)


@pytest.mark.parametrize("name", list(MAKERS))
def test_pull__untouched_labels_stay_as_they_are_to_the_last_byte(
    dataset, client, send, fill, name
):
    fill(name)
    record = send(field="labels")
    before = str(documents(dataset))
    editor = Editor(client, record)
    for _ in range(3):
        editor.save(editor.everything())
        editor.finish()
        report = pull(dataset, "round_1", client)
        assert (report.counts, report.problems) == ({}, ())
        assert str(documents(dataset)) == before


@pytest.mark.parametrize("name", list(MAKERS))
def test_undo_pull__of_every_kind(dataset, client, send, fill, name):
    fill(name)
    editor = Editor(client, send(field="labels"))
    before = [str(document.get("labels")) for document in documents(dataset)]
    editor.save([shape for shape in editor.everything() if shape.frame != 0])
    editor.finish()
    report = pull(dataset, "round_1", client)
    assert set(report.counts) == {"removed"}
    assert report.sample_ids == (dataset.first().id,)
    undo_pull(dataset, "round_1")
    assert [str(document.get("labels")) for document in documents(dataset)] == before


def test_pull__a_mask_that_was_redrawn_and_labels_of_both_sorts(dataset, client, send, fill):
    fill("masks")
    record = send(field="labels")
    editor = Editor(client, record)
    assert {label.type for label in record.tasks[0].labels} == {"any"}
    shapes = {editor_name(editor, shape): shape for shape in editor.shapes()}
    assert [shapes[name].type for name in ("ring", "box", "far")] == ["mask", "rectangle", "mask"]
    rest = [shape for shape in editor.everything() if shape.id != shapes["ring"].id]
    width = shapes["ring"].points[-2] - shapes["ring"].points[-4]
    height = shapes["ring"].points[-1] - shapes["ring"].points[-3]
    moved = (*shapes["ring"].points[:-4], 20, 30, 20 + width, 30 + height)
    editor.save([*rest, replace(shapes["ring"], points=moved)])
    editor.finish()
    assert pull(dataset, "round_1", client).counts == {"moved": 1}
    ring, box, far = dataset.first().labels.detections
    columns, rows = np.flatnonzero(RING.any(axis=0)), np.flatnonzero(RING.any(axis=1))
    tight = RING[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert np.array_equal(ring.mask, tight)
    assert ring.bounding_box == [20 / 64, 30 / 48, tight.shape[1] / 64, tight.shape[0] / 48]
    assert (ring.confidence, ring.tags, box.index) == (0.25, ["t"], 7)
    assert np.array_equal(far.mask, DISC[4:7, 4:6])


def editor_name(editor, shape):
    return next(name for name, spec in editor.labels.items() if spec.id == shape.label_id)


def test_pull__one_part_of_a_polyline_was_moved(dataset, client, send, fill):
    fill("polylines")
    editor = Editor(client, send(field="labels"))
    lake = [shape for shape in editor.shapes() if editor_name(editor, shape) == "lake"]
    assert [shape.type for shape in lake] == ["polygon"] * 3
    assert len({shape.group for shape in lake}) == 1
    assert lake[0].group
    hole = lake[1]
    rest = [shape for shape in editor.everything() if shape.id != hole.id]
    editor.save([*rest, replace(hole, points=(32.0, 24.0, 40.0, 24.0, 36.0, 30.0))])
    editor.finish()
    before = dataset.first().labels.polylines[0].points
    assert pull(dataset, "round_1", client).counts == {"moved": 1}
    label = dataset.first().labels.polylines[0]
    outer, new, island = label.points
    assert new == [[0.5, 0.5], [0.625, 0.5], [0.5625, 0.625]]
    for part, was in ((outer, before[0]), (island, before[2])):
        for point, old in zip(part, was, strict=True):
            assert point == pytest.approx(old, abs=1e-12)
    assert (label.closed, label.filled) == (True, True)


def test_pull__keypoints_in_a_skeleton(dataset, client, send, fill):
    dataset.skeletons = {
        "labels": fo.KeypointSkeleton(labels=["nose", "left", "right"], edges=[[1, 0, 2]])
    }
    dataset.save()
    fill("keypoints")
    record = send(field="labels")
    assert [label.type for label in record.tasks[0].labels] == ["skeleton", "skeleton"]
    editor = Editor(client, record)
    first = editor.shapes()[0]
    assert [node.outside for node in first.elements] == [False, True, False]
    seen = replace(first.elements[1], points=(16.0, 12.0), outside=False, id=None)
    nodes = [replace(node, id=None) for node in first.elements]
    rest = [shape for shape in editor.everything() if shape.id != first.id]
    rest = [
        replace(shape, elements=tuple(replace(node, id=None) for node in shape.elements))
        for shape in rest
    ]
    editor.save([*rest, replace(first, elements=(nodes[0], seen, nodes[2]))])
    editor.finish()
    pull(dataset, "round_1", client)
    points = dataset.first().labels.keypoints[0].points
    assert points[1] == [0.25, 0.25]
    assert points[0] == pytest.approx((0.1, 0.2))
    assert math.isnan(dataset.first().labels.keypoints[1].points[0][0])


def test_pull__nodes_that_are_hidden(dataset, client, send):
    dataset.default_skeleton = fo.KeypointSkeleton(labels=["a", "b", "c"], edges=[[0, 1, 2]])
    points = [(0.1, 0.2), (math.nan, math.nan), (0.3, 1 / 3)]
    for sample in dataset:
        said, unsaid = (fo.Keypoint(label="x", points=points) for _ in range(2))
        said["visible"] = [1, 0, 2]
        sample["labels"] = fo.Keypoints(keypoints=[said, unsaid])
        sample.save()
    dataset.add_dynamic_sample_fields()
    before = documents(dataset)
    record = send(field="labels")
    names = {item.name for spec in record.tasks[0].labels for item in spec.attributes}
    assert "visible" not in names, "each node has a switch for it"
    editor = Editor(client, record)
    shapes = [
        replace(shape, elements=tuple(replace(node, id=None) for node in shape.elements))
        for shape in editor.everything()
    ]
    assert {tuple(node.occluded for node in shape.elements) for shape in shapes} == {
        (True, False, False),
        (False, False, False),
    }
    editor.save(shapes)
    editor.finish()
    assert pull(dataset, "round_1", client).counts == {}
    assert str(documents(dataset)) == str(before)
    for index in (0, 1):
        nodes = [replace(node, occluded=not node.occluded) for node in shapes[index].elements]
        shapes[index] = replace(shapes[index], elements=tuple(nodes))
    editor.save(shapes)
    editor.finish()
    assert pull(dataset, "round_1", client).counts == {"attribute": 2}
    found = documents(dataset)[0]["labels"]["keypoints"]
    assert [label["visible"] for label in found] == [[2, 0, 1], [1, 0, 1]]
    for label, was in zip(found, before[0]["labels"]["keypoints"], strict=True):
        assert str({**label, "visible": 0}) == str({**was, "visible": 0})
    undo_pull(dataset, "round_1")
    labels = [document["labels"] for document in documents(dataset)]
    assert str(labels) == str([document["labels"] for document in before])


def test_pull__tags_become_classifications(dataset, client, send, fill):
    fill("classifications")
    editor = Editor(client, send(field="labels", classes=["day", "rain", "fog"]))
    day, rain = editor.shapes()
    rest = [shape for shape in editor.everything() if shape.frame != 0]
    fog = replace(day, label_id=editor.labels["fog"].id, attributes={})
    editor.save([*rest, rain, fog, Shape("tag", 1, editor.labels["day"].id, ())])
    editor.finish()
    assert pull(dataset, "round_1", client).counts == {"added": 2, "removed": 1}
    labels = [sample.labels.classifications for sample in dataset.limit(2)]
    assert [[label.label for label in item] for item in labels] == [["rain", "fog"], ["day"]]


def test_pull__shapes_of_other_types_are_made_into_what_the_field_holds(dataset, client, send):
    editor = Editor(client, send())
    cat = editor.labels["cat"].id
    drawn = [
        Shape("ellipse", 1, cat, (32.0, 24.0, 48.0, 12.0)),
        Shape("cuboid", 1, cat, (5, 5, 5, 25, 20, 5, 20, 25, 30, 3, 30, 20, 15, 3, 15, 20)),
        Shape("polyline", 1, cat, (1.0, 1.0, 2.0, 2.0)),
        Shape("tag", 1, cat, ()),
    ]
    editor.save([*editor.everything(), *drawn])
    editor.finish()
    report = pull(dataset, "round_1", client)
    assert report.counts == {"added": 2}
    ellipse, cuboid = dataset.skip(1).first().ground_truth.detections[2:]
    assert ellipse.bounding_box == [0.25, 0.25, 0.5, 0.5]
    assert cuboid.bounding_box == pytest.approx([5 / 64, 3 / 48, 25 / 64, 22 / 48])
    remarks = " ".join(report.problems)
    for kind in ("ellipse", "cuboid", "polyline", "tag"):
        assert f"1 of type {kind}" in remarks


@pytest.mark.parametrize(
    ("kind", "drawn"),
    [
        ("polylines", ("polygon", (16.0, 12.0, 32.0, 12.0, 32.0, 24.0))),
        ("keypoints", ("points", (16.0, 12.0))),
        ("classifications", ("tag", ())),
        ("classification", ("tag", ())),
        ("detections", ("mask", (0, 6, 4, 5, 6, 6))),
    ],
)
def test_pull__a_new_field_of_any_kind(dataset, client, send, kind, drawn):
    editor = Editor(client, send(field="fresh", classes=["new"], kind=kind))
    editor.save([Shape(drawn[0], 0, editor.labels["new"].id, drawn[1])])
    editor.finish()
    assert pull(dataset, "round_1", client).counts == {"added": 1}
    value = dataset.first()["fresh"]
    label = value if kind == "classification" else value[kind][0]
    assert label.label == "new"
    undo_pull(dataset, "round_1")
    assert dataset.first()["fresh"] is None


def test_make_plan__the_kind_must_be_that_of_the_field(dataset):
    schema = LabelSchema(("cat", "dog"), kind="polylines")
    with pytest.raises(UnsupportedField, match="a field of detections"):
        make_plan(dataset, Request("r", (RoundField("ground_truth", schema),)))


@pytest.mark.parametrize("name", list(MAKERS))
def test_field_facts__of_every_kind(dataset, fill, name):
    fill(name)
    facts = field_facts(dataset, "labels")
    value = MAKERS[name]()
    labels = value[value._LABEL_LIST_FIELD] if hasattr(value, "_LABEL_LIST_FIELD") else [value]
    assert facts.labels == 3 * len(labels)
    assert facts.classes == tuple(sorted({label.label for label in labels}))
    assert {item.name for item in facts.attributes} <= {"wet"}
    assert facts.left_out == ()
