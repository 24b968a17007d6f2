"""Selects the samples that add most to what is labelled already."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...compute.arrays import gpu_arrays_for
from ..distances.nearest import Nearest
from ..distances.on_gpu import NearestOnGpu
from ..distances.sharding import Shards
from ..distances.unit_rows import UnitRows
from ..errors import SelectionError
from .coverage import Coverage, alike_distance
from .farthest import farthest_first
from .rules import NO_GROUP, Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Mapping, Sequence

    from numpy.typing import NDArray

    from ...compute.cluster.ray_cluster import Cluster
    from ..embedding.embeddings import Embeddings

# Nothing that may be chosen weighs nothing: distance still tells the least wanted apart.
_LEAST_WEIGHT = 1e-3


@dataclass(frozen=True)
class Wishes:
    """What to select. All of it combines.

    Args:
        count: how many samples
        seeds: samples that count as chosen already, such as the labelled ones
        apart: samples closer than this to one that is chosen are left out, in [0, 2]
        weights: sample -> how many times its distance counts, 0 or more. A sample that has none
            weighs as little as the least
        balance: sample -> its group; of each group as many are selected, as long as it has some
        limit: sample -> its group in another division; those that are in none are not limited
        most: how many samples at most of each group of ``limit``
        alike: the distance within which a sample stands for another when coverage is told; by
            default what :func:`alike_distance` finds
    """

    count: int
    seeds: Collection[str] = ()
    apart: float = 0.0
    weights: Mapping[str, float] | None = None
    balance: Mapping[str, Hashable] | None = None
    limit: Mapping[str, Hashable] | None = None
    most: int = 1
    alike: float | None = None


@dataclass(frozen=True)
class Selection:
    """Samples in the order in which they were chosen: any first part is a good selection too.

    Args:
        sample_ids: the samples; fewer than wished if the wishes leave no more
        distances: how far each was from what was chosen before it, in [0, 2]
        coverage: how well they and the seeds stand for all
        seeds: how many of the samples counted as chosen already
        passes: how often all vectors were read
    """

    sample_ids: tuple[str, ...]
    distances: tuple[float, ...]
    coverage: Coverage = field(repr=False)
    seeds: int = 0
    passes: int = 0


def select_unique(
    embeddings: Embeddings,
    wishes: Wishes,
    *,
    cluster: Cluster | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Selection:
    """Selects samples far from one another and from those that count as chosen.

    Farthest-first traversal, see :func:`farthest_first`. Distances are those of the vectors at
    length 1, from 0 (the same) over 1.41 (nothing in common) to 2.

    Args:
        embeddings: the vectors of the samples to select from, and of the seeds
        wishes: what to select
        cluster: where the vectors are compared; by default here. What is selected is the same
        progress: called with how many are chosen and how many are to be; it may raise to cancel

    Raises:
        SelectionError: if there are not so many samples, or a wish cannot be granted
        EmbeddingsError: if a vector is zero, or holds something that is not a number
    """
    ids = embeddings.sample_ids
    wanted = frozenset(wishes.seeds)
    seeds = [row for row, sample_id in enumerate(ids) if sample_id in wanted]
    require_count(wishes.count, len(ids) - len(seeds), len(seeds), missing=embeddings.missing)
    rules = Rules(
        apart=require_apart(wishes.apart),
        weights=_weights(ids, wishes.weights),
        balance=_groups(ids, wishes.balance),
        limit=_groups(ids, wishes.limit),
        most=require_most(wishes.most),
    )
    rows = UnitRows(embeddings.vectors)
    alike = alike_distance(rows) if wishes.alike is None else wishes.alike
    found = farthest_first(
        rows,
        wishes.count,
        seeds=seeds,
        rules=rules,
        alike=alike,
        nearest=Shards(rows, cluster).nearest if cluster else _nearest_here(rows),
        progress=progress,
    )
    radii = tuple(radius if np.isfinite(radius) else None for radius in found.radii)
    shares = tuple(count / len(rows) for count in found.covered)
    return Selection(
        sample_ids=tuple(ids[row] for row in found.order),
        distances=found.distances,
        coverage=Coverage(alike, radii, shares),
        seeds=len(seeds),
        passes=found.passes,
    )


def require_count(count: int | None, available: int, seeds: int = 0, *, missing: int = 0) -> int:
    """Checks how many samples are to be selected.

    Args:
        count: how many
        available: out of how many
        seeds: how many more there are that count as chosen already
        missing: how many more there are that have no vector

    Returns:
        the number

    Raises:
        SelectionError: if there are not so many
    """
    if not count or count < 1:
        raise SelectionError(f"{count or 0} samples cannot be selected.", "Select at least one.")
    if count > available:
        besides = f" beside the {seeds:,} that count as chosen already" if seeds else ""
        without = f" {missing:,} more have no vector." if missing else ""
        raise SelectionError(
            f"{count:,} samples cannot be selected out of {available:,}{besides}.{without}",
            f"Select at most {available:,}." if available else "Target other samples.",
        )
    return count


def require_apart(distance: float | None) -> float:
    """Checks a distance between vectors of length 1; nothing is 0.

    Raises:
        SelectionError: if it is not in [0, 2]
    """
    if not 0 <= (distance or 0) <= 2:
        raise SelectionError(f"{distance} is no distance of two samples.", "Use 0 to 2.")
    return distance or 0.0


def require_most(most: int | None) -> int:
    """Checks a limit for each group.

    Raises:
        SelectionError: if it leaves none
    """
    if not most or most < 1:
        raise SelectionError(f"{most or 0} of each group leaves none.", "Allow at least one.")
    return most


def _nearest_here(rows: UnitRows) -> Callable[[UnitRows, float], Nearest]:
    ops = gpu_arrays_for(rows.vectors.size)
    return Nearest if ops is None else partial(NearestOnGpu, ops=ops)


def _weights(
    ids: Sequence[str], weights: Mapping[str, float] | None
) -> NDArray[np.float32] | None:
    if weights is None:
        return None
    known = np.array([weights[key] for key in ids if key in weights], np.float64)
    if not len(known):
        raise SelectionError("None of these samples has a weight.", "Choose another field.")
    if not (np.isfinite(known).all() and known.min() >= 0):
        raise SelectionError("A weight is negative or endless.", "A weight is 0 or more.")
    least, largest = float(known.min()), float(known.max())
    if largest == 0:
        return None
    found = np.array([weights.get(key, least) for key in ids], np.float64) / largest
    return np.maximum(found, _LEAST_WEIGHT).astype(np.float32)


def _groups(
    ids: Sequence[str], groups: Mapping[str, Hashable] | None
) -> NDArray[np.integer] | None:
    if groups is None:
        return None
    numbers: dict[Hashable, int] = {}
    return np.array(
        [
            numbers.setdefault(groups[key], len(numbers)) if key in groups else NO_GROUP
            for key in ids
        ],
        np.intp,
    )
