"""Keypoints <-> points, or a skeleton where the dataset has one; missing points kept.

FiftyOne marks a missing point by NaN, which CVAT refuses. In a skeleton it is a node that is
``outside``. Points have no such thing: those that are there are drawn, and the attribute
``missing_points`` says which are not, counted from 0 and separated by commas.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .attributes import Attribute, AttributeKind, UnreadableValue
from .common import changed_texts, class_of, texts_of, to_pixels
from .drawn import Drawn, ShapeType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .schema import LabelSchema

MISSING = Attribute("missing_points", AttributeKind.TEXT)
"""The attribute that says which points are missing."""


def to_drawn(
    document: Mapping[str, Any], size: tuple[int, int], schema: LabelSchema
) -> Drawn | None:
    """Draws a keypoint.

    Args:
        document: a ``Keypoint`` as MongoDB holds it
        size: width and height of its image in pixels
        schema: the attributes that travel, and the nodes of the skeleton

    Returns:
        the label as CVAT shows it, or None if no point of it is there

    Raises:
        MalformedLabel: if it has no class, or a point is too far away to have a pixel
    """
    points: list[float] = []
    missing = []
    stored = document.get("points") or ()
    for index, (x, y) in enumerate(stored):
        if _is_there(x) and _is_there(y):
            points += to_pixels((x, y), size, document)
        else:
            missing.append(str(index))
    if not points:
        return None
    fits = bool(schema.nodes) and len(stored) == len(schema.nodes)
    return Drawn(
        label=class_of(document),
        points=tuple(points),
        attributes={**texts_of(document, schema), MISSING.name: ",".join(missing)},
        type=ShapeType.SKELETON if fits else ShapeType.POINTS,
    )


def _is_there(number: Any) -> bool:
    return isinstance(number, int | float) and math.isfinite(number)


def changed_fields(
    drawn: Drawn, before: Drawn | None, size: tuple[int, int], schema: LabelSchema
) -> dict[str, Any]:
    """The fields of a ``Keypoint`` that an edit in CVAT changes; see :mod:`.boxes`."""
    fields = changed_texts(drawn, before, schema)
    if before is None or _place(drawn) != _place(before):
        width, height = size
        points = zip(drawn.points[0::2], drawn.points[1::2], strict=True)
        fields["points"] = [[x / width, y / height] for x, y in points]
        for index in missing_of(drawn):
            fields["points"].insert(index, [math.nan, math.nan])
    return fields


def _place(drawn: Drawn) -> tuple[tuple[float, ...], str]:
    return drawn.points, drawn.attributes.get(MISSING.name, "")


def missing_of(drawn: Drawn) -> list[int]:
    """Which points are missing, in ascending order.

    Raises:
        UnreadableValue: if an annotator wrote something else there
    """
    text = drawn.attributes.get(MISSING.name, "")
    numbers = [number.strip() for number in text.split(",") if number.strip()]
    if not all(number.isdecimal() for number in numbers):
        raise UnreadableValue(
            f"{text!r} does not say which points are missing.",
            "Write their numbers, counted from 0 and separated by commas, and pull again.",
        )
    return sorted({int(number) for number in numbers})


def node_points(drawn: Drawn, count: int) -> list[tuple[tuple[float, float], bool]]:
    """Where each node of a skeleton is drawn, and whether it is outside.

    A missing node is put where the first one that is there is: CVAT wants a place for it.
    """
    there = iter(zip(drawn.points[0::2], drawn.points[1::2], strict=True))
    missing = set(missing_of(drawn))
    somewhere = (drawn.points[0], drawn.points[1])
    return [
        (somewhere, True) if index in missing else (next(there, somewhere), False)
        for index in range(count)
    ]


def from_nodes(nodes: Iterable[tuple[float, ...] | None]) -> tuple[tuple[float, ...], str]:
    """The points of the nodes that are there, and the text that says which are missing."""
    points: list[float] = []
    missing = []
    for index, node in enumerate(nodes):
        if node is None:
            missing.append(str(index))
        else:
            points += node[:2]
    return tuple(points), ",".join(missing)


def accept(drawn: Drawn) -> Drawn | None:
    """What a field of keypoints makes of a shape, or None if it cannot hold it."""
    known = drawn.type in {ShapeType.POINTS, ShapeType.SKELETON}
    return drawn if known and drawn.points else None
