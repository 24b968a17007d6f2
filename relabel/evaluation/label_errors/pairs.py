"""Which boxes of an image overlap, for all images at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..matching.matching import box_iou

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

_PAIRS_AT_ONCE = 2_000_000


class HasBoxes(Protocol):
    """A table of boxes, image after image, e.g. the labels of a field."""

    @property
    def image(self) -> Integers:
        """The row of the image of each, in ascending order."""

    @property
    def box(self) -> Floats:
        """Left, top, width, height relative to the image, of shape ``(n, 4)``."""

    @property
    def crowd(self) -> NDArray[np.bool_]:
        """Whether each stands for a crowd."""


@dataclass(frozen=True)
class Boxes:
    """Boxes that belong to no field; see :class:`HasBoxes`."""

    image: Integers
    box: Floats
    crowd: NDArray[np.bool_]


@dataclass(frozen=True)
class Pairs:
    """Pairs of overlapping boxes.

    Args:
        one: rows of the first table
        other: rows of the second
        iou: how far both overlap; on a crowd, over the area of the first alone
    """

    one: Integers
    other: Integers
    iou: Floats

    def only(self, kept: NDArray[np.bool_]) -> Pairs:
        """Some of the pairs."""
        return Pairs(self.one[kept], self.other[kept], self.iou[kept])


def overlapping(one: HasBoxes, other: HasBoxes, *, least: float) -> Pairs:
    """The pairs of two tables that lie in one image and overlap at least so far.

    Args:
        one: a table
        other: another, or the same, which also pairs every box with itself
        least: the least IoU, above 0
    """
    begin = np.searchsorted(other.image, one.image, side="left")
    count = np.searchsorted(other.image, one.image, side="right") - begin
    ends = np.cumsum(count)
    borders = np.searchsorted(ends, np.arange(_PAIRS_AT_ONCE, count.sum(), _PAIRS_AT_ONCE))
    found = []
    for rows in np.split(np.arange(count.size), borders):
        times = count[rows]
        row = np.repeat(rows, times)
        start = np.cumsum(times) - times
        column = np.repeat(begin[rows] - start, times) + np.arange(row.size)
        iou = box_iou(one.box[row], other.box[column], other.crowd[column])
        kept = iou >= least
        found.append((row[kept], column[kept], iou[kept]))
    rows, columns, ious = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Pairs(rows, columns, ious)
