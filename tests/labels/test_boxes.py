from __future__ import annotations

import math

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from relabel.labels import Attribute, AttributeKind, Drawn, LabelSchema
from relabel.labels.boxes import MalformedLabel, changed_fields, to_drawn

SIZES = st.tuples(st.integers(1, 20_000), st.integers(1, 20_000))
NUMBERS = st.floats(-2, 2, allow_nan=False)
SCHEMA = LabelSchema(("cat", "dog"), (Attribute("iscrowd", AttributeKind.BOOL),))
EMPTY = LabelSchema(("cat", "dog"))


def document(box=(0.1, 0.2, 0.3, 0.4), **fields):
    return {"_id": ObjectId(), "label": "cat", "bounding_box": list(box), **fields}


@given(st.tuples(NUMBERS, NUMBERS, st.floats(0, 2), st.floats(0, 2)), SIZES)
def test_changed_fields__a_new_box_is_within_1e_9_of_what_was_drawn(box, size):
    drawn = to_drawn(document(box), size, EMPTY)
    back = changed_fields(drawn, None, size, EMPTY)["bounding_box"]
    again = to_drawn(document(back), size, EMPTY)
    assert again.points == pytest.approx(drawn.points, abs=1e-9, rel=1e-12)


@given(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), SIZES)
def test_changed_fields__an_untouched_label_changes_nothing(box, size):
    drawn = to_drawn(document(box), size, SCHEMA)
    assert changed_fields(drawn, drawn, size, SCHEMA) == {}


def test_changed_fields__only_what_was_edited():
    before = to_drawn(document(), (640, 480), SCHEMA)
    edited = Drawn("dog", before.points, 0.0, {"iscrowd": "true"})
    assert changed_fields(edited, before, (640, 480), SCHEMA) == {"label": "dog", "iscrowd": True}


def test_changed_fields__corners_in_any_order():
    drawn = Drawn("cat", (32.0, 24.0, 16.0, 12.0))
    box = changed_fields(drawn, None, (64, 48), EMPTY)["bounding_box"]
    assert box == [0.25, 0.25, 0.25, 0.25]


def test_rotation__travels_as_degrees():
    drawn = to_drawn(document(rotation=-30), (64, 48), EMPTY)
    assert drawn.rotation == 330.0
    turned = Drawn("cat", drawn.points, 45.0)
    assert changed_fields(turned, drawn, (64, 48), EMPTY) == {"rotation": 45.0}


@pytest.mark.parametrize("rotation", [math.nan, math.inf, None, "east"])
def test_rotation__that_is_no_angle_is_none(rotation):
    drawn = to_drawn(document(rotation=rotation), (64, 48), EMPTY)
    assert drawn.rotation == 0.0
    assert changed_fields(drawn, drawn, (64, 48), EMPTY) == {}


@pytest.mark.parametrize(
    "broken",
    [
        {"bounding_box": None},
        {"bounding_box": [0.1, 0.2, 0.3]},
        {"bounding_box": [0.1, 0.2, 0.3, math.nan]},
        {"bounding_box": [0.1, 0.2, 0.3, math.inf]},
        {"bounding_box": "abcd"},
        {"label": None},
    ],
)
def test_to_drawn__a_label_that_is_none(broken):
    with pytest.raises(MalformedLabel):
        to_drawn({**document(), **broken}, (64, 48), EMPTY)
