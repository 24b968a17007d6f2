"""What no kind of label can send: CVAT refuses it, or stores something else."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.labels import LabelSchema, MalformedLabel, kind_named
from relabel.labels.common import to_pixels

SIZE = (640, 480)
FAR = 1e307  # a finite number, the pixel of which is none


@given(st.lists(st.floats(-1e9, 1e9), max_size=8), st.tuples(*[st.integers(1, 20_000)] * 2))
def test_to_pixels__columns_and_rows_in_turn(numbers, size):
    pixels = to_pixels(numbers, size, {})
    assert pixels[0::2] == tuple(number * size[0] for number in numbers[0::2])
    assert pixels[1::2] == tuple(number * size[1] for number in numbers[1::2])


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, FAR, "1", None, [1.0], 10**400])
def test_to_pixels__what_is_no_place(number):
    with pytest.raises(MalformedLabel, match="The label a"):
        to_pixels([0.5, 0.5, number], SIZE, {"_id": "a"})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("detections", {"bounding_box": [FAR, 0, 1, 1]}),
        ("detections", {"bounding_box": [0, 0, FAR, 1], "mask": b"x\x9c"}),
        ("polylines", {"points": [[[0.1, FAR], [0.2, 0.3]]]}),
        ("polylines", {"points": [[None]]}),
        ("keypoints", {"points": [[0.1, 0.2], [FAR, 0.5]]}),
    ],
)
def test_to_drawn__a_place_outside_every_image(kind, value):
    document = {"_id": "a", "label": "cat", **value}
    with pytest.raises(MalformedLabel):
        kind_named(kind).to_drawn(document, SIZE, LabelSchema(("cat",), kind=kind))
