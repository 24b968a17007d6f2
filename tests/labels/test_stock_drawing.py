"""Relabel's drawing of stock's labels is that of stock's own code."""

from __future__ import annotations

import fiftyone as fo
import fiftyone.utils.cvat as fouc
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from relabel.labels import LabelSchema, ShapeType, detections
from relabel.labels.drawn import Drawn
from relabel.labels.stock_drawing import draw_as_stock

SIZES = st.tuples(st.integers(1, 9_000), st.integers(1, 9_000))
NUMBERS = st.floats(-0.5, 1.5, allow_nan=False)
POINTS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=6)


def by_stock(method, label, size, **options):
    """The shapes that stock's own code makes of a label."""
    api = object.__new__(fouc.CVATAnnotationAPI)
    api._server_version = Version("2.73.0")
    schema = {"cat": {"label_id": {"name": "label_id", "mutable": True}}}
    _, shapes, *_ = getattr(api, method)([label], schema, "field", 0, size, **options)
    return shapes


def ours(label, size, schema):
    document = label.to_dict()
    return draw_as_stock(document, size, schema)


@given(st.tuples(NUMBERS, NUMBERS, st.floats(0, 1), st.floats(0, 1)), SIZES)
def test_draw_as_stock__boxes(box, size):
    label = fo.Detection(label="cat", bounding_box=list(box), rotation=12.5)
    (shape,) = by_stock("_create_detection_shapes", label, size, label_type="detections")
    drawn = ours(label, size, LabelSchema(("cat",)))
    assert drawn == Drawn("cat", tuple(shape["points"]), 12.5)


@given(st.lists(POINTS, min_size=1, max_size=3), st.booleans(), SIZES)
def test_draw_as_stock__polylines(parts, filled, size):
    label = fo.Polyline(label="cat", points=parts, filled=filled, closed=True)
    shapes = by_stock("_create_polyline_shapes", label, size, label_type="polylines")
    drawn = ours(label, size, LabelSchema(("cat",), kind="polylines"))
    assert drawn.parts == tuple(tuple(shape["points"]) for shape in shapes)
    assert {drawn.type} == {shape["type"] for shape in shapes}


@given(POINTS, SIZES)
def test_draw_as_stock__keypoints(points, size):
    label = fo.Keypoint(label="cat", points=points)
    (shape,) = by_stock("_create_keypoint_shapes", label, size, label_type="keypoints")
    drawn = ours(label, size, LabelSchema(("cat",), kind="keypoints"))
    assert (drawn.points, drawn.type) == (tuple(shape["points"]), shape["type"])


def test_draw_as_stock__a_point_that_is_missing_is_never_sent_by_stock():
    label = fo.Keypoint(label="cat", points=[(float("nan"), 0.5), (0.5, 0.5)])
    with pytest.raises(ValueError, match="NaN"):
        by_stock("_create_keypoint_shapes", label, (64, 48), label_type="keypoints")
    assert ours(label, (64, 48), LabelSchema(("cat",), kind="keypoints")) is None


@given(
    st.tuples(NUMBERS, NUMBERS, st.floats(0.05, 1), st.floats(0.05, 1)),
    st.tuples(st.integers(20, 90), st.integers(20, 90)),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.integers(0, 2**32),
)
def test_draw_as_stock__masks(box, size, shape_of_mask, seed):
    mask = np.random.default_rng(seed).random(shape_of_mask) < 0.6
    label = fo.Detection(label="cat", bounding_box=list(box), mask=mask)
    (shape,) = by_stock("_create_detection_shapes", label, size, label_type="instances")
    drawn = ours(label, size, LabelSchema(("cat",), shape_type=ShapeType.MASK))
    read = detections.accept(Drawn("cat", tuple(shape["points"]), type=ShapeType.MASK))
    assert (drawn.points if drawn else ()) == (read.points if read else ())
