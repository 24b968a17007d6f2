"""Segmentations <-> one mask for each class, pixel for pixel.

FiftyOne keeps a segmentation as one array of class numbers. Here it is taken apart into labels,
one for each number but 0, which is the background; and put together again:

- a class that nobody changed keeps its pixels, and a segmentation of which no class was changed is
  written back as the very document that was read;
- only the pixels that a class gained or lost since it was sent are painted. A pixel that it gained
  is its own from then on, whatever mask is there; of several that gained it, the class with the
  largest number has it. A pixel that it lost goes to the class with the largest number of which
  CVAT still has a mask there, and to the background if there is none;
- an array that was in a file is from then on stored with its sample; the file stays as it is.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from bson import ObjectId

from . import common, pixels
from .attributes import UnreadableValue
from .drawn import Drawn, ShapeType
from .errors import MalformedLabel
from .masks import MASK, MASK_PATH, read_array

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from numpy.typing import NDArray

    from .pixels import Mask
    from .schema import LabelSchema

NUMBER, POINTS, SIZE, WHOLE = "number", "points", "size", "whole"
"""The keys of a label that was taken out of a segmentation: the number of its class, its pixels as
the points of a CVAT mask, and the array's width and height. The first label, of the background,
holds the whole document."""

GAINED, LOST = "gained", "lost"
"""The keys of one that was edited in CVAT: pixels to be painted, as the points of CVAT masks."""


def labels_of(value: Mapping[str, Any] | None, place: str) -> list[dict[str, Any]] | None:  # noqa: ARG001
    """Takes a ``Segmentation`` as MongoDB holds it apart.

    Raises:
        MalformedLabel: if its array cannot be read, or holds colours
    """
    if value is None:
        return None
    array = _numbers(value)
    height, width = array.shape
    size = [width, height]
    labels: list[dict[str, Any]] = [{"_id": value["_id"], NUMBER: 0, SIZE: size, WHOLE: value}]
    for number in np.unique(array[array != 0]).tolist():
        points = list(pixels.encode(array == number))
        label_id = common.id_of(f"{value['_id']}:{number}")
        labels.append({"_id": label_id, NUMBER: number, SIZE: size, POINTS: points})
    return labels


def value_of(
    labels: Sequence[Mapping[str, Any]] | None, in_cvat: Sequence[Mapping[str, Any]] = ()
) -> Mapping[str, Any] | None:
    """Puts a ``Segmentation`` together, the reverse of :func:`labels_of`.

    Args:
        labels: the background and the classes, as they were taken out and then edited
        in_cvat: the number and the pixels of every mask in CVAT
    """
    if not labels:
        return None
    whole = next((label[WHOLE] for label in labels if WHOLE in label), None)
    classes = [label for label in labels if label[NUMBER]]
    if whole is None:
        width, height = classes[0][SIZE]
        array = np.zeros((height, width), dtype=np.uint8)
        painted = _paint(array, classes, in_cvat)
        new = {"_id": ObjectId(), "_cls": "Segmentation", "tags": []}
        return {**new, MASK: pixels.serialise(painted)}
    array = _numbers(whole)
    painted = _paint(array, classes, in_cvat)
    if np.array_equal(painted, array):
        return dict(whole)
    emptied = {MASK_PATH: None} if whole.get(MASK_PATH) else {}
    return {**whole, MASK: pixels.serialise(painted), **emptied}


def copies(
    labels: Sequence[Mapping[str, Any]], left_out: Container[str], place: str
) -> list[tuple[str, dict[str, Any]]]:
    """Copies classes of a segmentation for another field; see :func:`common.copies`.

    Each carries the same new segmentation, of which nothing but background is painted yet.
    """
    if not labels:
        return []
    background, *classes = labels
    width, height = background[SIZE]
    fresh = {
        **{name: value for name, value in background[WHOLE].items() if name not in left_out},
        "_id": common.id_of(place),
        MASK: pixels.serialise(np.zeros((height, width), dtype=np.uint8)),
        MASK_PATH: None,
    }
    return common.copies([{**label, WHOLE: fresh} for label in classes], left_out, place)


def to_drawn(
    document: Mapping[str, Any], size: tuple[int, int], schema: LabelSchema
) -> Drawn | None:
    """Draws a class of a segmentation as a mask.

    Args:
        document: a label that :func:`labels_of` made
        size: width and height of its image in pixels
        schema: the names of the classes

    Returns:
        the label as CVAT shows it, or None for the background

    Raises:
        MalformedLabel: if the array is not as large as the image
    """
    if tuple(document[SIZE]) != tuple(size):
        raise MalformedLabel(
            "A segmentation of {} by {} pixels is on an image of {} by {}.".format(
                *document[SIZE], *size
            ),
            "Resize it to its image, so that it can travel pixel for pixel.",
        )
    if not document[NUMBER]:
        return None
    name = dict(schema.targets).get(document[NUMBER], str(document[NUMBER]))
    return Drawn(name, tuple(document[POINTS]), type=ShapeType.MASK)


def changed_fields(
    drawn: Drawn, before: Drawn | None, size: tuple[int, int], schema: LabelSchema
) -> dict[str, Any]:
    """What an edit in CVAT changes of a label that :func:`labels_of` made.

    Raises:
        UnreadableValue: if no number stands for the class
    """
    fields: dict[str, Any] = {}
    if before is None or drawn.label != before.label:
        fields[NUMBER] = _number_of(drawn.label, schema)
    if before is None:
        fields |= {POINTS: list(drawn.points), SIZE: list(size)}
    elif not drawn.same_place(before):
        now, then = (_mask(one.points, size) for one in (drawn, before))
        fields[GAINED] = list(pixels.encode(now & ~then))
        fields[LOST] = list(pixels.encode(then & ~now))
    return fields


def accept(drawn: Drawn) -> Drawn | None:
    """What a segmentation makes of a shape, or None if it cannot hold it."""
    if drawn.type not in {ShapeType.MASK, ShapeType.POLYGON}:
        return None
    is_mask = drawn.type == ShapeType.MASK
    points = pixels.tighten(drawn.points) if is_mask else pixels.fill([drawn.points])
    return replace(drawn, type=ShapeType.MASK, points=points, rotation=0.0) if points else None


def unite(drawn: Sequence[Drawn]) -> Drawn:
    """One mask of all shapes of a class."""
    masks = [pixels.decode(one.points) for one in drawn]
    left, top = min(x for _, x, _ in masks), min(y for _, _, y in masks)
    right = max(x + mask.shape[1] for mask, x, _ in masks)
    bottom = max(y + mask.shape[0] for mask, _, y in masks)
    together = np.zeros((bottom - top, right - left), dtype=bool)
    for mask, x, y in masks:
        together[y - top : y - top + mask.shape[0], x - left : x - left + mask.shape[1]] |= mask
    return replace(drawn[0], points=pixels.encode(together, left, top))


def _numbers(value: Mapping[str, Any]) -> NDArray[Any]:
    array = read_array(value)
    if array.ndim != 2 or array.dtype.kind not in "bui":
        raise MalformedLabel(
            f"The segmentation {value.get('_id')} is an array of {array.dtype} of shape "
            f"{array.shape}.",
            "One whole number for each pixel can travel; colours cannot.",
        )
    return array


def _paint(
    array: NDArray[Any],
    classes: Sequence[Mapping[str, Any]],
    in_cvat: Sequence[Mapping[str, Any]],
) -> NDArray[Any]:
    """An array after its classes were edited; see the beginning of this file."""
    size = array.shape[1], array.shape[0]
    wanted: dict[int, Mask] = defaultdict(lambda: np.zeros(array.shape, dtype=bool))
    for label in classes:
        here, lost, gained = (_mask(label.get(key, ()), size) for key in (POINTS, LOST, GAINED))
        wanted[label[NUMBER]] |= (here & ~lost) | gained
    largest = max([*wanted, *(label[NUMBER] for label in in_cvat)], default=0)
    painted = array.astype(np.promote_types(array.dtype, np.min_scalar_type(largest)))
    free = array != 0
    for number, mask in wanted.items():
        free &= ~((array == number) & mask)
    painted[free] = 0
    for label in sorted(in_cvat, key=lambda label: int(label[NUMBER])):
        painted[free & _mask(label[POINTS], size)] = label[NUMBER]
    for number in sorted(wanted):
        painted[wanted[number] & (array != number)] = number
    return painted


def _mask(points: Sequence[float], size: tuple[int, int]) -> Mask:
    """The points of a CVAT mask as pixels of the image; what is outside of it is left out."""
    width, height = size
    canvas = np.zeros((height, width), dtype=bool)
    if points:
        mask, left, top = pixels.decode(points)
        mask = mask[max(-top, 0) : max(height - top, 0), max(-left, 0) : max(width - left, 0)]
        left, top = max(left, 0), max(top, 0)
        canvas[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    return canvas


def _number_of(name: str, schema: LabelSchema) -> int:
    for number, target in schema.targets:
        if target == name:
            return number
    if name.isdecimal() and int(name):
        return int(name)
    raise UnreadableValue(
        f"No number stands for the class {name!r}.",
        "Add it to the mask targets of the dataset and send a new round, or change the class in "
        "CVAT.",
    )
