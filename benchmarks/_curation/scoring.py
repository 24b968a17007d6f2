"""Uniqueness, beside FiftyOne's own, of the same vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from _measuring import faster, figure, measured

from _curation.vectors import embeddings_of, make_vectors

if TYPE_CHECKING:
    from pathlib import Path

TIMES, LEAST_RECALL, NEIGHBOURS, LOOKED_AT = 5, 0.99, 3, 1000


def beside_stock(folder: Path, count: int) -> list[dict[str, Any]]:
    """Scores a dataset with each side; then looks how many neighbours ours found."""
    import fiftyone as fo
    import fiftyone.brain as fob

    from relabel.curation.distances.neighbours import nearest_neighbours
    from relabel.curation.distances.unit_rows import UnitRows
    from relabel.curation.embedding.embeddings import Embeddings
    from relabel.curation.uniqueness import compute_uniqueness

    vectors = np.array(make_vectors(folder / "scored.npy", count))
    dataset = fo.Dataset()
    dataset.add_samples(fo.Sample(f"/{number}.png") for number in range(count))
    embeddings = Embeddings(tuple(dataset.values("id")), vectors, embeddings_of(vectors).source)
    with measured() as ours:
        compute_uniqueness(dataset, embeddings, "ours")
    with measured() as stock:
        fob.compute_uniqueness(dataset, "stock", embeddings=vectors.copy(), progress=False)
    recall = _recall(vectors, nearest_neighbours(UnitRows(vectors), NEIGHBOURS))
    name = f"uniqueness of {count}"
    return [
        faster(name, ours["seconds"], stock["seconds"], TIMES),
        figure(
            f"{name}, recall of the {NEIGHBOURS} nearest",
            recall,
            None,
            f">= {LEAST_RECALL}",
            met=recall >= LEAST_RECALL,
        ),
    ]


def _recall(vectors: np.ndarray, found: np.ndarray) -> float:
    """The share of the true neighbours that were found, of samples drawn by chance."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    drawn = np.random.default_rng(1).choice(len(unit), LOOKED_AT, replace=False)
    products = unit[drawn] @ unit.T
    products[np.arange(LOOKED_AT), drawn] = -2
    border = np.partition(products, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS]
    ours = np.take_along_axis(products, found[drawn], axis=1)
    return float(np.mean(ours >= border[:, None] - 1e-6))
