"""Every part and every hole of a polyline."""

from __future__ import annotations

import math
from itertools import count

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from relabel.annotation.comparing.parts import join_parts
from relabel.annotation.comparing.pulled_shape import PulledShape
from relabel.cvat import AttributeSpec, InputType, LabelSpec
from relabel.labels import Attribute, AttributeKind, Drawn, LabelSchema, MalformedLabel, polylines
from relabel.labels.schema import LABEL_ID, PART
from relabel.labels.server_names import ServerNames

SIZE = (640, 480)
SCHEMA = LabelSchema(("road",), (Attribute("lit", AttributeKind.BOOL),), kind="polylines")
NAMES = ServerNames(
    [
        LabelSpec(
            "road",
            "polygon",
            (
                AttributeSpec(LABEL_ID, InputType.TEXT, id=1),
                AttributeSpec(PART, InputType.TEXT, id=2),
                AttributeSpec("lit", InputType.CHECKBOX, ("false",), "false", id=3),
            ),
            id=7,
        )
    ]
)
POINTS = st.lists(
    st.tuples(st.floats(-1, 2, allow_nan=False), st.floats(-1, 2, allow_nan=False)),
    min_size=1,
    max_size=6,
)
LABELS = st.builds(
    lambda points, closed: {
        "_id": ObjectId(),
        "label": "road",
        "points": [list(map(list, part)) for part in points],
        "closed": closed,
        "filled": closed,
    },
    st.lists(POINTS, min_size=1, max_size=5),
    st.booleans(),
)


def through_cvat(drawn, label_id="id"):
    """The label after its shapes were stored and read again."""
    ids = count(100)
    shapes = NAMES.shapes(drawn, label_id, 0, group=3)
    pulled = []
    for shape in shapes:
        read = NAMES.read(shape, SCHEMA)
        accepted = polylines.accept(read.drawn)
        pulled.append(PulledShape(next(ids), read.label_id, accepted, read.part))
    return shapes, pulled


@given(LABELS)
def test_to_drawn__every_part_comes_back_in_its_label(document):
    drawn = polylines.to_drawn(document, SIZE, SCHEMA)
    shapes, pulled = through_cvat(drawn)
    assert len(shapes) == len(document["points"])
    (joined,) = join_parts(reversed(pulled), {})
    assert joined.drawn == drawn
    assert polylines.changed_fields(joined.drawn, drawn, SIZE, SCHEMA) == {}


@given(LABELS)
def test_changed_fields__a_new_label_is_drawn_as_it_was(document):
    drawn = polylines.to_drawn(document, SIZE, SCHEMA)
    fields = polylines.changed_fields(drawn, None, SIZE, SCHEMA)
    for part, back in zip(document["points"], fields["points"], strict=True):
        for point, again in zip(part, back, strict=True):
            assert again == pytest.approx(point, abs=1e-12)


@given(LABELS)
def test_shapes__cvat_takes_each(document):
    fewest = {"polygon": 6, "polyline": 4, "points": 2}
    for shape in through_cvat(polylines.to_drawn(document, SIZE, SCHEMA))[0]:
        assert len(shape.points) >= fewest[shape.type]


def rings(*lefts):
    parts = tuple((left, 0.0, left + 5, 0.0, left + 5, 5.0) for left in map(float, lefts))
    return Drawn("road", parts[0], 0.0, {"lit": "false"}, "polygon", parts[1:])


def test_join_parts__a_pasted_part_is_a_new_label():
    _, pulled = through_cvat(rings(0, 10, 20))
    pasted = PulledShape(999, "id", pulled[1].drawn, "2")
    original, new = join_parts([pasted, *pulled], {})
    assert original.drawn == rings(0, 10, 20)
    assert new.drawn == rings(10)
    assert new.shape_id == 999


def test_join_parts__a_part_that_was_deleted_or_relabelled():
    _, pulled = through_cvat(rings(0, 10, 20))
    (left,) = join_parts([pulled[0], pulled[2]], {})
    assert left.drawn == rings(0, 20)
    other = Drawn("river", pulled[1].drawn.points, 0.0, {"lit": "false"}, "polygon")
    both = join_parts([pulled[0], PulledShape(101, "id", other, "2"), pulled[2]], {})
    assert {(item.drawn.label, len(item.drawn.parts)) for item in both} == {
        ("road", 2),
        ("river", 1),
    }


def test_join_parts__an_attribute_edited_on_any_part_counts():
    sent = rings(0, 10, 20)
    for edited in range(3):
        _, pulled = through_cvat(sent)
        lit = Drawn("road", pulled[edited].drawn.points, 0.0, {"lit": "true"}, "polygon")
        pulled[edited] = PulledShape(pulled[edited].shape_id, "id", lit, str(edited + 1))
        (joined,) = join_parts(pulled, {"id": sent})
        assert joined.drawn.attributes == {"lit": "true"}


def test_to_drawn__without_points_or_with_bad_ones():
    empty = {"_id": 1, "label": "road", "points": [], "closed": True}
    assert polylines.to_drawn(empty, SIZE, SCHEMA) is None
    assert polylines.to_drawn(empty | {"points": [[]]}, SIZE, SCHEMA) is None
    with pytest.raises(MalformedLabel):
        polylines.to_drawn(empty | {"points": [[[0.1, math.nan]]]}, SIZE, SCHEMA)


def test_changed_fields__only_what_was_edited():
    before = rings(0, 10)
    opened = Drawn("road", before.points, 0.0, {"lit": "true"}, "polyline", before.more)
    assert polylines.changed_fields(opened, before, SIZE, SCHEMA) == {"closed": False, "lit": True}
    fields = polylines.changed_fields(rings(0), before, SIZE, SCHEMA)
    assert fields == {"points": [[[0.0, 0.0], [5 / 640, 0.0], [5 / 640, 5 / 480]]]}


def test_accept__boxes_and_ellipses_become_polygons():
    box = polylines.accept(Drawn("road", (0.0, 0.0, 4.0, 2.0), 90.0))
    assert box.points == pytest.approx((3, -1, 3, 3, 1, 3, 1, -1))
    ellipse = polylines.accept(Drawn("road", (10.0, 10.0, 14.0, 8.0), type="ellipse"))
    assert ellipse.type == "polygon"
    for x, y in zip(ellipse.points[0::2], ellipse.points[1::2], strict=True):
        assert ((x - 10) / 4) ** 2 + ((y - 10) / 2) ** 2 == pytest.approx(1)
    assert polylines.accept(Drawn("road", (0, 4, 0, 0, 1, 1), type="mask")) is None
