"""Vectors seen as if each had length 1, without a copy of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..embedding.lengths import scales_of
from ..errors import EmbeddingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# Squared distances below NEAR are computed again, exactly: 2 - 2 cos is off by up to NOISE.
NEAR = 1e-4
NOISE = 4e-6
# Unit vectors in float32 that are nearer than this are the same but for rounding.
RESOLUTION = 1e-6
_BLOCK_BYTES = 1 << 20
_EXACT_ROWS = 128


class UnitRows:
    """Rows of a matrix, divided by their lengths when they are used.

    The matrix may be larger than memory (a ``np.memmap``): nothing of it is copied but the rows
    that are asked for, and 4 bytes a row are kept beside it.

    Args:
        vectors: float32 ``[N, D]``

    Raises:
        EmbeddingsError: if a vector is zero, or holds something that is not a number
    """

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self.vectors = vectors
        self.scales = np.empty(len(vectors), np.float32)
        for block in self.blocks(_BLOCK_BYTES // max(1, 4 * self.dimensions)):
            self.scales[block] = scales_of(vectors[block])
        unusable = int(np.isnan(self.scales).sum())
        if unusable:
            raise EmbeddingsError(
                f"{unusable:,} of {len(self):,} vectors are zero or hold no numbers.",
                "Compute them again, or leave these samples out.",
            )

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""
        return int(self.vectors.shape[1])

    def blocks(self, rows: int) -> Iterator[slice]:
        """The rows from first to last, so many at a time."""
        step = max(1, rows)
        for start in range(0, len(self), step):
            yield slice(start, min(start + step, len(self)))

    def gather(self, indices: NDArray[np.integer]) -> NDArray[np.float32]:
        """Copies some rows, at length 1, ``[n, D]``."""
        rows: NDArray[np.float32] = self.vectors[indices] * self.scales[indices, None]
        return rows

    def mean(self) -> NDArray[np.float32]:
        """The mean of the rows at length 1, ``[D]``."""
        total = np.zeros(self.dimensions, np.float64)
        for block in self.blocks(_BLOCK_BYTES // max(1, 4 * self.dimensions)):
            total += self.scales[block] @ self.vectors[block]
        mean: NDArray[np.float32] = (total / len(self)).astype(np.float32)
        return mean

    def squared_to_point(self, point: NDArray[np.float32]) -> NDArray[np.float32]:
        """The squared distance of each row to a point of any length, ``[N]``."""
        squared = np.empty(len(self), np.float32)
        for block in self.blocks(_BLOCK_BYTES // max(1, 4 * self.dimensions)):
            squared[block] = (self.vectors[block] @ point) * self.scales[block]
        squared *= -2
        squared += 1 + point @ point
        return np.maximum(squared, 0, out=squared)

    def exact_squared(
        self, first: NDArray[np.integer], second: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """Squared distances of pairs, to the last digit; 0 for what is the same but for rounding.

        Args:
            first: a row of each pair, ``[n]``
            second: the other, ``[n]``
        """
        squared = np.empty(len(first), np.float64)
        for start in range(0, len(first), _EXACT_ROWS):
            part = slice(start, start + _EXACT_ROWS)
            squared[part] = _squared(self.exact(first[part]), self.exact(second[part]))
        return squared

    def exact_squared_to(
        self, indices: NDArray[np.integer], point: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The same of some rows and a point, which is what `exact` returns of a row, ``[D]``."""
        squared = np.empty(len(indices), np.float64)
        for start in range(0, len(indices), _EXACT_ROWS):
            part = slice(start, start + _EXACT_ROWS)
            squared[part] = _squared(self.exact(indices[part]), point)
        return squared

    def exact(self, indices: NDArray[np.integer]) -> NDArray[np.float64]:
        """Some rows at length 1 to the last digit, ``[n, D]``."""
        rows = self.vectors[indices].astype(np.float64)
        unit: NDArray[np.float64] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit


def _squared(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    apart = first - second
    squared: NDArray[np.float64] = np.einsum("nd,nd->n", apart, apart)
    squared[squared < RESOLUTION**2] = 0
    return squared
