"""Vectors in shards on the nodes of a Ray cluster, with the answers of one machine.

What decides stays with the driver, and runs the same code as without a cluster: which row is next,
which neighbours are nearest. The nodes do what reads all vectors. They keep nothing but those: a
shard whose node dies is made again elsewhere and asked again.

Shards begin where blocks of the whole begin, so that products are taken of the same blocks and are
the same numbers, bit for bit, on processors of one kind.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ...compute.devices import cpu_count
from .nearest import Centres, Moved, Nearest, most_together, move_nearer
from .neighbours import fill
from .unit_rows import UnitRows

if TYPE_CHECKING:
    import faiss
    from numpy.typing import NDArray

    from ...compute.cluster.ray_cluster import Cluster
    from .neighbours import Wanted


class Shard:
    """Some of the vectors, on a node.

    Args:
        vectors: float32 ``[N, D]``
    """

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self._rows = UnitRows(vectors)
        self._index: Any = None

    def move_nearer(
        self,
        squared: NDArray[np.float32],
        points: NDArray[np.float32],
        exact: NDArray[np.float64],
        together: int,
        covers: float,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
        """See :func:`move_nearer`; returns the attributes of :class:`Moved`."""
        moved = move_nearer(self._rows, squared, Centres(points, exact, together), covers)
        return moved.squared, moved.farthest, moved.covered

    def search(
        self, trained: NDArray[np.uint8], queries: NDArray[np.float32], count: int, nprobe: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Finds the nearest of these vectors.

        Args:
            trained: an index that holds none yet, as FAISS writes it
            queries: ``[Q, D]``
            count: how many to find for each
            nprobe: how many cells to search, if the index has cells

        Returns:
            their products with the query, and their rows here, ``[Q, count]``
        """
        import faiss

        if self._index is None:
            faiss.omp_set_num_threads(cpu_count())
            self._index = fill(faiss.deserialize_index(trained), self._rows)
        if nprobe:
            self._index.nprobe = nprobe
        products, found = self._index.search(queries, count)
        return products, found


class Shards:
    """All vectors, a part of them on each node.

    Args:
        rows: the vectors
        cluster: where the shards are
    """

    def __init__(self, rows: UnitRows, cluster: Cluster) -> None:
        step = most_together(rows)
        blocks = -(-len(rows) // step)
        bounds = np.linspace(0, blocks, min(len(cluster.nodes), blocks) + 1).astype(int) * step
        self.parts = [slice(int(a), min(int(b), len(rows))) for a, b in pairwise(bounds)]
        self.held = cluster.hold(Shard, [(np.asarray(rows.vectors[part]),) for part in self.parts])

    def nearest(self, rows: UnitRows, alike: float) -> Nearest:
        """Distances as `Nearest` measures them."""
        return _ShardedNearest(self, rows, alike)

    def fill(self, index: faiss.Index, rows: UnitRows, wanted: Wanted) -> _ShardedIndex:  # noqa: ARG002
        """Fills an index as `neighbours.fill` does, a part of it on each node."""
        wanted()
        return _ShardedIndex(self, index)


class _ShardedNearest(Nearest):
    def __init__(self, shards: Shards, rows: UnitRows, alike: float) -> None:
        super().__init__(rows, alike)
        self._shards = shards

    def _move(self, centres: Centres) -> Moved:
        held, parts = self._shards.held, self._shards.parts
        shared = [held.share(value) for value in (centres.points, centres.exact)]
        moved = held.each(
            "move_nearer",
            [(self.squared[part], *shared, centres.together, self._alike) for part in parts],
        )
        squared, farthest, covered = zip(*moved, strict=True)
        return Moved(np.concatenate(squared), np.max(farthest, axis=0), np.sum(covered, axis=0))


class _ShardedIndex:
    """An index of FAISS that is filled on the nodes, as far as a search needs it."""

    def __init__(self, shards: Shards, trained: faiss.Index) -> None:
        import faiss

        self.nprobe = 0
        self._shards = shards
        self._trained = shards.held.share(faiss.serialize_index(trained))

    def search(
        self, queries: NDArray[np.float32], count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Finds the nearest rows of each query; of equals the first come first."""
        held, parts = self._shards.held, self._shards.parts
        asked: tuple[Any, ...] = (self._trained, held.share(queries), count, self.nprobe)
        answers = held.each("search", [asked] * len(parts))
        products = np.concatenate([found for found, _ in answers], axis=1)
        rows = np.concatenate(
            [
                np.where(found >= 0, found + part.start, found)
                for part, (_, found) in zip(parts, answers, strict=True)
            ],
            axis=1,
        )
        order = np.lexsort((rows, -products))[:, :count]
        return np.take_along_axis(products, order, 1), np.take_along_axis(rows, order, 1)
