"""Detections <-> rectangles.

FiftyOne keeps a box as ``[x, y, width, height]`` relative to the image; CVAT keeps left, top,
right and bottom in pixels, as exact doubles. A label that nobody touched is never converted back,
so it stays as it was to the last bit; one that was edited is within a rounding error of a double
of what CVAT holds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..errors import RelabelError
from .drawn import Drawn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .schema import LabelSchema

ROTATION = "rotation"
"""The attribute that holds a box's rotation in degrees, as stock FiftyOne names it."""

_BOX_LENGTH = 4


class MalformedLabel(RelabelError):
    """A label in FiftyOne is not what its type says."""


def to_drawn(document: Mapping[str, Any], size: tuple[int, int], schema: LabelSchema) -> Drawn:
    """Draws a detection.

    Args:
        document: a ``Detection`` as MongoDB holds it
        size: width and height of its image in pixels
        schema: the attributes that travel

    Returns:
        the label as CVAT shows it

    Raises:
        MalformedLabel: if it has no class or its box is no four finite numbers
    """
    width, height = size
    x, y, box_width, box_height = _checked_box(document)
    rotation = document.get(ROTATION)
    return Drawn(
        label=document["label"],
        points=(x * width, y * height, (x + box_width) * width, (y + box_height) * height),
        rotation=float(rotation) % 360 if isinstance(rotation, int | float) else 0.0,
        attributes={
            attribute.name: attribute.to_text(document.get(attribute.name))
            for attribute in schema.attributes
        },
    )


def _checked_box(document: Mapping[str, Any]) -> Sequence[float]:
    box: Any = document.get("bounding_box")
    numbers = isinstance(box, list) and all(isinstance(item, int | float) for item in box)
    if not numbers or len(box) != _BOX_LENGTH or not all(map(math.isfinite, box)):
        raise MalformedLabel(
            f"The label {document.get('_id')} has the bounding box {box}.",
            "A box is four finite numbers; correct or delete this label.",
        )
    if not isinstance(document.get("label"), str):
        raise MalformedLabel(
            f"The label {document.get('_id')} has no class.", "Give it one, or delete it."
        )
    return list(box)


def changed_fields(
    drawn: Drawn, before: Drawn | None, size: tuple[int, int], schema: LabelSchema
) -> dict[str, Any]:
    """The fields of a ``Detection`` that an edit in CVAT changes, and nothing else.

    Args:
        drawn: the label as it is now
        before: the label as it was, or None for a new one
        size: width and height of its image in pixels
        schema: the attributes that travel

    Returns:
        field name -> new value

    Raises:
        UnreadableValue: if an attribute holds a text that is no value of its type
    """
    fields: dict[str, Any] = {}
    if before is None or drawn.label != before.label:
        fields["label"] = drawn.label
    if before is None or drawn.points != before.points:
        fields["bounding_box"] = _relative_box(drawn.points, size)
    if drawn.rotation != (before.rotation if before else 0.0):
        fields[ROTATION] = drawn.rotation
    for attribute in schema.attributes:
        text = drawn.attributes[attribute.name]
        left_empty = before is None and not text
        if not left_empty and (before is None or text != before.attributes[attribute.name]):
            fields[attribute.name] = attribute.to_value(text)
    return fields


def _relative_box(points: tuple[float, ...], size: tuple[int, int]) -> list[float]:
    """Relative ``[x, y, width, height]``; CVAT does not sort the corners of a box."""
    width, height = size
    left, right = sorted((points[0] / width, points[2] / width))
    top, bottom = sorted((points[1] / height, points[3] / height))
    return [left, top, right - left, bottom - top]
