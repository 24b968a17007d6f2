"""Reads the parts of images that labels frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from fiftyone import Detections, Polylines

from .images import ImageBatch, Unreadable, read_ahead, read_image, reason_of, resized

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

    from .images import Size

Box = tuple[float, float, float, float]
# An image has several patches, and all of them are in memory together.
IMAGES_AT_ONCE = 8


@dataclass(frozen=True)
class Framed:
    """An image, and what of it is wanted.

    Args:
        sample_id: whose image
        filepath: where it is
        boxes: left, top, width and height relative to the image, by the id of the label
    """

    sample_id: str
    filepath: str
    boxes: dict[str, Box]


def read_patches(
    view: SampleCollection,
    field: str,
    size: Size | None = None,
    leave_out: Collection[str] = frozenset(),
) -> Iterator[ImageBatch]:
    """Reads the patches of a label field; each image is read once.

    Args:
        view: the samples
        field: a field of type ``Detections`` or ``Polylines``
        size: height and width to which each patch is resized; by default none is
        leave_out: samples whose patches are not wanted
    """
    wanted = (image for image in framed(view, field) if image.sample_id not in leave_out)
    yield from read_framed(wanted, size)


def read_framed(images: Iterable[Framed], size: Size | None = None) -> Iterator[ImageBatch]:
    """The same of images whose boxes are known."""
    for batch in read_ahead(partial(_cut, size=size), images, IMAGES_AT_ONCE):
        samples: list[str] = []
        labels: list[str] = []
        patches: list[NDArray[np.uint8]] = []
        unreadable = []
        for image, cut in batch:
            error = cut.exception()
            if error is not None:
                unreadable.append(Unreadable(image.sample_id, image.filepath, reason_of(error)))
                continue
            samples.extend([image.sample_id] * len(image.boxes))
            labels.extend(image.boxes)
            patches.extend(cut.result())
        yield ImageBatch(tuple(samples), tuple(patches), tuple(unreadable), tuple(labels))


def framed(view: SampleCollection, field: str) -> Iterator[Framed]:
    """The images of a view that have labels with boxes, and these boxes."""
    of_type = view.get_field(field).document_type
    root = f"{field}.{of_type._LABEL_LIST_FIELD}"  # noqa: SLF001 - no public name
    shape = "bounding_box" if of_type is Detections else "points"
    columns = view.values(["id", "filepath", f"{root}.id", f"{root}.{shape}"])
    for sample_id, path, ids, shapes in zip(*columns, strict=True):
        found = dict(zip(ids or (), shapes or (), strict=True))
        boxes = {
            key: _box_around(value) if of_type is Polylines else tuple(value)
            for key, value in found.items()
            if value and (of_type is Detections or any(value))  # a line may have no points
        }
        if boxes:
            yield Framed(sample_id, path, boxes)


def _box_around(shapes: list[list[tuple[float, float]]]) -> Box:
    points = np.array([point for shape in shapes for point in shape], dtype=float).reshape(-1, 2)
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return float(left), float(top), float(right - left), float(bottom - top)


def _cut(image: Framed, size: Size | None) -> list[NDArray[np.uint8]]:
    pixels = read_image(image.filepath)
    patches = [_patch(pixels, box) for box in image.boxes.values()]
    return patches if size is None else [resized(patch, size) for patch in patches]


def _patch(pixels: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """The pixels in a box; at least one, wherever the box lies."""
    height, width = pixels.shape[:2]
    left, top, wide, high = box
    x = min(max(int(left * width), 0), width - 1)
    y = min(max(int(top * height), 0), height - 1)
    right = min(max(round((left + wide) * width), x + 1), width)
    bottom = min(max(round((top + high) * height), y + 1), height)
    return np.ascontiguousarray(pixels[y:bottom, x:right])
