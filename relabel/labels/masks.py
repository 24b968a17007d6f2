"""Detections with a mask <-> masks, pixel for pixel.

FiftyOne keeps the mask of a detection over its box. A mask and its box are one thing in CVAT, so
redrawing or moving it changes both; the new box is the tightest one, on whole pixels. A mask whose
array is not as large as its box in pixels, as some models make them, is stretched to it for
annotators; the array itself is written again only if one of them redraws it.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from . import pixels
from .boxes import box_of
from .common import changed_texts, class_of, texts_of, to_pixels
from .drawn import Drawn, ShapeType
from .errors import MalformedLabel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .pixels import Mask
    from .schema import LabelSchema

MASK, MASK_PATH = "mask", "mask_path"


def has_mask(document: Mapping[str, Any]) -> bool:
    """Whether a detection has a mask, stored with it or in a file."""
    return document.get(MASK) is not None or bool(document.get(MASK_PATH))


def to_drawn(
    document: Mapping[str, Any], size: tuple[int, int], schema: LabelSchema
) -> Drawn | None:
    """Draws a detection as a mask.

    Args:
        document: a ``Detection`` as MongoDB holds it
        size: width and height of its image in pixels
        schema: the attributes that travel

    Returns:
        the label as CVAT shows it, or None if no pixel of the image is set

    Raises:
        MalformedLabel: if it has no class, or its box or mask is none
    """
    points = _place(read_mask(document), document, size)
    if not points:
        return None
    texts = texts_of(document, schema)
    return Drawn(class_of(document), points, attributes=texts, type=ShapeType.MASK)


def changed_fields(
    drawn: Drawn, before: Drawn | None, size: tuple[int, int], schema: LabelSchema
) -> dict[str, Any]:
    """The fields of a ``Detection`` that an edit in CVAT changes; see :mod:`.boxes`.

    A mask that was in a file is from then on stored with its label; the file stays as it is.
    """
    fields = changed_texts(drawn, before, schema)
    if before is None or not drawn.same_place(before):
        mask, left, top = pixels.decode(drawn.points)
        width, height = size
        rows, columns = mask.shape
        fields["bounding_box"] = [left / width, top / height, columns / width, rows / height]
        fields[MASK] = pixels.serialise(mask)
        if before is not None:
            fields[MASK_PATH] = None
    return fields


def read_mask(document: Mapping[str, Any]) -> Mask:
    """The mask of a label, of shape ``(height, width)``.

    Raises:
        MalformedLabel: if it cannot be read
    """
    array = read_array(document)
    if array.ndim != 2 or not array.size:
        raise MalformedLabel(
            f"The label {document.get('_id')} has a mask of shape {array.shape}.",
            "A mask has rows and columns; correct or delete this label.",
        )
    return array.astype(bool)


def read_array(document: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """The array of a mask as it is stored, with the label or in a file.

    Raises:
        MalformedLabel: if it cannot be read
    """
    try:
        if document.get(MASK) is not None:
            return pixels.deserialise(document[MASK])
        with Image.open(Path(document[MASK_PATH])) as image:
            return np.asarray(image)
    except (OSError, ValueError, zlib.error) as error:
        raise MalformedLabel(
            f"The mask of the label {document.get('_id')} cannot be read ({error}).",
            "Restore it, or delete this label.",
        ) from error


def _place(mask: Mask, document: Mapping[str, Any], size: tuple[int, int]) -> tuple[int, ...]:
    """The points of a mask over the box of its label, as far as it is inside the image."""
    image_width, image_height = size
    left, top, width, height = map(round, to_pixels(box_of(document), size, document))
    if abs(mask.shape[1] - width) > 1 or abs(mask.shape[0] - height) > 1:
        if width <= 0 or height <= 0:
            return ()
        mask = pixels.resize(mask, width, height)
    rows = slice(max(-top, 0), max(image_height - top, 0))
    columns = slice(max(-left, 0), max(image_width - left, 0))
    return pixels.encode(mask[rows, columns], max(left, 0), max(top, 0))
