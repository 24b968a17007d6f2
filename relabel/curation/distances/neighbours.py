"""The nearest neighbours of every sample, by FAISS."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

from ...compute.inference.batches import is_out_of_memory
from .on_gpu import EveryPairOnGpu
from .unit_rows import NOISE, UnitRows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Progress = Callable[[int, int], None]
    Wanted = Callable[[], None]  # raises where the work is no longer wanted
    # Adds rows to an index of FAISS, and returns what is searched then: it, or one like it.
    Fill = Callable[[Any, UnitRows, Wanted], Any]

EXACT_BELOW = 50_000
# What is measured on so many samples is to be so good that all together have a recall of .99.
_SAMPLED, _SAMPLED_RECALL = 512, 0.995
_ROWS_AT_ONCE = 2048
_QUERIES_IN_RANGE = 256
_PAIRS_AT_ONCE = 1 << 20
_SAME = 1e-6
# So many more than are wanted are looked at closely where products do not tell them apart.
_SPARE = 8


def fill(index: Any, rows: UnitRows, wanted: Wanted = lambda: None) -> Any:
    """Adds all rows to an index of FAISS; asks between blocks whether it is still wanted."""
    for block in rows.blocks(_ROWS_AT_ONCE):
        wanted()
        index.add(rows.gather(np.arange(block.start, block.stop)))
    return index


def nearest_neighbours(
    rows: UnitRows,
    count: int,
    *,
    progress: Progress | None = None,
    exact_below: int = EXACT_BELOW,
    fill: Fill = fill,
    ops: Any = None,
) -> NDArray[np.int64]:
    """Finds the nearest of each row, itself left out.

    Below ``exact_below`` rows every pair is compared. Above, the rows are divided into cells
    around means of theirs (an inverted file), and only cells near a row are searched: as many as
    it takes to find 99 % of the neighbours, which is measured on rows drawn by chance. Where that
    takes most of the cells every pair is compared after all. A GPU that has room for the vectors
    compares every pair at any size.

    Products in float32 do not tell apart what is as near but for rounding. Their order there is
    that of exact distances, of equals the first row first.

    Args:
        rows: the vectors
        count: how many neighbours, fewer than there are rows
        progress: called with how many rows are done, none while the index is built, and how many
            there are; it may raise to cancel
        exact_below: see there
        fill: adds all rows to an index that holds none, here or elsewhere
        ops: ``keras.ops``, to compare with on a GPU; by default FAISS does

    Returns:
        the neighbours of each row, nearest first, ``[N, count]``
    """
    index = _on_gpu(rows, ops) or _index(rows, count, exact_below, fill, _wanted(rows, progress))
    found = np.empty((len(rows), count), np.int64)
    for block in rows.blocks(_ROWS_AT_ONCE):
        queries = np.arange(block.start, block.stop)
        looked_at = min(count + 1 + _SPARE, len(rows))
        products, nearest = _search(index, rows.gather(queries), looked_at, count + 1)
        found[block] = _nearest(rows, queries, products, nearest, count)
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

    Where many rows are near many, fewer are looked up at once, so that what is found fits into
    memory.

    Args:
        rows: the vectors
        distance: of the rows at length 1
        progress: called with how many rows are done, none while the index is built, and how many
            there are; it may raise to cancel
        exact_below: see there

    Yields:
        for some rows after the other the pairs with an earlier row: the rows, ascending, and the
        earlier rows
    """
    index = _index(rows, 3, exact_below, fill, _wanted(rows, progress))
    least = 1 - distance**2 / 2 - NOISE
    done, at_once = 0, 1
    while done < len(rows):
        queries = np.arange(done, min(done + at_once, len(rows)))
        limits, _, found = index.range_search(rows.gather(queries), least)
        fitting = _PAIRS_AT_ONCE * len(queries) // max(1, len(found))
        first = np.repeat(queries, np.diff(limits.astype(np.int64)))
        earlier = found < first
        first, second = first[earlier], found[earlier]
        near = rows.exact_squared(first, second) <= distance**2
        yield first[near], second[near]
        done += len(queries)
        at_once = max(1, min(fitting, 2 * at_once, _QUERIES_IN_RANGE))
        if progress:
            progress(done, len(rows))


