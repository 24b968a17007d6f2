"""Pixels of an image <-> the run lengths of CVAT's masks, and FiftyOne's stored arrays.

CVAT writes a mask as run lengths over a box of pixels, row by row, the first run being of zeros,
and then the left, top, right and bottom of the box, right and bottom included: the rows 01 and 10
at (5, 7) are ``1, 2, 1, 5, 7, 6, 8``. Its box can be larger than what is set in it, so every mask
is brought to the tightest box before it is compared.
"""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from .drawn import MOST_PIXELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

_BOX = 4


def encode(mask: Mask, left: int = 0, top: int = 0) -> tuple[int, ...]:
    """The points of a CVAT mask.

    Args:
        mask: array of shape ``(height, width)``
        left: the column of the image that its first column is at
        top: the row of the image that its first row is at

    Returns:
        run lengths and box, or nothing if no pixel is set
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return ()
    cropped = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    flat = cropped.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(np.concatenate(([0], edges, [flat.size]))).tolist()
    box = (left + columns[0], top + rows[0], left + columns[-1], top + rows[-1])
    return tuple([0] * bool(flat[0]) + runs + [int(side) for side in box])


def decode(points: Sequence[float]) -> tuple[Mask, int, int]:
    """The pixels of a CVAT mask.

    A server stores what it is sent: runs that do not fill the box are filled up with zeros, and
    what goes beyond it is left out.

    Args:
        points: run lengths and box

    Returns:
        array of shape ``(height, width)``, and the left and top of its box
    """
    left, top, right, bottom = (round(side) for side in points[-_BOX:])
    width, height = max(right - left + 1, 0), max(bottom - top + 1, 0)
    runs = np.maximum(np.rint(np.asarray(points[:-_BOX], dtype=float)), 0).astype(np.int64)
    flat = np.zeros(width * height, dtype=bool)
    ends = np.minimum(np.cumsum(runs), flat.size)
    for start, end in zip(ends[0::2], ends[1::2], strict=False):
        flat[start:end] = True
    return flat.reshape(height, width), left, top


def tighten(points: Sequence[float]) -> tuple[int, ...]:
    """The same mask in its tightest box, or nothing if no pixel is set."""
    return encode(*decode(points))


def fill(
    polygons: Iterable[Sequence[float]], size: tuple[int, int] | None = None
) -> tuple[int, ...]:
    """The mask of the pixels whose centres are inside an odd number of polygons.

    A centre that is on an outline is inside if the polygon goes on to the right of it or below.

    Args:
        polygons: each as x, y, x, y, ... in pixels
        size: width and height of the image, to which the mask is cut; None for no limit

    Returns:
        run lengths and box, or nothing if there is no such pixel, or more than an image has
    """
    rings = [np.asarray(polygon, dtype=float).reshape(-1, 2) - 0.5 for polygon in polygons]
    corners = np.concatenate(rings)
    left, top = np.ceil(corners.min(axis=0)).astype(int)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int)
    if size is not None:
        left, right, top, bottom = (
            max(left, 0),
            min(right, size[0]),
            max(top, 0),
            min(bottom, size[1]),
        )
    if right <= left or bottom <= top or (right - left) * (bottom - top) > MOST_PIXELS:
        return ()
    crossed = np.zeros((bottom - top, right - left + 1), dtype=bool)
    for ring in rings:
        _cross(crossed, ring - (left, top))
    inside = np.logical_xor.accumulate(crossed, axis=1)[:, :-1]
    return encode(inside, int(left), int(top))


def _cross(crossed: Mask, ring: NDArray[np.float64]) -> None:
    """Turns over, row by row, the first pixel to the right of each crossing of an outline."""
    start, end = ring, np.roll(ring, -1, axis=0)
    height, width = crossed.shape
    first = np.clip(np.ceil(np.minimum(start[:, 1], end[:, 1])), 0, height).astype(int)
    last = np.clip(np.ceil(np.maximum(start[:, 1], end[:, 1])), 0, height).astype(int)
    counts = last - first
    edge = np.repeat(np.arange(len(ring)), counts)
    rows = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts - first, counts)
    (x, y), (dx, dy) = start[edge].T, (end - start)[edge].T
    columns = np.clip(np.ceil(x + (rows - y) * dx / dy), 0, width - 1).astype(int)
    np.logical_xor.at(crossed, (rows, columns), np.True_)


def resize(mask: Mask, width: int, height: int) -> Mask:
    """Stretches a mask; each pixel takes the one nearest to its centre."""
    rows = ((np.arange(height) + 0.5) * mask.shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * mask.shape[1] / width).astype(int)
    stretched: Mask = mask[rows][:, columns]
    return stretched


def serialise(array: NDArray[Any]) -> bytes:
    """An array as FiftyOne stores it in MongoDB: a NumPy file, deflated."""
    with io.BytesIO() as file:
        np.save(file, array, allow_pickle=False)
        return zlib.compress(file.getvalue())


def deserialise(data: bytes) -> NDArray[Any]:
    """The reverse of :func:`serialise`."""
    array: NDArray[Any] = np.load(io.BytesIO(zlib.decompress(data)), allow_pickle=False)
    return array
