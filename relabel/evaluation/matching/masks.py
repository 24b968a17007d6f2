"""How far instance masks overlap, pixel by pixel or as polygons.

FiftyOne keeps the mask of a label over its box. Here it is put on the pixels of the image where
FiftyOne itself puts it (``fiftyone.utils.iou``), and the overlap is that of ``maskUtils.iou`` of
pycocotools, crowds included, computed where two masks can meet only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fiftyone as fo
import fiftyone.utils.iou as foui
import numpy as np

from ...labels.drawn import MOST_PIXELS
from ...labels.errors import MalformedLabel
from ...labels.masks import MASK, MASK_PATH, has_mask, read_mask
from ...labels.pixels import resize
from .matching import box_iou

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .matching import Overlap

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

MASK_LEAVES = (MASK, MASK_PATH)
SIZE_FIELDS = ("metadata.width", "metadata.height")


@dataclass(frozen=True)
class PlacedMask:
    """A mask on the pixels of its image.

    Args:
        left: its first column
        top: its first row
        pixels: bool, of shape ``(height, width)``
        area: how many pixels are set
    """

    left: int
    top: int
    pixels: NDArray[np.bool_]
    area: int


def mask_iou(one: PlacedMask, other: PlacedMask, *, crowd: bool) -> float:
    """Intersection over union of two masks; on a crowd, over the first mask alone."""
    left, top = max(one.left, other.left), max(one.top, other.top)
    right = min(one.left + one.pixels.shape[1], other.left + other.pixels.shape[1])
    bottom = min(one.top + one.pixels.shape[0], other.top + other.pixels.shape[0])
    if right <= left or bottom <= top:
        return 0.0
    parts = (
        mask.pixels[top - mask.top : bottom - mask.top, left - mask.left : right - mask.left]
        for mask in (one, other)
    )
    shared = int(np.count_nonzero(np.logical_and(*parts)))
    union = one.area if crowd else one.area + other.area - shared
    return shared / union if union else 0.0


def placed_masks(
    documents: Sequence[Mapping[str, Any]], field: str
) -> tuple[list[PlacedMask | None], list[Mapping[str, Any]]]:
    """The masks of all labels of a field.

    Args:
        documents: samples as MongoDB holds them
        field: a field of type ``Detections``

    Returns:
        of each label its mask, or None if it has none that can be read; and the labels
    """
    masks, labels = [], []
    for document in documents:
        size = _size(document)
        for label in (document.get(field) or {}).get("detections") or ():
            masks.append(_placed(label, size))
            labels.append(label)
    return masks, labels


def pixel_overlap(
    found: Sequence[PlacedMask], truth: Sequence[PlacedMask], crowd: NDArray[np.bool_]
) -> Overlap:
    """Compares masks pixel by pixel.

    Args:
        found: the masks of the predictions
        truth: the masks of the ground truth
        crowd: whether each of the ground truth stands for a crowd
    """

    def overlap(rows: Integers, columns: Integers) -> Floats:
        pairs = zip(rows.tolist(), columns.tolist(), strict=True)
        crowds = crowd.tolist()
        return np.fromiter(
            (mask_iou(found[row], truth[col], crowd=crowds[col]) for row, col in pairs),
            dtype=float,
            count=rows.size,
        )

    return overlap


def polygon_overlap(
    found: Sequence[Mapping[str, Any]],
    truth: Sequence[Mapping[str, Any]],
    crowd: NDArray[np.bool_],
    *,
    tolerance: float,
    error_level: int,
) -> Overlap:
    """Compares masks as polygons, by FiftyOne's own code.

    Args:
        found: the predictions as MongoDB holds them
        truth: the ground truth as MongoDB holds it
        crowd: whether each of the ground truth stands for a crowd
        tolerance: how close the polygons are to the masks, in pixels
        error_level: what becomes of masks that make no polygon
    """

    def overlap(rows: Integers, columns: Integers) -> Floats:
        iou = np.zeros(rows.size)
        boxes = np.array([one["bounding_box"] for one in found]).reshape(-1, 4)[rows]
        others = np.array([one["bounding_box"] for one in truth]).reshape(-1, 4)[columns]
        near = np.flatnonzero(box_iou(boxes, others, crowd[columns]) > 0)
        iou[near] = [
            foui.compute_ious(
                [_label(found[row])],
                [_label(truth[column])],
                iscrowd=lambda _, column=column: bool(crowd[column]),
                use_masks=True,
                tolerance=tolerance,
                error_level=error_level,
            )[0, 0]
            for row, column in zip(rows[near].tolist(), columns[near].tolist(), strict=True)
        ]
        return iou

    return overlap


def _label(document: Mapping[str, Any]) -> fo.Detection:
    return fo.Detection(bounding_box=document["bounding_box"], mask=read_mask(document))


def _size(document: Mapping[str, Any]) -> tuple[int, int] | None:
    """Width and height of an image, if its metadata says."""
    metadata = document.get("metadata") or {}
    if metadata.get("width") and metadata.get("height"):
        return int(metadata["width"]), int(metadata["height"])
    return None


def _placed(label: Mapping[str, Any], size: tuple[int, int] | None) -> PlacedMask | None:
    try:
        pixels = read_mask(label) if has_mask(label) else None
        left, top, width, height = map(float, label.get("bounding_box") or ())
    except (MalformedLabel, TypeError, ValueError):
        return None
    finite = np.isfinite([left, top, width, height]).all()
    if pixels is None or not finite or width <= 0 or height <= 0:
        return None
    rows, columns = pixels.shape
    image_width, image_height = size or (round(columns / width), round(rows / height))
    x, y = round(left * image_width), round(top * image_height)
    across, down = round(x + width * image_width) - x, round(y + height * image_height) - y
    if size and (across, down) != (columns, rows) and across > 0 and down > 0:
        if across * down > MOST_PIXELS:
            return None
        pixels = resize(pixels, across, down)
    return PlacedMask(x, y, pixels, int(np.count_nonzero(pixels)))
