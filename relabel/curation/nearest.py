"""How far each sample is from the nearest one that was chosen: the costly half of a selection."""

from __future__ import annotations

import functools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import ThreadpoolController

from .unit_rows import NEAR, NOISE, UnitRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_CENTRES = 128
# What the products of a block take: they stay in the second-level cache, and under 1 % of the
# vectors for each thread.
_LARGEST_TILE, _SMALLEST_TILE, _SHARE = 1 << 18, 1 << 14, 0.005
_FEW = 16


class Nearest:
    """Distances to a growing set of centres, each the smallest so far.

    Centres are added many at a time. The vectors are then read once for all of them and the work
    is a product of matrices, which two cores do several times faster than they read as many
    vectors as there are centres.

    Attributes:
        squared: the squared distance of each row to its nearest centre, ``[N]``; infinite at first
        radii: after each centre, the largest of the distances
        covered: after each centre, how many rows are within ``alike`` of one
        passes: how often all vectors were read

    Args:
        rows: the vectors
        alike: the distance within which a centre covers a row
    """

    def __init__(self, rows: UnitRows, alike: float) -> None:
        self.squared = np.full(len(rows), np.inf, np.float32)
        self.radii: list[float] = []
        self.covered: list[int] = []
        self.passes = 0
        self._rows = rows
        self._alike = alike**2

    def add(self, centres: Sequence[int]) -> None:
        """Takes rows as further centres, in their order."""
        for start in range(0, len(centres), _CENTRES):
            self._add(np.asarray(centres[start : start + _CENTRES]))

    def _add(self, centres: NDArray[np.integer]) -> None:
        points = self._rows.gather(centres)
        farthest = np.zeros(len(centres), np.float32)
        covered = np.zeros(len(centres), np.int64)
        # Blocks side by side use both cores in what follows the product too, which one product
        # on two threads would not.
        blocks = self._rows.blocks(self._rows_at_once(len(centres)))
        update = functools.partial(self._tile, centres=centres, points=points)
        with (
            _libraries().limit(limits=1, user_api="blas"),
            ThreadPoolExecutor(os.cpu_count()) as pool,
        ):
            for largest, count in pool.map(update, blocks):
                np.maximum(farthest, largest, out=farthest)
                covered += count
        self.passes += 1
        self.radii += np.sqrt(farthest).tolist()
        self.covered += covered.tolist()

    def _rows_at_once(self, centres: int) -> int:
        if centres < _FEW:  # a vector or few: what counts is that the block stays in the cache
            return 256
        room = int(_SHARE * self._rows.vectors.size)
        return max(_SMALLEST_TILE, min(_LARGEST_TILE, room)) // centres

    def _tile(
        self, block: slice, centres: NDArray[np.integer], points: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The distances of some rows, brought up to date centre by centre.

        Returns:
            the largest and how many are covered, after each centre
        """
        tile = points @ self._rows.vectors[block].T
        tile *= -2 * self._rows.scales[block]
        tile += 2
        smallest = self.squared[block]
        doubtful = bool(tile.min() < NEAR)
        for centre, squared in zip(centres, tile, strict=True):
            if doubtful:
                self._make_exact(squared, smallest, block.start, centre)
            np.minimum(squared, smallest, out=squared)
            smallest = squared
        self.squared[block] = smallest
        return tile.max(axis=1), np.count_nonzero(tile <= self._alike, axis=1)

    def _make_exact(
        self,
        squared: NDArray[np.float32],
        smallest: NDArray[np.float32],
        start: int,
        centre: int,
    ) -> None:
        """Computes anew the distances that are small and may be the smallest."""
        near = np.flatnonzero((squared < NEAR) & (squared < smallest + NOISE) & (smallest > 0))
        if len(near):
            squared[near] = self._rows.exact_squared(near + start, np.full(len(near), centre))


@functools.cache
def _libraries() -> ThreadpoolController:
    """NumPy's library of linear algebra; looking for it takes as long as a small selection."""
    return ThreadpoolController()
