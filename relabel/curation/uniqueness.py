"""How unlike its neighbours each sample is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fiftyone as fo
import numpy as np
from fiftyone.brain.internal.core.uniqueness import UniquenessConfig

from ..compute.arrays import gpu_arrays_for
from .distances.neighbours import fill, nearest_neighbours
from .distances.sharding import Shards
from .distances.unit_rows import UnitRows
from .errors import BrainKeyError, EmbeddingsError
from .storing.brain_runs import require_brain_key
from .storing.whole_fields import is_field_name, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

    from ..compute.cluster.ray_cluster import Cluster
    from .distances.neighbours import Progress
    from .embedding.embeddings import Embeddings

_WEIGHTS = np.array([0.6, 0.3, 0.1])  # of the three nearest, as in FiftyOne


def compute_uniqueness(
    view: SampleCollection,
    embeddings: Embeddings,
    field: str,
    *,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
    before_writing: Callable[[], None] | None = None,
) -> None:
    """Writes each sample's uniqueness to a field, as a FiftyOne brain run of that name.

    A run of that name is replaced, and with it all that the field held. FiftyOne's own uniqueness
    leaves out the true nearest neighbour, so that one of two duplicates looks as unique as the
    rest; here it counts most.

    Args:
        view: the samples
        embeddings: their vectors
        field: the name of the field and of the run
        cluster: where the vectors are compared; by default here
        progress: called with how many samples are compared and how many there are; it may raise
            to cancel, and then nothing has changed
        before_writing: called once, right before anything is written; may raise to cancel

    Raises:
        BrainKeyError: if the name cannot be used
        EmbeddingsError: if there are fewer than two vectors, or one is zero or no number
    """
    dataset = view._dataset  # noqa: SLF001
    require_uniqueness_field(dataset, field)
    scores = uniqueness(embeddings.vectors, cluster=cluster, progress=progress)
    if before_writing:
        before_writing()
    values = dict(zip(embeddings.sample_ids, scores.tolist(), strict=True))
    write_whole(dataset, field, values, fo.FloatField)
    run = UniquenessConfig(field).build()
    run.register_run(view, field, cleanup=False)
    run.save_run_results(view, field, None)


def uniqueness(
    vectors: NDArray[np.float32],
    *,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
) -> NDArray[np.float64]:
    """Scores how far each vector is from its three nearest, see :func:`nearest_neighbours`.

    The weighted geometric mean of the three distances (weights .6, .3, .1), divided by the
    largest. The mean is geometric so that an exact duplicate scores 0 whatever else is near.

    Args:
        vectors: ``[N, D]`` of any length; only their directions count
        cluster: where they are compared; by default here. The scores are the same
        progress: called with how many are compared and how many there are; it may raise to cancel

    Returns:
        the scores in [0, 1], ``[N]``

    Raises:
        EmbeddingsError: if there are fewer than two vectors, or one is zero or no number
    """
    require_comparable(len(vectors))
    rows = UnitRows(vectors)
    count = min(len(_WEIGHTS), len(vectors) - 1)
    filling = Shards(rows, cluster).fill if cluster else fill
    # On a GPU every pair is compared: the work grows with the square of the number of rows.
    ops = None if cluster else gpu_arrays_for(len(rows) * vectors.size // 1000)
    neighbours = nearest_neighbours(rows, count, progress=progress, fill=filling, ops=ops)
    each = np.arange(len(vectors))
    squared = np.stack([rows.exact_squared(each, neighbours[:, k]) for k in range(count)], axis=1)
    weights = _WEIGHTS[:count] / _WEIGHTS[:count].sum()
    scores: NDArray[np.float64] = np.prod(np.sort(np.sqrt(squared), axis=1) ** weights, axis=1)
    return scores / max(float(scores.max()), 1e-12)


def require_comparable(count: int) -> int:
    """Checks that there is something to compare with.

    Raises:
        EmbeddingsError: if there are fewer than two
    """
    if count < 2:
        raise EmbeddingsError("One sample alone is not comparable.", "Target at least two.")
    return count


def require_uniqueness_field(dataset: fo.Dataset, field: str | None) -> str:
    """Checks that a field can hold uniqueness.

    Returns:
        its name

    Raises:
        BrainKeyError: if the name cannot be used, or the field holds something else
    """
    name = require_brain_key(dataset, field, "uniqueness")
    advice = "Choose another name."
    if not is_field_name(name):
        raise BrainKeyError(f"'{name}' cannot name a field.", advice)
    if dataset.has_brain_run(name):
        theirs = dataset.get_brain_info(name).config.uniqueness_field
        if theirs != name:
            raise BrainKeyError(f"'{name}' is the run that made '{theirs}'.", advice)
    existing = dataset.get_field(name)
    if existing is not None and not isinstance(existing, fo.FloatField):
        raise BrainKeyError(f"The field '{name}' holds no numbers.", advice)
    if existing is not None and existing.read_only:
        raise BrainKeyError(f"The field '{name}' is read-only.", advice)
    return name
