"""t-SNE that tells how far it is and can be ended at any iteration.

scikit-learn's says nothing while it works. But it starts from points that it may be given, and
moves a copy of them in place: points that tell when they are moved tell of every iteration.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.sparse import csr_matrix

from ..distances.neighbours import nearest_neighbours
from ..distances.unit_rows import UnitRows

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Progress = Callable[[str, int, int], None]

COMPARED, ITERATIONS = "images compared", "iterations of t-SNE"
_PERPLEXITY = 30.0
_ITERATIONS = 1000
# How far apart points are at the start, as in scikit-learn: so little that they find together.
_START = 1e-4
_ROWS_AT_ONCE = 256


def lay_out_by_tsne(
    vectors: NDArray[np.float32], seed: int | None, *, progress: Progress | None = None
) -> NDArray[np.float32]:
    """Lays vectors out by t-SNE (van der Maaten and Hinton, JMLR 2008), with a Barnes-Hut tree.

    Args:
        vectors: ``[N, D]``, three or more; only their directions count
        seed: the same gives the same points
        progress: called with what is counted, how many of it are done, and how many there are; it
            may raise to cancel

    Returns:
        the points, ``[N, 2]``
    """
    from sklearn.manifold import TSNE

    tell = progress or (lambda *_: None)
    rows = UnitRows(vectors)
    layout = TSNE(
        2,
        perplexity=min(_PERPLEXITY, (len(rows) - 1) / 3),
        metric="precomputed",
        init=_Points.telling(_start(vectors, seed), functools.partial(tell, ITERATIONS)),
        max_iter=_ITERATIONS,
        random_state=seed,
    )
    graph = _graph(rows, layout.perplexity, functools.partial(tell, COMPARED))
    points: NDArray[np.float32] = np.array(layout.fit_transform(graph), np.float32, subok=False)
    tell(ITERATIONS, _ITERATIONS, _ITERATIONS)  # it may have come to rest before
    return points


class _Points(np.ndarray[Any, Any]):
    """Points that tell, whenever others are added to them in place, how often that was."""

    told: Callable[[int, int], None] | None = None
    moved = 0

    @classmethod
    def telling(cls, points: NDArray[np.float32], told: Callable[[int, int], None]) -> Self:
        """The same points, telling."""
        those = points.view(cls)
        those.told = told
        return those

    def __array_finalize__(self, source: Any) -> None:
        self.told, self.moved = getattr(source, "told", None), getattr(source, "moved", 0)

    def __iadd__(self, other: Any) -> Self:  # type: ignore[misc]
        there: Self = super().__iadd__(other)
        if self.told and np.ndim(other):  # to what else there is of their kind a number is added
            self.moved += 1
            self.told(self.moved, _ITERATIONS)
        return there


def _start(vectors: NDArray[np.float32], seed: int | None) -> NDArray[np.float32]:
    from sklearn.decomposition import PCA

    with np.errstate(invalid="ignore"):  # of shares of a variance that there is none of
        points = PCA(2, random_state=seed).fit_transform(vectors).astype(np.float32)
    deviation = np.std(points[:, 0]) or 1  # none if all vectors are the same
    start: NDArray[np.float32] = points / deviation * _START
    return start


def _graph(rows: UnitRows, perplexity: float, told: Callable[[int, int], None]) -> Any:
    """How far each row is from its nearest, itself included, as scikit-learn wants it."""
    count = min(int(3 * perplexity + 1), len(rows) - 1)
    near = nearest_neighbours(rows, count, progress=told)
    apart = np.empty(near.shape, np.float32)
    for block in rows.blocks(_ROWS_AT_ONCE):
        own = rows.gather(np.arange(block.start, block.stop))
        others = rows.gather(near[block].ravel()).reshape(*near[block].shape, -1)
        apart[block] = np.linalg.norm(others - own[:, None], axis=2)
    order = np.argsort(apart, axis=1)
    each = np.arange(len(rows))[:, None]
    columns = np.hstack([each, np.take_along_axis(near, order, axis=1)])
    values = np.hstack([np.zeros_like(apart[:, :1]), np.take_along_axis(apart, order, axis=1)])
    bounds = np.arange(0, columns.size + 1, count + 1)
    return csr_matrix((values.ravel(), columns.ravel(), bounds), shape=(len(rows), len(rows)))
