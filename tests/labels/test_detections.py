"""Boxes and masks in one field, each as what it is."""

from __future__ import annotations

import numpy as np
import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from relabel.labels import Drawn, LabelSchema, MalformedLabel, ShapeType, detections, pixels
from relabel.labels.boxes import to_drawn as draw_box

SIZE = (64, 48)
SCHEMA = LabelSchema(("cat", "dog"))
MASKS = hnp.arrays(bool, st.tuples(st.integers(1, 20), st.integers(1, 20))).filter(np.any)


def document(mask, left, top, size=SIZE):
    height, width = mask.shape
    box = [left / size[0], top / size[1], width / size[0], height / size[1]]
    stored = pixels.serialise(mask)
    return {"_id": ObjectId(), "label": "cat", "bounding_box": box, "mask": stored}


def canvas_of(doc, size=SIZE):
    """The pixels of a label in its image, worked out from what FiftyOne stores."""
    mask = pixels.deserialise(doc["mask"])
    x, y, _, _ = doc["bounding_box"]
    left, top = round(x * size[0]), round(y * size[1])
    canvas = np.zeros((size[1], size[0]), dtype=bool)
    canvas[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    return canvas


@given(MASKS, st.integers(0, 40), st.integers(0, 25))
def test_to_drawn__a_mask_and_back_keeps_every_pixel(mask, left, top):
    doc = document(mask, left, top)
    drawn = detections.to_drawn(doc, SIZE, SCHEMA)
    assert drawn.type == ShapeType.MASK
    assert detections.changed_fields(drawn, drawn, SIZE, SCHEMA) == {}
    new = detections.changed_fields(drawn, None, SIZE, SCHEMA)
    assert np.array_equal(canvas_of(new), canvas_of(doc))
    again = detections.to_drawn({"_id": 1, **new}, SIZE, SCHEMA)
    assert again == drawn, "any number of round trips"


@given(MASKS, st.tuples(st.integers(30, 3000), st.integers(30, 3000)), st.data())
def test_changed_fields__a_redrawn_mask_is_found_where_it_was_drawn(mask, size, data):
    left = data.draw(st.integers(0, size[0] - mask.shape[1]))
    top = data.draw(st.integers(0, size[1] - mask.shape[0]))
    drawn = Drawn("cat", pixels.encode(mask, left, top), type=ShapeType.MASK)
    fields = detections.changed_fields(drawn, None, size, SCHEMA)
    assert detections.to_drawn({"_id": 1, **fields}, size, SCHEMA) == drawn


def test_changed_fields__a_moved_mask_moves_its_box_too():
    before = detections.to_drawn(document(np.ones((4, 6), bool), 8, 12), SIZE, SCHEMA)
    moved = Drawn("cat", pixels.encode(np.ones((4, 6), bool), 16, 24), type=ShapeType.MASK)
    fields = detections.changed_fields(moved, before, SIZE, SCHEMA)
    assert fields["bounding_box"] == [16 / 64, 24 / 48, 6 / 64, 4 / 48]
    assert pixels.deserialise(fields["mask"]).all()
    assert fields["mask_path"] is None


def test_changed_fields__a_mask_that_becomes_a_box_and_the_reverse():
    mask = detections.to_drawn(document(np.ones((4, 6), bool), 8, 12), SIZE, SCHEMA)
    box = Drawn("cat", (16.0, 12.0, 32.0, 24.0))
    assert detections.changed_fields(box, mask, SIZE, SCHEMA) == {
        "bounding_box": [0.25, 0.25, 0.25, 0.25],
        "mask": None,
        "mask_path": None,
    }
    assert set(detections.changed_fields(mask, box, SIZE, SCHEMA)) == {
        "bounding_box",
        "mask",
        "mask_path",
    }


def test_to_drawn__a_mask_of_another_size_than_its_box_is_stretched():
    mask = np.array([[True, False], [False, True]])
    doc = document(mask, 8, 12) | {"bounding_box": [8 / 64, 12 / 48, 8 / 64, 8 / 48]}
    drawn = detections.to_drawn(doc, SIZE, SCHEMA)
    back, left, top = pixels.decode(drawn.points)
    assert (left, top) == (8, 12)
    assert np.array_equal(back, mask.repeat(4, axis=0).repeat(4, axis=1))


def test_to_drawn__what_is_outside_the_image_is_not_drawn():
    doc = document(np.ones((10, 10), bool), 60, 45)
    assert detections.to_drawn(doc, SIZE, SCHEMA).points == (0, 12, 60, 45, 63, 47)
    doc = document(np.ones((10, 10), bool), -8, -8)
    assert detections.to_drawn(doc, SIZE, SCHEMA).points == (0, 4, 0, 0, 1, 1)


def test_to_drawn__a_mask_without_a_pixel_is_drawn_as_its_box_and_kept():
    doc = document(np.zeros((4, 4), bool), 8, 12)
    drawn = detections.to_drawn(doc, SIZE, SCHEMA)
    assert drawn == draw_box(doc, SIZE, SCHEMA)
    moved = Drawn("cat", (0.0, 0.0, 16.0, 12.0))
    assert set(detections.changed_fields(moved, drawn, SIZE, SCHEMA)) == {"bounding_box"}


def test_to_drawn__a_mask_in_a_file(tmp_path):
    path = tmp_path / "mask.png"
    mask = np.array([[255, 0], [255, 255]], np.uint8)
    Image.fromarray(mask).save(path)
    doc = document(mask, 8, 12) | {"mask": None, "mask_path": str(path)}
    assert detections.to_drawn(doc, SIZE, SCHEMA).points == (0, 1, 1, 2, 8, 12, 9, 13)
    path.unlink()
    with pytest.raises(MalformedLabel, match="cannot be read"):
        detections.to_drawn(doc, SIZE, SCHEMA)


@pytest.mark.parametrize("stored", [b"", b"nonsense", pixels.serialise(np.ones((2, 2, 3)))])
def test_to_drawn__a_mask_that_is_none(stored):
    doc = document(np.ones((2, 2), bool), 0, 0) | {"mask": stored}
    with pytest.raises(MalformedLabel):
        detections.to_drawn(doc, SIZE, SCHEMA)


@pytest.mark.parametrize(
    ("shape_type", "points", "rotation", "expected"),
    [
        ("ellipse", (20.0, 20.0, 30.0, 15.0), 15.0, ("rectangle", (10.0, 15.0, 30.0, 25.0), 15.0)),
        (
            "cuboid",
            (5, 5, 5, 25, 20, 5, 20, 25, 30, 3, 30, 20, 15, 3, 15, 20),
            0.0,
            ("rectangle", (5, 3, 30, 25), 0.0),
        ),
        (
            "polygon",
            (1.0, 1.0, 3.0, 1.0, 3.0, 3.0, 1.0, 3.0),
            0.0,
            ("mask", (0, 4, 1, 1, 2, 2), 0),
        ),
        ("mask", (0, 1, 3, 4, 4, 5, 5), 0.0, ("mask", (0, 1, 4, 4, 4, 4), 0.0)),
    ],
)
def test_accept__what_annotators_draw_otherwise(shape_type, points, rotation, expected):
    got = detections.accept(Drawn("cat", points, rotation, {"a": "b"}, shape_type))
    assert (got.type, got.points, got.rotation) == expected
    assert (got.label, got.attributes) == ("cat", {"a": "b"})


@pytest.mark.parametrize("shape_type", ["points", "polyline", "skeleton", "tag"])
def test_accept__what_no_detection_can_hold(shape_type):
    assert detections.accept(Drawn("cat", (1.0, 1.0, 2.0, 2.0), type=shape_type)) is None
