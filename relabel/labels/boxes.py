"""Detections without a mask <-> rectangles.

FiftyOne keeps a box as ``[x, y, width, height]`` relative to the image; CVAT keeps left, top,
right and bottom in pixels, as exact doubles. A label that nobody touched is never converted back,
so it stays as it was to the last bit; one that was edited is within a rounding error of a double
of what CVAT holds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .common import changed_texts, class_of, require_finite, texts_of
from .drawn import Drawn
from .errors import MalformedLabel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .schema import LabelSchema

ROTATION = "rotation"
"""The attribute that holds a box's rotation in degrees, as stock FiftyOne names it."""


def to_drawn(document: Mapping[str, Any], size: tuple[int, int], schema: LabelSchema) -> Drawn:
    """Draws a detection as a box.

    Args:
        document: a ``Detection`` as MongoDB holds it
        size: width and height of its image in pixels
        schema: the attributes that travel

    Returns:
        the label as CVAT shows it

    Raises:
        MalformedLabel: if it has no class or its box is no four finite numbers
    """
    x, y, box_width, box_height = box_of(document)
    width, height = size
    corners = (x * width, y * height, (x + box_width) * width, (y + box_height) * height)
    return Drawn(
        class_of(document),
        require_finite(corners, document),
        _degrees(document.get(ROTATION)),
        texts_of(document, schema),
    )


def _degrees(rotation: Any) -> float:
    if not rotation:
        return 0.0
    is_number = isinstance(rotation, int | float) and math.isfinite(rotation)
    return float(rotation) % 360 if is_number else 0.0


def box_of(document: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """The box of a detection: x, y, width and height relative to the image.

    Raises:
        MalformedLabel: if it is no four finite numbers
    """
    box: Any = document.get("bounding_box")
    try:
        x, y, width, height = box
        if math.isfinite(sum(box)):
            return x, y, width, height
    except (TypeError, ValueError):
        pass
    raise MalformedLabel(
        f"The label {document.get('_id')} has the bounding box {box}.",
        "A box is four finite numbers; correct or delete this label.",
    )


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
    fields = changed_texts(drawn, before, schema)
    if before is None or drawn.points != before.points or drawn.type != before.type:
        fields["bounding_box"] = _relative_box(drawn.points, size)
    if drawn.rotation != (before.rotation if before else 0.0):
        fields[ROTATION] = drawn.rotation
    return fields


def _relative_box(points: tuple[float, ...], size: tuple[int, int]) -> list[float]:
    """Relative ``[x, y, width, height]``; CVAT does not sort the corners of a box."""
    width, height = size
    left, top, right, bottom = (
        points[0] / width,
        points[1] / height,
        points[2] / width,
        points[3] / height,
    )
    return [min(left, right), min(top, bottom), abs(right - left), abs(bottom - top)]