def _on_gpu(rows: UnitRows, ops: Any) -> EveryPairOnGpu | None:
    """An index on a GPU; None if there is none, or it has no room for the vectors."""
    try:
        return None if ops is None else EveryPairOnGpu(rows, ops)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return None


def _wanted(rows: UnitRows, progress: Progress | None) -> Wanted:
    return functools.partial(progress, 0, len(rows)) if progress else lambda: None


def _index(rows: UnitRows, count: int, exact_below: int, fill: Fill, wanted: Wanted) -> Any:
    if len(rows) >= exact_below and (cells := _cells(rows, count, fill, wanted)):
        return cells
    return fill(faiss.IndexFlatIP(rows.dimensions), rows, wanted)


def _cells(rows: UnitRows, count: int, fill: Fill, wanted: Wanted) -> Any:
    """An index that searches as few cells as it may; None if those are most of them."""
    cells = max(1, int(1.6 * np.sqrt(len(rows))))
    # The cells need the quantizer for as long as they live: FAISS keeps no reference to it.
    trained = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(rows.dimensions), rows.dimensions, cells, faiss.METRIC_INNER_PRODUCT
    )
    wanted()
    drawn = np.random.default_rng(0).permutation(len(rows))
    trained.cp.niter = 10
    trained.train(rows.gather(np.sort(drawn[: 64 * cells])))
    index = fill(trained, rows, wanted)
    queries = rows.gather(np.sort(drawn[:_SAMPLED]))
    index.nprobe = cells
    truth, _ = index.search(queries, count + 1)
    searched = 2
    while searched <= cells // 2:
        wanted()
        index.nprobe = searched
        if _recall(index.search(queries, count + 1)[0], truth) >= _SAMPLED_RECALL:
            return index
        searched *= 2
    return None


def _recall(found: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """The share of the neighbours that are as near as the true ones, the row itself left out."""
    return float(np.mean(found[:, 1:] >= truth[:, 1:] - _SAME))


def _search(
    index: Any, queries: NDArray[np.float32], looked_at: int, needed: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Finds so many rows for each query, of which FAISS may lack some, but none that is needed.

    It says -1 where the cells that it searched hold no more: there more of them are searched.
    """
    products, found = index.search(queries, looked_at)
    short = np.flatnonzero(found[:, needed - 1] < 0)
    if len(short):
        usual = index.nprobe
        while len(short):
            index.nprobe *= 2
            products[short], found[short] = index.search(queries[short], looked_at)
            short = short[found[short, needed - 1] < 0]
        index.nprobe = usual
    return products, found


def _nearest(
    rows: UnitRows,
    queries: NDArray[np.int64],
    products: NDArray[np.float32],
    found: NDArray[np.int64],
    count: int,
) -> NDArray[np.int64]:
    """The nearest of what was found for each row, itself left out."""
    others = found != queries[:, None]
    others[others.all(axis=1), -1] = False  # among many copies it may not be there
    found = found[others].reshape(len(found), -1)
    gaps = -np.diff(products[others].reshape(found.shape)[:, : count + 1], axis=1)
    doubtful = np.flatnonzero((gaps < NOISE).any(axis=1))
    nearest: NDArray[np.int64] = found[:, :count].copy()
    close = found[doubtful]
    squared = rows.exact_squared(np.repeat(queries[doubtful], close.shape[1]), close.ravel())
    squared[close.ravel() < 0] = np.inf  # FAISS says -1 where its cells held no more
    order = np.lexsort((close, squared.reshape(close.shape)))[:, :count]
    nearest[doubtful] = np.take_along_axis(close, order, axis=1)
    return nearest
