"""Selects samples that differ most from one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .errors import SelectionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .embeddings import Embeddings


@dataclass(frozen=True)
class Selection:
    """Samples in the order in which they were chosen: any first part is a good selection too.

    Args:
        sample_ids: the samples
        distances: how far each was from what was chosen before it, in [0, 2]
    """

    sample_ids: tuple[str, ...]
    distances: tuple[float, ...]


def select_unique(embeddings: Embeddings, count: int) -> Selection:
    """Selects samples far from one another.

    Farthest-first traversal (Gonzalez, "Clustering to minimize the maximum intercluster
    distance", 1985): the smallest distance within the selection is at least half of the best
    possible. ``O(count * N * D)`` time and ``O(N)`` memory beside the vectors. Not yet: knowing
    what is labelled already.

    Args:
        embeddings: the vectors of the samples to select from
        count: how many to select

    Returns:
        the selection

    Raises:
        SelectionError: if there are not so many samples
    """
    require_count(count, len(embeddings))
    vectors = embeddings.normalized()
    order, distances = farthest_first(vectors, count)
    return Selection(
        tuple(embeddings.sample_ids[index] for index in order),
        tuple(float(distance) for distance in distances),
    )


def require_count(count: int | None, available: int) -> int:
    """Checks how many samples are to be selected.

    Returns:
        the number

    Raises:
        SelectionError: if there are not so many
    """
    if not count or count < 1:
        raise SelectionError(f"{count or 0} samples cannot be selected.", "Select at least one.")
    if count > available:
        raise SelectionError(
            f"{count:,} samples cannot be selected out of {available:,}.",
            f"Select at most {available:,}.",
        )
    return count


def farthest_first(
    vectors: NDArray[np.float32], count: int
) -> tuple[Sequence[int], NDArray[np.float32]]:
    """Orders vectors so that each is the farthest from all before it.

    The first is the one farthest from the mean.

    Args:
        vectors: ``[N, D]``, each of length 1
        count: how many to order, at most N

    Returns:
        their indices and, for each, its distance to the nearest before it
    """
    squares = np.einsum("nd,nd->n", vectors, vectors)
    nearest = np.full(len(vectors), np.inf, dtype=np.float32)
    order: list[int] = []
    distances = np.empty(count, dtype=np.float32)
    candidate = int(np.argmax(np.linalg.norm(vectors - vectors.mean(axis=0), axis=1)))
    first_distance = float(np.linalg.norm(vectors[candidate] - vectors.mean(axis=0)))
    for step in range(count):
        order.append(candidate)
        distances[step] = np.sqrt(max(nearest[candidate], 0.0)) if step else first_distance
        to_candidate = squares + squares[candidate] - 2.0 * (vectors @ vectors[candidate])
        np.minimum(nearest, to_candidate, out=nearest)
        nearest[candidate] = -np.inf  # never again, even among duplicates
        candidate = int(np.argmax(nearest))
    return order, distances
