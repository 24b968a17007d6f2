"""Which coordinates of CVAT's shapes make one of their type."""

from __future__ import annotations

import math

import pytest

from relabel.labels import Drawn
from relabel.labels.drawn import problem_of

BOX = (1.0, 2.0, 3.0, 4.0)


@pytest.mark.parametrize(
    ("shape_type", "points"),
    [
        ("rectangle", BOX),
        ("rectangle", (3.0, 4.0, -1e9, 2.0)),  # CVAT does not sort corners
        ("ellipse", BOX),
        ("cuboid", BOX * 4),
        ("polygon", (*BOX, 5.0, 6.0)),
        ("polyline", BOX),
        ("points", (1.0, 2.0)),
        ("mask", (0, 1, 4, 4, 4, 4)),
        ("tag", ()),
        ("skeleton", ()),
    ],
)
def test_problem_of__what_can_be_read(shape_type, points):
    assert problem_of(Drawn("cat", points, type=shape_type)) == ""


@pytest.mark.parametrize(
    ("shape_type", "points"),
    [
        ("rectangle", BOX[:3]),
        ("rectangle", (1.0, 2.0, 3.0, math.nan)),
        ("rectangle", (1.0, math.inf, 3.0, -math.inf)),
        ("ellipse", (*BOX, 5.0, 6.0)),
        ("cuboid", BOX),
        ("polygon", BOX),
        ("polygon", (*BOX, 5.0, 6.0, 7.0)),
        ("polyline", (1.0, 2.0)),
        ("points", ()),
        ("mask", (1, 1, 2, 2)),
        ("mask", (4, 10, 1, 2, 9)),
        ("mask", (0, 1, 0, 0, 1e9, 1e9)),
    ],
)
def test_problem_of__what_cannot(shape_type, points):
    assert f"{shape_type} of the class 'cat'" in problem_of(Drawn("cat", points, type=shape_type))
