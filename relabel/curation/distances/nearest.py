"""How far each sample is from the nearest one that was chosen: the costly half of a selection."""

from __future__ import annotations

import functools
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import ThreadpoolController

from .unit_rows import NEAR, NOISE, UnitRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_CENTRES = 128
# What the products of a block take: they stay in the second-level cache, and under 1 % of the
# vectors for each thread. Blocks have a power of two of rows, so that the blocks of a shard that
# begins at a multiple of the largest are those of the whole, and their products the same numbers.
_LARGEST_TILE, _SMALLEST_TILE, _SHARE = 1 << 18, 1 << 14, 0.005
_FEW, _ROWS_FOR_FEW = 16, 256


@dataclass(frozen=True, eq=False)
class Centres:
    """Rows that others are measured against.

    Args:
        points: they, at length 1, float32 ``[C, D]``
        exact: the same to the last digit, float64 ``[C, D]``
        together: how many rows are measured against all of them at once
    """

    points: NDArray[np.float32]
    exact: NDArray[np.float64]
    together: int


@dataclass(frozen=True, eq=False)
class Moved:
    """What centres did to the distances of some rows.

    Args:
        squared: the squared distance of each row to its nearest centre, ``[N]``
        farthest: the largest of them after each centre, ``[C]``
        covered: how many of them were within a distance, after each centre, ``[C]``
    """

    squared: NDArray[np.float32]
    farthest: NDArray[np.float32]
    covered: NDArray[np.int64]


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

    def _add(self, rows: NDArray[np.integer]) -> None:
        together = rows_together(self._rows, len(rows))
        moved = self._move(Centres(self._rows.gather(rows), self._rows.exact(rows), together))
        self.squared = moved.squared
        self.passes += 1
        self.radii += np.sqrt(moved.farthest).tolist()
        self.covered += moved.covered.tolist()

    def _move(self, centres: Centres) -> Moved:
        return move_nearer(self._rows, self.squared, centres, self._alike)


def rows_together(rows: UnitRows, centres: int) -> int:
    """How many rows are best measured against so many centres at once; a power of two."""
    if centres < _FEW:  # a vector or few: what counts is that the block stays in the cache
        return _ROWS_FOR_FEW
    room = int(_SHARE * rows.vectors.size)
    most = max(_SMALLEST_TILE, min(_LARGEST_TILE, room)) // centres
    return 1 << (most.bit_length() - 1)


def most_together(rows: UnitRows) -> int:
    """The most that `rows_together` says for any number of centres; a multiple of all others."""
    return max(_ROWS_FOR_FEW, rows_together(rows, _FEW))


def move_nearer(
    rows: UnitRows, squared: NDArray[np.float32], centres: Centres, covers: float
) -> Moved:
    """Brings the squared distances of rows to their nearest centre up to date.

    Args:
        rows: the vectors, or a part of them that begins at a multiple of `most_together`
        squared: the squared distance of each to the centres before, ``[N]``
        centres: what comes nearer
        covers: the squared distance within which a centre covers a row
    """
    squared = squared.copy()
    farthest = np.zeros(len(centres.points), np.float32)
    covered = np.zeros(len(centres.points), np.int64)
    # Blocks side by side use both cores in what follows the product too, which one product
    # on two threads would not.
    update = functools.partial(_move_block, rows, squared, centres, covers)
    with (
        _libraries().limit(limits=1, user_api="blas"),
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        for largest, count in pool.map(update, rows.blocks(centres.together)):
            np.maximum(farthest, largest, out=farthest)
            covered += count
    return Moved(squared, farthest, covered)


def _move_block(
    rows: UnitRows, squared: NDArray[np.float32], centres: Centres, covers: float, block: slice
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The distances of some rows, brought up to date centre by centre.

    Returns:
        the largest and how many are covered, after each centre
    """
    tile = centres.points @ rows.vectors[block].T
    tile *= -2 * rows.scales[block]
    tile += 2
    smallest = squared[block]
    doubtful = bool(tile.min() < NEAR)
    for exact, found in zip(centres.exact, tile, strict=True):
        if doubtful:
            _make_exact(rows, found, smallest, block.start, exact)
        np.minimum(found, smallest, out=found)
        smallest = found
    squared[block] = smallest
    return tile.max(axis=1), np.count_nonzero(tile <= covers, axis=1)


def _make_exact(
    rows: UnitRows,
    squared: NDArray[np.float32],
    smallest: NDArray[np.float32],
    start: int,
    centre: NDArray[np.float64],
) -> None:
    """Computes anew the distances that are small and may be the smallest."""
    near = np.flatnonzero((squared < NEAR) & (squared < smallest + NOISE) & (smallest > 0))
    if len(near):
        squared[near] = rows.exact_squared_to(near + start, centre)


@functools.cache
def _libraries() -> ThreadpoolController:
    """NumPy's library of linear algebra; looking for it takes as long as a small selection."""
    return ThreadpoolController()
