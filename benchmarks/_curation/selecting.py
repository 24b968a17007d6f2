"""Selection: beside FiftyOne's own, and beside what reading the vectors for each choice takes."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from _measuring import MB, at_most, faster, figure, measured

from _curation.vectors import bytes_per_second, embeddings_of, make_vectors, warm_up

if TYPE_CHECKING:
    from pathlib import Path

TIMES, MEMORY_SHARE = 100, 0.10
OF_READING, MOST_MB = 1.5, 200


def beside_stock(folder: Path, count: int, chosen: int) -> list[dict[str, Any]]:
    """Selects in memory, as `find_unique` does."""
    from relabel.curation.selecting.selection import Wishes, select_unique

    vectors = np.array(make_vectors(folder / "some.npy", count))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    embeddings = embeddings_of(vectors)
    warm_up()
    with measured() as ours:
        selection = select_unique(embeddings, Wishes(chosen))
    stock, theirs = _stock(vectors, chosen)
    our_rows = [int(key) for key in selection.sample_ids]
    our_least, their_least = (_least_distance(vectors[rows]) for rows in (our_rows, theirs))
    name = f"{chosen} selected of {count}"
    return [
        faster(name, ours["seconds"], stock["seconds"], TIMES),
        figure(
            f"{name}, smallest distance",
            our_least,
            their_least,
            "no smaller",
            met=our_least >= their_least - 1e-6,
        ),
        at_most(
            f"{name}, MB beyond the vectors",
            ours["private_mb"],
            stock["private_mb"],
            MEMORY_SHARE * vectors.nbytes / MB,
            "a tenth of the vectors",
        ),
    ]


def from_disk(folder: Path, count: int, chosen: int) -> list[dict[str, Any]]:
    """Selects from a file, beside the time to read it for each choice."""
    from relabel.curation.selecting.selection import Wishes, select_unique

    vectors = make_vectors(folder / "many.npy", count)
    warm_up()
    rate = bytes_per_second(vectors)
    embeddings = embeddings_of(vectors)
    with measured() as ours:
        selection = select_unique(embeddings, Wishes(chosen))
    reading = chosen * vectors.nbytes / rate
    name = f"{chosen} selected of {count} on disk"
    return [
        figure(
            f"{name}, seconds, beside reading all for each choice at {rate / 1e9:.0f} GB/s "
            f"({selection.passes} readings)",
            ours["seconds"],
            reading,
            f"ratio <= {OF_READING}",
            met=ours["seconds"] <= OF_READING * reading,
        ),
        at_most(f"{name}, MB beyond the page cache", ours["private_mb"], None, MOST_MB),
    ]


def on_gpu(folder: Path, count: int, chosen: int) -> list[dict[str, Any]]:
    """Selects from a file with a GPU, beside this machine's CPU; nothing where there is no GPU."""
    from relabel.compute.arrays import gpu_arrays
    from relabel.curation.distances.on_gpu import NearestOnGpu
    from relabel.curation.distances.unit_rows import UnitRows
    from relabel.curation.selecting.farthest import farthest_first

    ops = gpu_arrays()
    if ops is None:
        print("No GPU here: no figure of one.", file=sys.stderr)
        return []
    rows = UnitRows(make_vectors(folder / "gpu.npy", count))
    on_this = partial(NearestOnGpu, ops=ops)
    farthest_first(rows, 2, nearest=on_this)  # the GPU's library compiles what it needs at first
    with measured() as gpu:
        found = farthest_first(rows, chosen, nearest=on_this)
    with measured() as cpu:
        expected = farthest_first(rows, chosen)
    same = np.allclose(found.distances, expected.distances, atol=1e-4)
    name = f"{chosen} selected of {count} on disk, seconds on a GPU beside the CPU"
    return [figure(name, gpu["seconds"], cpu["seconds"], "the same distances", met=same)]


def _stock(vectors: np.ndarray, chosen: int) -> tuple[dict[str, float], list[int]]:
    import fiftyone as fo
    import fiftyone.brain as fob

    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(f"/{number}.png") for number in range(len(vectors))])
    place = {key: row for row, key in enumerate(dataset.values("id"))}
    index = fob.compute_similarity(
        dataset, embeddings=vectors.copy(), backend="sklearn", metric="euclidean", progress=False
    )
    with measured() as stock:
        index.find_unique(chosen)
    return stock, [place[key] for key in index.unique_ids]


def _least_distance(vectors: np.ndarray) -> float:
    squared = 2 - 2 * (vectors @ vectors.T)
    return float(np.sqrt(max(squared[np.triu_indices(len(vectors), 1)].min(), 0)))
