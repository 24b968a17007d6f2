"""Farthest-first traversal: each row is the farthest from all that were chosen before it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..distances.nearest import Nearest
from ..distances.unit_rows import NEAR
from .rules import NEVER, Candidates, Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ..distances.unit_rows import UnitRows

    Progress = Callable[[int, int], None]

# A pool takes under 2 % of the rows, at most 32 MB.
_POOL_SHARE, _POOL_BYTES, _SMALLEST_POOL = 64, 1 << 25, 64


@dataclass(frozen=True, eq=False)
class Traversal:
    """Rows in the order of choice: the first n are the answer for any smaller n.

    Args:
        order: the rows
        distances: how far each was from the nearest seed or row before it; the first, without
            seeds, from the mean of all
        radii: the largest distance of any row to what was chosen, after the seeds, then after
            each choice; infinite before the first
        covered: how many rows were within ``alike`` of what was chosen, at the same moments
        passes: how often all vectors were read
    """

    order: tuple[int, ...]
    distances: tuple[float, ...]
    radii: tuple[float, ...]
    covered: tuple[int, ...]
    passes: int


def farthest_first(
    rows: UnitRows,
    count: int,
    *,
    seeds: Sequence[int] = (),
    rules: Rules | None = None,
    alike: float = 0.0,
    nearest: Callable[[UnitRows, float], Nearest] = Nearest,
    progress: Progress | None = None,
) -> Traversal:
    """Orders rows by farthest-first traversal (k-centre greedy).

    Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985: no other choice of
    as many has a radius smaller than half of this one's. Ties go to the row that comes first.

    Plain farthest-first reads all vectors for every choice. Here one reading serves many:
    distances only shrink, so a row outside a pool of the farthest cannot be next while one inside
    is farther than any outside was. The result is the same.

    Args:
        rows: the vectors
        count: how many to choose; fewer are if the rules leave no more
        seeds: rows that count as chosen already
        rules: what may be chosen
        alike: the distance within which a chosen row covers another
        nearest: what measures the distances, here or on the nodes of a cluster
        progress: called with how many are chosen and how many are to be; it may raise to cancel
    """
    rules = rules or Rules()
    candidates = Candidates(len(rows), rules)
    candidates.exclude(np.asarray(seeds, np.intp))
    measured = nearest(rows, alike)
    order: list[int] = []
    distances: list[float] = []
    if seeds:
        measured.add(seeds)
    else:
        first, distance = _first(rows, rules)
        candidates.choose(first)
        order, distances = [first], [distance]
        measured.add(order)
    while len(order) < count:
        chosen = _Pool(rows, measured.squared, candidates).choose(count - len(order))
        if not chosen:
            break
        order += [row for row, _ in chosen]
        distances += [distance for _, distance in chosen]
        measured.add([row for row, _ in chosen])
        if progress:
            progress(len(order), count)
    before = len(seeds) - 1
    return Traversal(
        order=tuple(order),
        distances=tuple(distances),
        radii=tuple(measured.radii[before:]) if seeds else (np.inf, *measured.radii),
        covered=tuple(measured.covered[before:]) if seeds else (0, *measured.covered),
        passes=measured.passes,
    )


def _first(rows: UnitRows, rules: Rules) -> tuple[int, float]:
    """The row that is the farthest from the mean, to which none is too close: it is no row."""
    squared = rows.squared_to_point(rows.mean())
    candidates = Candidates(len(rows), replace(rules, apart=0.0))
    row = int(np.argmax(candidates.keys(squared)))
    return row, float(np.sqrt(squared[row]))


class _Pool:
    """The rows that are wanted most, from which several are chosen without reading the others.

    Args:
        rows: all vectors
        squared: the squared distance of each to what is chosen
        candidates: what may be chosen
    """

    def __init__(
        self, rows: UnitRows, squared: NDArray[np.float32], candidates: Candidates
    ) -> None:
        self._rows = rows
        self._candidates = candidates
        keys = candidates.keys(squared)
        size = min(len(rows) // _POOL_SHARE, _POOL_BYTES // (4 * rows.dimensions))
        self._members = _most_wanted(keys, candidates, max(size, _SMALLEST_POOL))
        self._squared = squared[self._members]
        self._untouched = np.ones(len(self._members), np.bool_)
        self._vectors = rows.gather(self._members)
        # The most that is wanted of each group outside the pool; it can only become less.
        keys[self._members] = NEVER
        self._outside = _largest(keys, candidates.groups, candidates.group_count)

    def choose(self, count: int) -> list[tuple[int, float]]:
        """Chooses while it is certain that no row outside is next.

        Returns:
            rows and how far each is from what was chosen before it
        """
        chosen: list[tuple[int, float]] = []
        while len(chosen) < count:
            place = self._next()
            if place is None:
                break
            chosen.append((int(self._members[place]), float(np.sqrt(self._squared[place]))))
            self._candidates.choose(chosen[-1][0])
            self._move_nearer(place)
        return chosen

    def _next(self) -> int | None:
        candidates = self._candidates
        keys = candidates.keys(self._squared, self._members)
        groups = candidates.groups[self._members]
        inside = _largest(keys, groups, candidates.group_count)
        wanted = candidates.next_groups(np.maximum(inside, self._outside))
        keys[~wanted[groups]] = NEVER
        place = int(np.argmax(keys)) if len(keys) else 0
        rival = self._outside[wanted].max(initial=NEVER)
        if not len(keys) or keys[place] <= NEVER or keys[place] < rival:
            return None
        # Of equals the first is next. Outside are only such as come after those that were taken
        # in for what they were; one that became equal since may come after them.
        if keys[place] == rival and not self._untouched[place]:
            return None
        return place

    def _move_nearer(self, place: int) -> None:
        """Brings the distances up to date after a choice."""
        row = self._members[place]
        squared = self._vectors @ self._vectors[place]
        squared *= -2
        squared += 2
        near = np.flatnonzero(squared < NEAR)
        squared[near] = self._rows.exact_squared(self._members[near], np.full(len(near), row))
        self._untouched &= squared >= self._squared
        np.minimum(self._squared, squared, out=self._squared)
        self._drop_hopeless()

    def _drop_hopeless(self) -> None:
        """Lets go of the members that some row outside surely comes before."""
        candidates = self._candidates
        keys = candidates.keys(self._squared, self._members)
        kept = keys >= np.maximum(self._outside[candidates.groups[self._members]], 0)
        if 2 * np.count_nonzero(kept) <= len(kept):
            self._members, self._squared = self._members[kept], self._squared[kept]
            self._untouched, self._vectors = self._untouched[kept], self._vectors[kept]


def _largest(
    keys: NDArray[np.float32], groups: NDArray[np.integer], count: int
) -> NDArray[np.float32]:
    """The largest key in each group; `NEVER` where there is none."""
    largest = np.full(count, NEVER, np.float32)
    if count == 1:
        largest[0] = keys.max(initial=NEVER)
    else:
        np.maximum.at(largest, groups, keys)
    return largest


def _most_wanted(keys: NDArray[np.float32], candidates: Candidates, size: int) -> NDArray[np.intp]:
    """The rows with the largest keys, ascending; of each group as many; of equals the first."""
    if candidates.group_count == 1:
        return _top(keys, np.flatnonzero(keys > NEVER), size)
    order = np.lexsort((-keys, candidates.groups))  # stable: of equals the first comes first
    order = order[keys[order] > NEVER]
    groups = candidates.groups[order]
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
    of_each = max(1, size // max(1, len(starts)))
    return np.sort(order[rank < of_each])


def _top(keys: NDArray[np.float32], rows: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    if len(rows) <= size:
        return rows
    found = keys[rows]
    border = np.partition(found, len(found) - size)[len(found) - size]
    above, equal = rows[found > border], rows[found == border]
    return np.sort(np.concatenate([above, equal[: size - len(above)]]))
