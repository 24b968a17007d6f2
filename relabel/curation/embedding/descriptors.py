"""A built-in image descriptor: needs no network, no weights and no GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from fiftyone.core.models import EmbeddingsMixin

from ...compute.inference.image_model import ImageModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SIDE = 64
_CELL = 16
_ORIENTATIONS = 9
_GRID = 4
_BINS = 4
_EPSILON = 1e-12


class ImageDescriptor(EmbeddingsMixin, ImageModel):  # type: ignore[misc]
    """Describes the shapes and colours of an image by a vector of 436 numbers.

    Three parts, each of length 1, of an image shrunk to 64 x 64 pixels:

    -   324: histograms of oriented gradients, 9 orientations in cells of 16 x 16 pixels, blocks
        of 2 x 2 cells (Dalal and Triggs, "Histograms of oriented gradients for human detection",
        CVPR 2005)
    -   48: the mean colour (CIE L*a*b*) of each field of a 4 x 4 grid
    -   64: the histogram of L*a*b* colours in 4 x 4 x 4 bins (Swain and Ballard, "Color
        indexing", IJCV 1991), square roots taken, so that the scalar product of two is their
        Bhattacharyya coefficient

    It tells look-alikes and duplicates from the rest. It knows nothing of what things are: for
    that choose a model of FiftyOne's zoo, or vectors of your own.
    """

    dimensions = 324 + 48 + 64

    def __init__(self) -> None:
        self._hog = cv2.HOGDescriptor(
            (_SIDE, _SIDE),
            (2 * _CELL, 2 * _CELL),
            (_CELL, _CELL),
            (_CELL, _CELL),
            _ORIENTATIONS,
        )
        self._last: NDArray[np.float32] | None = None

    @property
    def has_embeddings(self) -> bool:
        """True: vectors are all that it makes."""
        return True

    def embed(self, arg: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Describes one image.

        Args:
            arg: the image, uint8 ``[H, W, 3]`` RGB

        Returns:
            the vector, float32 ``[436]``, of length 1
        """
        image = cv2.resize(arg, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        gradients = np.asarray(self._hog.compute(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))).ravel()
        colours = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), dtype=np.uint8)
        parts = [_unit(gradients), _unit(_layout(colours)), _unit(_histogram(colours))]
        self._last = _unit(np.concatenate(parts)).astype(np.float32)
        return self._last

    def embed_all(self, args: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Describes several images.

        Args:
            args: the images, each uint8 ``[H, W, 3]`` RGB

        Returns:
            the vectors, float32 ``[N, 436]``, each of length 1
        """
        vectors = [self.embed(image) for image in args]
        return np.stack(vectors) if vectors else np.empty((0, self.dimensions), np.float32)

    def get_embeddings(self) -> NDArray[np.float32]:
        """The vector of the image described last, ``[1, 436]``."""
        if self._last is None:
            raise ValueError("Nothing was described yet")
        return self._last[np.newaxis]


def _layout(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    means = cv2.resize(colours, (_GRID, _GRID), interpolation=cv2.INTER_AREA)
    layout: NDArray[np.float64] = np.asarray(means, dtype=np.float64).ravel() - 128.0
    return layout


def _histogram(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    bins = (colours.reshape(-1, 3).astype(np.int64) * _BINS) // 256
    flat = bins @ np.array([_BINS * _BINS, _BINS, 1])
    return np.sqrt(np.bincount(flat, minlength=_BINS**3) / len(flat))


def _unit(vector: NDArray[np.floating]) -> NDArray[np.floating]:
    return vector / max(float(np.linalg.norm(vector)), _EPSILON)
