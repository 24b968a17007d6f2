"""Polylines <-> polygons and polylines, every part and hole kept.

A FiftyOne polyline has any number of parts; CVAT draws each as a shape of its own. The shapes of
one label are in one group, carry the same ``label_id`` and, in the attribute ``label_part``, which
part each is. Their order and number come back with them.

Holes: CVAT has none, and FiftyOne marks none. Where a polyline is filled, a part inside another is
a hole (FiftyOne fills by the even-odd rule); so a hole is a part like any other, in both
directions.

Closed parts are drawn as polygons, open ones as polylines; what is too short for either as a line
or a point. What annotators draw otherwise becomes a closed polyline: a rectangle its corners, an
ellipse 64 points on it; points become an open one.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .common import changed_texts, class_of, texts_of, to_pixels
from .drawn import Drawn, ShapeType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .schema import LabelSchema

_ELLIPSE_POINTS = 64
_SHORTEST_POLYGON, _SHORTEST_LINE = 6, 4  # numbers, two for a point; CVAT refuses less


def to_drawn(
    document: Mapping[str, Any], size: tuple[int, int], schema: LabelSchema
) -> Drawn | None:
    """Draws a polyline.

    Args:
        document: a ``Polyline`` as MongoDB holds it
        size: width and height of its image in pixels
        schema: the attributes that travel

    Returns:
        the label as CVAT shows it, or None if it has no point

    Raises:
        MalformedLabel: if it has no class or its points are no finite numbers
    """
    flat = [itertools.chain.from_iterable(part) for part in document.get("points") or () if part]
    parts = [to_pixels(numbers, size, document) for numbers in flat]
    if not parts:
        return None
    kind = ShapeType.POLYGON if document.get("closed") else ShapeType.POLYLINE
    return Drawn(
        label=class_of(document),
        points=parts[0],
        attributes=texts_of(document, schema),
        type=common_type(part_type(kind, part) for part in parts),
        more=tuple(parts[1:]),
    )


def part_type(kind: str, points: tuple[float, ...]) -> ShapeType:
    """How one part of a label of a kind can be drawn."""
    if kind == ShapeType.POLYGON and len(points) >= _SHORTEST_POLYGON:
        return ShapeType.POLYGON
    return ShapeType.POLYLINE if len(points) >= _SHORTEST_LINE else ShapeType.POINTS


def common_type(types: Iterable[str]) -> ShapeType:
    """What a label is whose parts are drawn in different ways."""
    found = set(types)
    order = (ShapeType.POLYGON, ShapeType.POLYLINE, ShapeType.POINTS)
    return next(kind for kind in order if kind in found)


def changed_fields(
    drawn: Drawn, before: Drawn | None, size: tuple[int, int], schema: LabelSchema
) -> dict[str, Any]:
    """The fields of a ``Polyline`` that an edit in CVAT changes; see :mod:`.boxes`."""
    fields = changed_texts(drawn, before, schema)
    closed = drawn.type == ShapeType.POLYGON
    if before is None:
        fields |= {"closed": closed, "filled": closed}
    elif drawn.type != before.type:
        fields["closed"] = closed
    if before is None or drawn.parts != before.parts:
        fields["points"] = [_to_relative(part, size) for part in drawn.parts]
    return fields


def accept(drawn: Drawn) -> Drawn | None:
    """What a field of polylines makes of a shape, or None if it cannot hold it."""
    if drawn.type in {ShapeType.POLYGON, ShapeType.POLYLINE, ShapeType.POINTS}:
        return drawn
    if drawn.type == ShapeType.RECTANGLE:
        left, top, right, bottom = drawn.points
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        centre = ((left + right) / 2, (top + bottom) / 2)
    elif drawn.type == ShapeType.ELLIPSE:
        x, y, right, top = drawn.points
        angles = (2 * math.pi * step / _ELLIPSE_POINTS for step in range(_ELLIPSE_POINTS))
        corners = [(x + (right - x) * math.cos(a), y + (y - top) * math.sin(a)) for a in angles]
        centre = (x, y)
    else:
        return None
    points = _turn(corners, centre, drawn.rotation)
    return replace(drawn, type=ShapeType.POLYGON, points=points, rotation=0.0)


def _turn(
    corners: Iterable[tuple[float, float]], centre: tuple[float, float], degrees: float
) -> tuple[float, ...]:
    """Turns points clockwise on the screen, where y grows downwards."""
    if not degrees:
        return tuple(number for corner in corners for number in corner)
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    turned = []
    for x, y in corners:
        dx, dy = x - centre[0], y - centre[1]
        turned += [centre[0] + dx * cosine - dy * sine, centre[1] + dx * sine + dy * cosine]
    return tuple(turned)


def _to_relative(part: tuple[float, ...], size: tuple[int, int]) -> list[list[float]]:
    width, height = size
    return [[x / width, y / height] for x, y in zip(part[0::2], part[1::2], strict=True)]
