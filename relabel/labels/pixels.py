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
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def fill(polygon: Sequence[float]) -> tuple[int, ...]:
    """The mask of what is inside a polygon, its border included.

    Args:
        polygon: x, y, x, y, ... in pixels
    """
    xs, ys = polygon[0::2], polygon[1::2]
    left, top = int(np.floor(min(xs))), int(np.floor(min(ys)))
    size = (int(np.ceil(max(xs))) - left + 1, int(np.ceil(max(ys))) - top + 1)
    image = Image.new("1", size)
    corners = [(x - left, y - top) for x, y in zip(xs, ys, strict=True)]
    ImageDraw.Draw(image).polygon(corners, fill=1, outline=1)
    return encode(np.asarray(image, dtype=bool), left, top)


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
