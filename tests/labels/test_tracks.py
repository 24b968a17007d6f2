from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.cvat import Shape, Track
from relabel.cvat.interpolation import interpolate
from relabel.cvat.tracks import expand
from relabel.labels.tracks import FrameShape, build_tracks

LAST = 15
LABEL, CARRIER, POSE = 3, 7, 8
numbers = st.floats(0, 640)


def box(frame, points=(1.0, 2.0, 3.0, 4.0), text="", **more):
    attributes = {CARRIER: f"id-{frame}", POSE: text}
    return Shape("rectangle", frame, LABEL, tuple(points), attributes=attributes, **more)


@st.composite
def objects(draw):
    """Some objects, each seen on some of the frames."""
    labels = []
    for index in range(draw(st.integers(1, 3))):
        for frame in sorted(draw(st.sets(st.integers(0, LAST), min_size=1))):
            points = draw(st.tuples(numbers, numbers, numbers, numbers))
            shape = box(frame, points, draw(st.sampled_from("ab")), rotation=draw(numbers) % 360)
            labels.append(FrameShape(index, shape, draw(st.booleans())))
    return labels


def drawn(shape):
    return shape.frame, shape.points, shape.rotation, shape.attributes[POSE]


@given(objects(), st.sets(st.integers(0, LAST)))
def test_expand__gives_back_every_label_exactly(labels, borders):
    tracks = build_tracks(labels, borders, LAST, {CARRIER})
    found = [shape for track in tracks for shape in expand(track, 0, LAST)]
    assert sorted(map(drawn, found)) == sorted(drawn(label.shape) for label in labels)


@given(objects())
def test_build_tracks__a_keyframe_carries_the_id_of_its_label(labels):
    ids = {(label.index, label.shape.frame): label.shape.attributes[CARRIER] for label in labels}
    for index, track in enumerate(build_tracks(labels, (), LAST, {CARRIER})):
        assert [
            shape.attributes[CARRIER] == ids[index, shape.frame]
            for shape in track.shapes
            if not shape.outside
        ] == [True] * sum(not shape.outside for shape in track.shapes)


def test_build_tracks__what_cvat_interpolates_is_no_keyframe():
    ends = box(0, (0, 0, 8, 8)), box(4, (4, 8, 12, 16))
    between = [interpolate(*ends, frame) for frame in (1, 2, 3)]
    labels = [FrameShape(1, shape, shape in ends) for shape in (ends[0], *between, ends[1])]
    (track,) = build_tracks(labels, (), 4, {CARRIER})
    assert [shape.frame for shape in track.shapes] == [0, 4]
    (cut,) = build_tracks(labels, {2, 3}, 4, {CARRIER})
    assert [shape.frame for shape in cut.shapes] == [0, 2, 3, 4]
    labels[2] = FrameShape(1, box(2, (0, 0, 8, 8.0000001)), keyframe=False)
    (moved,) = build_tracks(labels, (), 4, {CARRIER})
    assert [shape.frame for shape in moved.shapes] == [0, 1, 2, 3, 4]


def test_build_tracks__a_gap_is_outside():
    labels = [FrameShape(1, box(frame)) for frame in (0, 1, 4, 5)]
    (track,) = build_tracks(labels, (), 6)
    assert [(shape.frame, shape.outside) for shape in track.shapes] == [
        (0, False), (1, False), (2, True), (4, False), (5, False), (6, True),
    ]  # fmt: skip


def test_interpolate__turns_the_shorter_way_round():
    ends = box(0, rotation=350.0), box(4, rotation=30.0)
    assert [interpolate(*ends, frame).rotation for frame in (1, 2, 3)] == [0, 10, 20]


@pytest.mark.parametrize(
    ("kind", "left", "right", "middle"),
    [
        ("polygon", (0, 0, 2, 0, 2, 2), (2, 2, 4, 2, 4, 4), (1, 1, 3, 1, 3, 3)),
        ("polyline", (0, 0, 2, 0), (2, 2, 4, 2, 4, 4), (0, 0, 2, 0)),
        ("points", (0, 0), (2, 2), (1, 1)),
        ("points", (0, 0, 1, 1), (2, 2, 3, 3), (0, 0, 1, 1)),
    ],
)
def test_expand__other_types(kind, left, right, middle):
    shapes = (Shape(kind, 0, LABEL, left), Shape(kind, 2, LABEL, right))
    track = Track(LABEL, shapes, id=5)
    found = expand(track, 0, 3)
    assert [shape.points for shape in found] == [left, middle, right, right]
    assert {shape.id for shape in found} == {-5}
    is_outline = kind.startswith("poly")
    assert [shape.approximate for shape in found] == [False, is_outline, False, False]


def test_expand__skeleton_and_the_frames_that_are_wanted():
    def node(frame, x):
        return Shape("points", frame, 4, (x, 0.0))

    labels = [
        FrameShape(1, Shape("skeleton", frame, LABEL, (), elements=(node(frame, frame),)))
        for frame in (1, 2)
    ]
    (track,) = build_tracks(labels, (), 3)
    found = [replace(shape, source="manual") for shape in expand(track, 2, 3)]
    assert found == [labels[1].shape]
