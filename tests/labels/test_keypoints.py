"""Points, those that are there and those that are missing."""

from __future__ import annotations

import math
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from relabel.cvat import AttributeSpec, InputType, LabelSpec
from relabel.labels import Drawn, LabelSchema, UnreadableValue, keypoints
from relabel.labels.schema import LABEL_ID
from relabel.labels.server_names import ServerNames
from relabel.labels.skeletons import draw_svg

SIZE = (640, 480)
NODES = ("nose", "left", "right")
POINTS = LabelSchema(("person",), kind="keypoints")
SKELETON = LabelSchema(("person",), kind="keypoints", nodes=NODES, edges=((0, 1), (0, 2)))
ATTRIBUTES = (
    AttributeSpec(LABEL_ID, InputType.TEXT, id=1),
    AttributeSpec("missing_points", InputType.TEXT, id=2),
)
NAMES = {
    POINTS: ServerNames([LabelSpec("person", "points", ATTRIBUTES, 7)]),
    SKELETON: ServerNames(
        [
            LabelSpec(
                "person",
                "skeleton",
                ATTRIBUTES,
                7,
                tuple(LabelSpec(node, "points", id=8 + i) for i, node in enumerate(NODES)),
            )
        ]
    ),
}
NUMBERS = st.floats(-1, 2, allow_nan=False)
MISSING = st.just([math.nan, math.nan])


VISIBILITY = st.one_of(st.none(), st.booleans(), st.lists(st.integers(0, 2), max_size=4))


def documents(count):
    point = st.one_of(MISSING, st.tuples(NUMBERS, NUMBERS).map(list))
    points = st.lists(point, min_size=count[0], max_size=count[1])
    return st.builds(
        lambda points, visible: {
            "_id": ObjectId(),
            "label": "person",
            "points": points,
            "visible": visible,
        },
        points,
        VISIBILITY,
    )


def seen(points, visible):
    """What COCO says of points of which some are missing."""
    return [
        0 if math.isnan(x) else max(one, 1) for (x, _), one in zip(points, visible, strict=True)
    ]


def read_again(drawn, schema):
    (shape,) = NAMES[schema].shapes(drawn, "id", 0)
    return shape, keypoints.accept(NAMES[schema].read(shape, schema).drawn)


def holds(schema, document):
    drawn = keypoints.to_drawn(document, SIZE, schema)
    if all(math.isnan(x) for x, _ in document["points"]):
        assert drawn is None
        return None
    shape, again = read_again(drawn, schema)
    assert again == drawn
    assert keypoints.changed_fields(again, drawn, SIZE, schema) == {}
    back = keypoints.changed_fields(again, None, SIZE, schema)["points"]
    assert len(back) == len(document["points"])
    for point, before in zip(back, document["points"], strict=True):
        assert point == pytest.approx(before, abs=1e-12, nan_ok=True)
    return shape


@given(documents((0, 8)))
def test_to_drawn__points_and_back(document):
    shape = holds(POINTS, document)
    if shape:
        assert shape.type == "points"
        assert all(map(math.isfinite, shape.points))


@given(documents((3, 3)))
def test_to_drawn__a_skeleton_and_back(document):
    shape = holds(SKELETON, document)
    if shape:
        outside = [math.isnan(x) for x, _ in document["points"]]
        assert shape.type == "skeleton"
        assert [node.outside for node in shape.elements] == outside
        assert [node.label_id for node in shape.elements] == [8, 9, 10]
        assert all(map(math.isfinite, (n for node in shape.elements for n in node.points)))


@given(documents((3, 3)), st.lists(st.integers(0, 2), min_size=3, max_size=3))
def test_to_drawn__which_nodes_are_hidden_and_back(document, visible):
    document["visible"] = seen(document["points"], visible)
    shape = holds(SKELETON, document)
    if shape:
        assert [node.occluded for node in shape.elements] == [
            one == 1 for one in document["visible"]
        ]
        _, again = read_again(keypoints.to_drawn(document, SIZE, SKELETON), SKELETON)
        fields = keypoints.changed_fields(again, None, SIZE, SKELETON)
        assert fields.get("visible", document["visible"]) == document["visible"]
        assert ("visible" in fields) == (1 in document["visible"])


@given(documents((4, 6)))
def test_to_drawn__what_does_not_fit_the_skeleton_travels_as_points(document):
    shape = holds(SKELETON, document)
    assert shape is None or shape.type == "points"


def test_changed_fields__a_point_that_appeared_and_one_that_was_moved():
    before = Drawn("person", (64.0, 48.0), 0.0, {"missing_points": "0"}, "points")
    after = Drawn("person", (64.0, 48.0, 128.0, 96.0), 0.0, {"missing_points": ""}, "points")
    fields = keypoints.changed_fields(after, before, SIZE, POINTS)
    assert fields == {"points": [[0.1, 0.1], [0.2, 0.2]]}


def test_changed_fields__a_node_is_hidden_and_one_is_seen_again():
    points = [[0.1, 0.1], [math.nan, math.nan], [0.2, 0.2]]
    document = {"_id": 1, "label": "person", "points": points, "visible": [2, 0, 1]}
    drawn = keypoints.to_drawn(document, SIZE, SKELETON)
    shape, _ = read_again(drawn, SKELETON)
    turned = [replace(node, occluded=not node.occluded) for node in shape.elements]
    edited = NAMES[SKELETON].read(replace(shape, elements=tuple(turned)), SKELETON).drawn
    fields = keypoints.changed_fields(edited, drawn, SIZE, SKELETON)
    assert fields == {"visible": [1, 0, 2]}, "a missing point is not hidden"


def test_changed_fields__an_annotator_wrote_nonsense():
    drawn = Drawn("person", (1.0, 1.0), 0.0, {"missing_points": "the nose"}, "points")
    with pytest.raises(UnreadableValue, match="missing"):
        keypoints.changed_fields(drawn, None, SIZE, POINTS)


def test_draw_svg__names_every_node_and_edge():
    svg = draw_svg(('a "quoted" <node>', "b"), [(0, 1)])
    line, *circles = list(ET.fromstring(f"<svg>{svg}</svg>"))
    assert [circle.get("data-label-name") for circle in circles] == ['a "quoted" <node>', "b"]
    assert (line.get("data-node-from"), line.get("data-node-to")) == ("1", "2")
