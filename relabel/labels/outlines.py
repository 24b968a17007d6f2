"""Detections with a mask <-> polygons, for annotators who would rather move points than paint.

A mask is drawn as its outlines: a polygon for each of its parts and each hole, in one group and
with the same ``label_id``, as :mod:`.polylines` draws its parts. What lies inside an odd number of
them is inside the label. The outlines run between the centres of pixels, and a pixel belongs to
the label if its centre is inside: so they give back exactly the mask that they were drawn of,
though with no more points than that takes.

A label whose outlines and box nobody touched keeps its mask as it is stored. Else the outlines are
filled by the same rule, as far as they are in the image.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from . import detections, masks, pixels
from .attributes import UnreadableValue
from .common import changed_texts
from .drawn import Drawn, ShapeType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from .pixels import Mask
    from .schema import LabelSchema


def to_drawn(document: Mapping[str, Any], size: tuple[int, int], schema: LabelSchema) -> Drawn:
    """Draws a detection as the outlines of its mask, or as its box if it has none.

    Args:
        document: a ``Detection`` as MongoDB holds it
        size: width and height of its image in pixels
        schema: the attributes that travel

    Raises:
        MalformedLabel: if it has no class, or its box or mask is none
    """
    drawn = detections.to_drawn(document, size, schema)
    if drawn.type != ShapeType.MASK:
        return drawn
    first, *others = _outlines(*pixels.decode(drawn.points))
    return replace(drawn, type=ShapeType.POLYGON, points=first, more=tuple(others))


def changed_fields(
    drawn: Drawn, before: Drawn | None, size: tuple[int, int], schema: LabelSchema
) -> dict[str, Any]:
    """The fields of a ``Detection`` that an edit in CVAT changes; see :mod:`.boxes`.

    Raises:
        UnreadableValue: if an attribute holds a text that is no value of its type, or no pixel's
            centre is inside the outlines
    """
    if drawn.type != ShapeType.POLYGON:
        return detections.changed_fields(drawn, before, size, schema)
    if before is not None and drawn.same_place(before):
        return changed_texts(drawn, before, schema)
    points = pixels.fill(drawn.parts, size)
    if not points:
        raise UnreadableValue(
            f"A polygon of the class {drawn.label!r} has no pixel's centre inside.",
            "Make it larger in CVAT, or delete it there, and pull again.",
        )
    mask = replace(drawn, type=ShapeType.MASK, points=points, more=())
    return masks.changed_fields(mask, before, size, schema)


def accept(drawn: Drawn) -> Drawn | None:
    """What a field of detections makes of a shape, or None if it cannot hold it."""
    return drawn if drawn.type == ShapeType.POLYGON else detections.accept(drawn)


def _outlines(mask: Mask, left: int, top: int) -> Iterator[tuple[float, ...]]:
    """The outlines of a mask and its holes, in pixels of the image: x, y, x, y, ..."""
    from skimage.measure import find_contours

    padded = np.pad(mask, 1)
    for ring in find_contours(padded.astype(np.float32), 0.5, fully_connected="high"):  # type: ignore[no-untyped-call]
        # Each of its points is in the middle between a pixel that is set and one that is not.
        points, low, high = ring[:-1], np.floor(ring[:-1]), np.ceil(ring[:-1])
        low_is_set = padded[tuple(low.astype(int).T)][:, np.newaxis]
        inner, outer = np.where(low_is_set, low, high), np.where(low_is_set, high, low)
        kept = points[_corners(*(_as_complex(item) for item in (points, inner, outer)))]
        yield tuple((kept[:, ::-1] + np.array((left, top)) - 0.5).ravel().tolist())


def _corners(points: list[complex], inner: list[complex], outer: list[complex]) -> list[int]:
    """Which points of a closed outline are enough for it to hold the same pixels.

    From a corner a straight line goes to the last point that it can reach between the pixels on
    both sides. Each pair of pixels that it passes narrows the directions that are left.

    Args:
        points: the outline, wound as :func:`find_contours` does
        inner: of each point the pixel on its one side, which is inside
        outer: the pixel on its other side
    """
    corners, count = [0], len(points)
    while corners[-1] < count:
        start = corners[-1]
        reached, here = start + 1, points[start]
        from_, to = inner[reached % count] - here, outer[reached % count] - here
        for number in range(start + 2, count + 1):
            at = number % count
            if _turn(from_, points[at] - here) > 0 > _turn(to, points[at] - here):
                reached = number
            if _turn(from_, inner[at] - here) > 0:
                from_ = inner[at] - here
            if _turn(to, outer[at] - here) < 0:
                to = outer[at] - here
            if _turn(from_, to) <= 0:
                break
        corners.append(reached)
    return corners[:-1]


def _turn(one: complex, other: complex) -> float:
    """Positive if ``other`` is left of ``one``, negative if it is right of it."""
    return one.real * other.imag - one.imag * other.real


def _as_complex(points: NDArray[np.float64]) -> list[complex]:
    found: list[complex] = (points[:, 0] + 1j * points[:, 1]).tolist()
    return found
