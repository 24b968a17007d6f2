"""How stock FiftyOne draws labels in CVAT: on whole pixels, as its ``annotate()`` does.

From what a label is now follows where stock put it when the label was sent, and so whether an
annotator has moved it since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import eta.core.image as etai

from . import boxes, masks, pixels
from .common import class_of, texts_of
from .drawn import Drawn, ShapeType
from .keypoints import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .schema import LabelSchema

_SHORTEST_POLYGON = 3


def draw_as_stock(
    document: Mapping[str, Any], size: tuple[int, int], schema: LabelSchema
) -> Drawn | None:
    """Draws a label as stock FiftyOne sends it.

    Args:
        document: the label as MongoDB holds it
        size: width and height of its image in pixels
        schema: the attributes that travel, and whether detections are drawn as masks

    Returns:
        the label as CVAT showed it when it was sent, or None if stock does not send such a label

    Raises:
        MalformedLabel: if it is not what its type says
    """
    kind = schema.label_kind.label_class
    if kind == "Classification" or schema.label_kind.put_together:
        return schema.label_kind.to_drawn(document, size, schema)
    try:
        if kind == "Polyline":
            return _polyline(document, size, schema)
        if kind == "Keypoint":
            return _keypoint(document, size, schema)
    except (OverflowError, ValueError):  # a point that is no number, at which stock stops
        return None
    if schema.shape_type == ShapeType.MASK:
        return _mask(document, size, schema) if masks.has_mask(document) else None
    return _box(document, size, schema)


def _box(document: Mapping[str, Any], size: tuple[int, int], schema: LabelSchema) -> Drawn:
    width, height = size
    x, y, box_width, box_height = boxes.box_of(document)
    corners = (x * width, y * height, (x + box_width) * width, (y + box_height) * height)
    rotation = document.get(boxes.ROTATION)
    return Drawn(
        label=class_of(document),
        points=tuple(float(round(corner)) for corner in corners),
        rotation=float(rotation) if isinstance(rotation, int | float) else 0.0,
        attributes=texts_of(document, schema),
        type=ShapeType.RECTANGLE,
    )


def _mask(document: Mapping[str, Any], size: tuple[int, int], schema: LabelSchema) -> Drawn | None:
    image_width, image_height = size
    x, y, box_width, box_height = boxes.box_of(document)
    width, height = round(box_width * image_width), round(box_height * image_height)
    mask = masks.read_array(document)
    if mask.shape != (height, width):
        mask = etai.resize(mask.astype("uint8"), width=width, height=height)
    points = pixels.encode(mask.astype(bool), round(x * image_width), round(y * image_height))
    texts = texts_of(document, schema)
    return Drawn(class_of(document), points, 0.0, texts, ShapeType.MASK) if points else None


def _polyline(
    document: Mapping[str, Any], size: tuple[int, int], schema: LabelSchema
) -> Drawn | None:
    filled = bool(document.get("filled"))
    stored = [part for part in document.get("points") or () if part]
    if filled:
        stored = [part for part in stored if len(part) >= _SHORTEST_POLYGON]
    if not stored:
        return None
    parts = [_whole(part, size) for part in stored]
    return Drawn(
        label=class_of(document),
        points=parts[0],
        attributes=texts_of(document, schema),
        type=ShapeType.POLYGON if filled else ShapeType.POLYLINE,
        more=tuple(parts[1:]),
    )


def _keypoint(
    document: Mapping[str, Any], size: tuple[int, int], schema: LabelSchema
) -> Drawn | None:
    points = _whole(document.get("points") or (), size)
    texts = {**texts_of(document, schema), MISSING.name: ""}
    return Drawn(class_of(document), points, 0.0, texts, ShapeType.POINTS) if points else None


def _whole(points: Iterable[tuple[float, float]], size: tuple[int, int]) -> tuple[float, ...]:
    width, height = size
    return tuple(
        float(number) for x, y in points for number in (round(x * width), round(y * height))
    )
