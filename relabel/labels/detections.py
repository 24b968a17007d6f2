"""Detections <-> rectangles and masks: each label as what it is, also where a field has both.

A label whose mask has no pixel in the image is drawn as its box. What annotators draw otherwise
becomes what a detection can hold: an ellipse its box, turned as the ellipse is; a cuboid the box
around its corners; a polygon the mask of the pixels whose centres are inside.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import boxes, masks, pixels
from .drawn import Drawn, ShapeType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .schema import LabelSchema

_OUTLINES = frozenset((ShapeType.MASK, ShapeType.POLYGON))


def to_drawn(document: Mapping[str, Any], size: tuple[int, int], schema: LabelSchema) -> Drawn:
    """Draws a detection; see :func:`boxes.to_drawn` and :func:`masks.to_drawn`."""
    drawn = masks.to_drawn(document, size, schema) if masks.has_mask(document) else None
    return drawn or boxes.to_drawn(document, size, schema)


def changed_fields(
    drawn: Drawn, before: Drawn | None, size: tuple[int, int], schema: LabelSchema
) -> dict[str, Any]:
    """The fields of a ``Detection`` that an edit in CVAT changes; see :mod:`.boxes`."""
    if drawn.type == ShapeType.MASK:
        return masks.changed_fields(drawn, before, size, schema)
    fields = boxes.changed_fields(drawn, before, size, schema)
    if before is not None and before.type in _OUTLINES:
        fields |= {masks.MASK: None, masks.MASK_PATH: None}
    return fields


def accept(drawn: Drawn) -> Drawn | None:
    """What a field of detections makes of a shape, or None if it cannot hold it."""
    points = drawn.points
    if drawn.type == ShapeType.RECTANGLE:
        return drawn
    if drawn.type in _OUTLINES:
        is_mask = drawn.type == ShapeType.MASK
        tight = pixels.tighten(points) if is_mask else pixels.fill([points])
        return replace(drawn, type=ShapeType.MASK, points=tight, rotation=0.0) if tight else None
    if drawn.type == ShapeType.ELLIPSE:
        x, y, right, top = points
        box = (x - abs(right - x), y - abs(y - top), x + abs(right - x), y + abs(y - top))
        return replace(drawn, type=ShapeType.RECTANGLE, points=box)
    if drawn.type == ShapeType.CUBOID:
        xs, ys = points[0::2], points[1::2]
        box = (min(xs), min(ys), max(xs), max(ys))
        return replace(drawn, type=ShapeType.RECTANGLE, points=box, rotation=0.0)
    return None
