"""The two costly steps, distances to centres and nearest neighbours, on a GPU.

They are written once, for ``keras.ops``: TensorFlow, PyTorch or JAX computes them. What is very
near is computed anew in float64 on the CPU, as everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...compute.arrays import full_precision
from .nearest import Centres, Moved, Nearest
from .unit_rows import NEAR, NOISE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .unit_rows import UnitRows

# On a GPU at once: of vectors with 512 numbers 0.13 GB, and up to 0.5 GB of products.
_ROWS = 1 << 16


class NearestOnGpu(Nearest):
    """As `Nearest`, computed with ``keras.ops``.

    Args:
        rows: the vectors
        alike: the distance within which a centre covers a row
        ops: ``keras.ops``, of whatever library
    """

    def __init__(self, rows: UnitRows, alike: float, ops: Any) -> None:
        super().__init__(rows, alike)
        self._ops = ops

    def _move(self, centres: Centres) -> Moved:
        squared = np.empty_like(self.squared)
        farthest = np.zeros(len(centres.points), np.float32)
        covered = np.zeros(len(centres.points), np.int64)
        with full_precision():
            for block in self._rows.blocks(_ROWS):
                moved = self._move_block(centres, block)
                squared[block] = moved.squared
                np.maximum(farthest, moved.farthest, out=farthest)
                covered += moved.covered
        return Moved(squared, farthest, covered)

    def _move_block(self, centres: Centres, block: slice) -> Moved:
        ops, rows = self._ops, self._rows
        vectors = ops.convert_to_tensor(np.ascontiguousarray(rows.vectors[block]))
        products = ops.matmul(ops.convert_to_tensor(centres.points), ops.transpose(vectors))
        tile = 2 - 2 * products * ops.convert_to_tensor(rows.scales[block])
        tile = self._make_exact(tile, centres, block)
        smallest, largest, covered = ops.convert_to_tensor(self.squared[block]), [], []
        for number in range(len(centres.points)):
            smallest = ops.minimum(smallest, tile[number])
            largest.append(ops.max(smallest))
            covered.append(ops.count_nonzero(smallest <= self._alike))
        found = (smallest, ops.stack(largest), ops.stack(covered))
        squared, farthest, count = (np.asarray(ops.convert_to_numpy(each)) for each in found)
        return Moved(squared, farthest, count.astype(np.int64))

    def _make_exact(self, tile: Any, centres: Centres, block: slice) -> Any:
        """Puts exact distances where they are small and may be the smallest."""
        ops = self._ops
        below = ops.convert_to_tensor(self.squared[block] + NOISE)
        near = ops.nonzero(ops.logical_and(tile < NEAR, tile < below))
        numbers, columns = (np.asarray(ops.convert_to_numpy(found)) for found in near)
        if not len(numbers):
            return tile
        exact = np.empty(len(numbers), np.float32)
        for number in np.unique(numbers):
            of_it = numbers == number
            rows = columns[of_it] + block.start
            exact[of_it] = self._rows.exact_squared_to(rows, centres.exact[number])
        return ops.scatter_update(tile, np.stack([numbers, columns], axis=1).astype("i4"), exact)


class EveryPairOnGpu:
    """An index that compares every pair, which stands in for one of FAISS.

    Args:
        rows: the vectors; they are kept on the GPU
        ops: ``keras.ops``, of whatever library
    """

    def __init__(self, rows: UnitRows, ops: Any) -> None:
        self._ops = ops
        self._parts = [
            (block.start, ops.convert_to_tensor(rows.gather(np.arange(block.start, block.stop))))
            for block in rows.blocks(_ROWS)
        ]

    def search(
        self, queries: NDArray[np.float32], count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The largest products of vectors with the rows, and whose they are, largest first.

        Args:
            queries: vectors, float32 ``[Q, D]``
            count: how many of each, ``[Q, count]``
        """
        with full_precision():
            asked = self._ops.convert_to_tensor(queries)
            found = [self._search(asked, part, start, count) for start, part in self._parts]
        products, rows = (np.concatenate(each, axis=1) for each in zip(*found, strict=True))
        order = np.argsort(-products, axis=1, kind="stable")[:, :count]
        return np.take_along_axis(products, order, 1), np.take_along_axis(rows, order, 1)

    def _search(
        self, queries: Any, part: Any, start: int, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        ops = self._ops
        products = ops.matmul(queries, ops.transpose(part))
        largest, rows = ops.top_k(products, min(count, part.shape[0]))
        places = np.asarray(ops.convert_to_numpy(rows)).astype(np.int64)
        return np.asarray(ops.convert_to_numpy(largest)), places + start
