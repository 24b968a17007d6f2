"""Instance masks as polygons, and back without a pixel lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.labels import Drawn, LabelSchema, ShapeType, UnreadableValue, outlines, pixels
from relabel.labels.boxes import to_drawn as draw_box
from tests.labels.test_detections import MASKS, SIZE, canvas_of, document

SCHEMA = LabelSchema(("cat", "dog"), outlined=True)
NUMBERS = st.floats(-20, 80)


def rectangle(left, top, right, bottom):
    return (left, top, right, top, right, bottom, left, bottom)


@given(MASKS, st.integers(-10, 60), st.integers(-10, 40))
def test_to_drawn__the_outlines_hold_exactly_the_pixels_of_the_mask(mask, left, top):
    doc = document(mask, left, top)
    drawn = outlines.to_drawn(doc, SIZE, SCHEMA)
    inside = np.zeros((SIZE[1] + 40, SIZE[0] + 40), bool)
    inside[top + 10 : top + 10 + mask.shape[0], left + 10 : left + 10 + mask.shape[1]] = mask
    inside = inside[10 : 10 + SIZE[1], 10 : 10 + SIZE[0]]
    if not inside.any():
        assert drawn == draw_box(doc, SIZE, SCHEMA)
        return
    assert drawn.type == ShapeType.POLYGON
    assert all(len(part) >= 6 for part in drawn.parts), "CVAT takes each"
    assert pixels.fill(drawn.parts) == pixels.encode(inside)
    assert outlines.changed_fields(drawn, drawn, SIZE, SCHEMA) == {}
    new = outlines.changed_fields(drawn, None, SIZE, SCHEMA)
    assert np.array_equal(canvas_of(new), inside)
    assert outlines.to_drawn({"_id": 1, **new}, SIZE, SCHEMA) == drawn, "any number of round trips"


@given(st.lists(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=6), min_size=1))
def test_changed_fields__edited_outlines_are_filled_as_far_as_they_are_in_the_image(rings):
    parts = tuple(tuple(number for point in ring for number in point) for ring in rings)
    drawn = Drawn("cat", parts[0], type=ShapeType.POLYGON, more=parts[1:])
    inside = pixels.fill(parts, SIZE)
    if not inside:
        with pytest.raises(UnreadableValue, match="no pixel's centre"):
            outlines.changed_fields(drawn, None, SIZE, SCHEMA)
        return
    fields = outlines.changed_fields(drawn, None, SIZE, SCHEMA)
    assert pixels.encode(canvas_of(fields)) == inside
    rows, columns = pixels.deserialise(fields["mask"]).shape
    assert inside[-4:] == pixels.encode(np.ones((rows, columns), bool), *inside[-4:-2])[-4:]


def test_to_drawn__a_hole_and_a_second_part_are_parts():
    mask = np.zeros((12, 20), bool)
    mask[:10, :10] = True
    mask[3:6, 3:6] = False
    mask[8:, 14:] = True
    drawn = outlines.to_drawn(document(mask, 0, 0), SIZE, SCHEMA)
    assert len(drawn.parts) == 3
    assert all(len(part) <= 16 for part in drawn.parts), "straight sides need no points between"


def test_to_drawn__a_slope_needs_few_points():
    mask = np.fromfunction(lambda row, column: row * 3 <= column, (16, 48))
    drawn = outlines.to_drawn(document(mask, 2, 2), SIZE, SCHEMA)
    assert len(drawn.points) < 40, "two for each of its 32 steps are not needed"


def test_changed_fields__another_class_keeps_the_mask():
    before = outlines.to_drawn(document(np.ones((4, 6), bool), 8, 12), SIZE, SCHEMA)
    after = replace(before, label="dog")
    assert outlines.changed_fields(after, before, SIZE, SCHEMA) == {"label": "dog"}


def test_changed_fields__a_moved_corner():
    before = outlines.to_drawn(document(np.ones((4, 6), bool), 8, 12), SIZE, SCHEMA)
    after = replace(before, points=rectangle(8, 12, 16, 16))
    fields = outlines.changed_fields(after, before, SIZE, SCHEMA)
    assert fields["bounding_box"] == [8 / 64, 12 / 48, 8 / 64, 4 / 48]
    assert pixels.deserialise(fields["mask"]).all()
    assert fields["mask_path"] is None


def test_changed_fields__a_polygon_that_becomes_a_box_has_no_mask():
    before = outlines.to_drawn(document(np.ones((4, 6), bool), 8, 12), SIZE, SCHEMA)
    fields = outlines.changed_fields(Drawn("cat", (0.0, 0.0, 16.0, 12.0)), before, SIZE, SCHEMA)
    assert fields == {"bounding_box": [0, 0, 0.25, 0.25], "mask": None, "mask_path": None}


def test_accept__outlines_and_what_a_detection_can_hold():
    polygon = Drawn("cat", rectangle(1.0, 1.0, 3.0, 3.0), type=ShapeType.POLYGON)
    assert outlines.accept(polygon) is polygon
    ellipse = Drawn("cat", (20.0, 20.0, 30.0, 15.0), type=ShapeType.ELLIPSE)
    assert outlines.accept(ellipse).type == ShapeType.RECTANGLE
    assert outlines.accept(replace(polygon, type=ShapeType.POLYLINE)) is None


def test_to_specs__annotators_draw_polygons():
    masks = LabelSchema(("cat",), shape_type="mask", outlined=True)
    boxes = LabelSchema(("cat",), shape_type="rectangle", outlined=True)
    assert [schema.to_specs()[0].type for schema in (masks, boxes, SCHEMA)] == [
        "polygon",
        "any",
        "polygon",
    ]
    assert "label_part" in {item.name for item in masks.to_specs()[0].attributes}
