"""The nearest neighbours of every sample, by FAISS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import faiss
import numpy as np

from .unit_rows import NOISE, UnitRows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Progress = Callable[[int, int], None]

EXACT_BELOW = 50_000
# What is measured on so many samples is to be so good that all together have a recall of .99.
_SAMPLED, _SAMPLED_RECALL = 512, 0.995
_ROWS_AT_ONCE = 2048
_QUERIES_IN_RANGE = 256
_SAME = 1e-6


def nearest_neighbours(
    rows: UnitRows, count: int, *, progress: Progress | None = None, exact_below: int = EXACT_BELOW
) -> NDArray[np.int64]:
    """Finds the nearest of each row, itself left out.

    Below ``exact_below`` rows every pair is compared. Above, the rows are divided into cells
    around means of theirs (an inverted file), and only cells near a row are searched: as many as
    it takes to find 99 % of the neighbours, which is measured on rows drawn by chance. Where that
    takes most of the cells every pair is compared after all.

    Args:
        rows: the vectors
        count: how many neighbours, fewer than there are rows
        progress: called with how many rows are done and how many there are; it may raise to cancel
        exact_below: see there

    Returns:
        the neighbours of each row, nearest first, ``[N, count]``
    """
    index = _index(rows, count, exact_below)
    found = np.empty((len(rows), count), np.int64)
    for block in rows.blocks(_ROWS_AT_ONCE):
        queries = np.arange(block.start, block.stop)
        _, nearest = index.search(rows.gather(queries), count + 1)
        found[block] = _without_itself(nearest, queries)
        if progress:
            progress(block.stop, len(rows))
    return found


def near_pairs(
    rows: UnitRows,
    distance: float,
    *,
    progress: Progress | None = None,
    exact_below: int = EXACT_BELOW,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Finds the pairs of rows within a distance, as `nearest_neighbours` finds neighbours.

    Args:
        rows: the vectors
        distance: of the rows at length 1
        progress: called with how many rows are done and how many there are; it may raise to cancel
        exact_below: see there

    Yields:
        for some rows after the other the pairs with an earlier row: the rows, ascending, and the
        earlier rows
    """
    index = _index(rows, 3, exact_below)
    least = 1 - distance**2 / 2 - NOISE
    for block in rows.blocks(_QUERIES_IN_RANGE):
        queries = np.arange(block.start, block.stop)
        limits, _, found = index.range_search(rows.gather(queries), least)
        first = np.repeat(queries, np.diff(limits.astype(np.int64)))
        earlier = found < first
        first, second = first[earlier], found[earlier]
        near = rows.exact_squared(first, second) <= distance**2
        yield first[near], second[near]
        if progress:
            progress(block.stop, len(rows))


def _index(rows: UnitRows, count: int, exact_below: int) -> faiss.Index:
    return (_cells(rows, count) if len(rows) >= exact_below else None) or _every_pair(rows)


def _every_pair(rows: UnitRows) -> faiss.IndexFlatIP:
    index = faiss.IndexFlatIP(rows.dimensions)
    _add(index, rows)
    return index


def _cells(rows: UnitRows, count: int) -> faiss.IndexIVFFlat | None:
    """An index that searches as few cells as it may; None if those are most of them."""
    cells = max(1, int(1.6 * np.sqrt(len(rows))))
    # The cells need the quantizer for as long as they live: FAISS keeps no reference to it.
    index = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(rows.dimensions), rows.dimensions, cells, faiss.METRIC_INNER_PRODUCT
    )
    drawn = np.random.default_rng(0).permutation(len(rows))
    index.cp.niter = 10
    index.train(rows.gather(np.sort(drawn[: 64 * cells])))
    _add(index, rows)
    queries = rows.gather(np.sort(drawn[:_SAMPLED]))
    index.nprobe = cells
    truth, _ = index.search(queries, count + 1)
    searched = 2
    while searched <= cells // 2:
        index.nprobe = searched
        if _recall(index.search(queries, count + 1)[0], truth) >= _SAMPLED_RECALL:
            return index
        searched *= 2
    return None


def _add(index: faiss.Index, rows: UnitRows) -> None:
    for block in rows.blocks(_ROWS_AT_ONCE):
        index.add(rows.gather(np.arange(block.start, block.stop)))


def _recall(found: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """The share of the neighbours that are as near as the true ones, the row itself left out."""
    return float(np.mean(found[:, 1:] >= truth[:, 1:] - _SAME))


def _without_itself(nearest: NDArray[np.int64], queries: NDArray[np.int64]) -> NDArray[np.int64]:
    """Takes each row out of its own neighbours; among many copies it may not be there."""
    others = nearest != queries[:, None]
    others[others.all(axis=1), -1] = False
    kept: NDArray[np.int64] = nearest[others].reshape(len(nearest), -1)
    return kept
