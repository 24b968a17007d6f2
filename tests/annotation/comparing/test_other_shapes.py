"""What annotators draw otherwise than a field holds it, and what cannot travel at all: each is
converted by a stated rule or stays in CVAT, and is counted; nothing is lost without a word."""

from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest

from relabel.annotation import (
    Request,
    RoundField,
    UnsupportedField,
    UnsupportedMedia,
    make_plan,
    pull,
    undo_pull,
)
from relabel.cvat import Shape
from relabel.labels import LabelSchema, MalformedLabel
from tests.annotation.comparing.test_kinds import Editor
from tests.annotation.sending.small_push import own_tasks
from tests.annotation.stock.stock_rounds import stored

pytestmark = pytest.mark.cvat

CORNERS = (
    5.0,
    5.0,
    5.0,
    25.0,
    20.0,
    5.0,
    20.0,
    25.0,
    30.0,
    3.0,
    30.0,
    20.0,
    15.0,
    3.0,
    15.0,
    20.0,
)
DRAWN = {
    "rectangle": (16.0, 12.0, 32.0, 24.0),
    "ellipse": (32.0, 24.0, 48.0, 12.0),
    "cuboid": CORNERS,
    "polygon": (16.0, 12.0, 32.0, 12.0, 32.0, 24.0),
    "polyline": (16.0, 12.0, 32.0, 12.0, 32.0, 24.0),
    "points": (16.0, 12.0, 32.0, 24.0),
    "mask": (0, 6, 4, 5, 6, 6),
    "tag": (),
}
TAKEN = {
    "detections": {"rectangle": True, "mask": True, "ellipse": False, "cuboid": False,
                   "polygon": False},
    "polylines": {"polygon": True, "polyline": True, "points": True, "rectangle": False,
                  "ellipse": False},
    "keypoints": {"points": True},
    "classifications": {"tag": True},
    "segmentation": {"mask": True, "polygon": False},
}  # fmt: skip
"""Kind of field -> what it takes, and whether as it is drawn."""


@pytest.mark.parametrize("kind", list(TAKEN))
def test_pull__every_type_of_shape_is_taken_or_counted(dataset, client, send, kind):
    if kind == "segmentation":
        dataset.mask_targets = {"fresh": {1: "new"}}
        dataset.save()
    targets = ((1, "new"),) if kind == "segmentation" else ()
    schema = LabelSchema(("new",), kind=kind, targets=targets)
    editor = Editor(client, send(fields=(RoundField("fresh", schema),)))
    new = editor.labels["new"].id
    shapes = [
        Shape(name, frame, new, points)
        for name, points in DRAWN.items()
        for frame in (0, 1)
    ]  # fmt: skip
    # In a segmentation one class is one label, so there each type has an image of its own.
    editor.save(shapes if kind != "segmentation" else _spread(new))
    editor.finish()
    before = stored(dataset)
    report = pull(dataset, "round_1", client)
    taken, number = TAKEN[kind], 1 if kind == "segmentation" else 2
    assert report.counts == {"added": len(taken) * number}
    expected = {
        f"{number} of type {name} became what a field of"
        for name, as_drawn in taken.items()
        if not as_drawn
    } | {f"{number} of type {name} stay in CVAT only" for name in DRAWN.keys() - taken.keys()}
    assert len(report.problems) == len(expected)
    for text in expected:
        assert any(problem.startswith(text) for problem in report.problems), text
    undo_pull(dataset, "round_1")
    assert [{**d, "last_modified_at": 0} for d in stored(dataset)] == [
        {**d, "last_modified_at": 0} for d in before
    ]


def _spread(class_id):
    masks = ("mask", "polygon")
    others = [name for name in DRAWN if name not in masks]
    frames = [*((name, index) for index, name in enumerate(masks)), *((n, 2) for n in others)]
    return [Shape(name, frame, class_id, DRAWN[name]) for name, frame in frames]


@pytest.mark.parametrize(
    ("kind", "shape_type"),
    [("classification", "tag"), ("detection", "rectangle"), ("polyline", "polygon"),
     ("keypoint", "points")],
)  # fmt: skip
def test_pull__a_second_label_where_a_field_holds_one(dataset, client, send, kind, shape_type):
    """One of them is taken, and it is said that the other is not."""
    editor = Editor(client, send(field="fresh", classes=["new", "other"], kind=kind))
    ids = [editor.labels[name].id for name in ("new", "other")]
    editor.save([Shape(shape_type, 0, class_id, DRAWN[shape_type]) for class_id in ids])
    editor.finish()
    report = pull(dataset, "round_1", client)
    assert report.counts == {"added": 1}
    assert dataset.first()["fresh"].label == "new"
    assert "holds one label" in " ".join(report.problems)
    again = pull(dataset, "round_1", client)
    assert again.counts == {}


@pytest.mark.parametrize(
    "value",
    [
        fo.Heatmap(map=np.ones((4, 4))),
        fo.GeoLocation(point=[1.0, 2.0]),
        fo.Regression(value=0.5),
        fo.Classification,
        [1, 2],
        {"a": 1},
    ],
)
def test_make_plan__a_field_that_cannot_travel(dataset, value):
    if value is fo.Classification:
        dataset.add_sample_field("other", fo.ListField)
    else:
        dataset.set_values("other", [value] * len(dataset))
    schema = LabelSchema(("cat",))
    with pytest.raises(UnsupportedField, match="no field of labels that can be sent"):
        make_plan(dataset, Request("round_1", (RoundField("other", schema),)))


def test_make_plan__a_dataset_of_scenes(tmp_path):
    path = tmp_path / "scene.fo3d"
    fo.Scene().write(str(path))
    dataset = fo.Dataset()
    box = fo.Detection(label="car", location=[1, 2, 3], dimensions=[4, 5, 6], rotation=[0, 0, 1])
    dataset.add_sample(fo.Sample(filepath=str(path), boxes=fo.Detections(detections=[box])))
    assert dataset.media_type == "3d"
    request = Request("round_1", (RoundField("boxes", LabelSchema(("car",))),))
    with pytest.raises(UnsupportedMedia):
        make_plan(dataset, request)
    dataset.delete()


def test_push__boxes_in_space_on_images_are_named_and_nothing_stays(dataset, client, send):
    sample = dataset.last()
    sample.ground_truth.detections.append(
        fo.Detection(label="cat", location=[1, 2, 3], dimensions=[4, 5, 6], rotation=[0, 0, 1])
    )
    sample.save()
    tasks = own_tasks(client)
    with pytest.raises(MalformedLabel, match="bounding box"):
        send()
    assert own_tasks(client) == tasks
    assert dataset.list_annotation_runs() == []
