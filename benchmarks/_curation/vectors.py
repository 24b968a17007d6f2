"""Vectors like those of images: decided by fewer numbers than they hold, and in groups."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

DIMENSIONS = 512
_HIDDEN, _LATENT, _GROUPS, _SPREAD = 256, 24, 200, 0.5
_AT_ONCE = 20_000


def make_vectors(path: Path, count: int) -> np.ndarray:
    """Writes vectors to a file, and maps it: float32 ``[count, 512]``."""
    generator = np.random.default_rng(0)
    first = generator.normal(scale=_LATENT**-0.5, size=(_LATENT, _HIDDEN)).astype(np.float32)
    second = generator.normal(scale=_HIDDEN**-0.5, size=(_HIDDEN, DIMENSIONS)).astype(np.float32)
    groups = generator.normal(size=(_GROUPS, _LATENT)).astype(np.float32)
    vectors = np.lib.format.open_memmap(path, "w+", np.float32, (count, DIMENSIONS))
    for start in range(0, count, _AT_ONCE):
        size = min(_AT_ONCE, count - start)
        latent = groups[generator.integers(0, _GROUPS, size)]
        latent = latent + _SPREAD * generator.standard_normal((size, _LATENT), np.float32)
        vectors[start : start + size] = np.maximum(latent @ first + 0.2, 0) @ second
    vectors.flush()
    return np.load(path, mmap_mode="r")


def bytes_per_second(vectors: np.ndarray) -> float:
    """How fast this machine reads vectors from memory, all cores together: the best of three."""
    vector = np.ones(vectors.shape[1], np.float32)
    seconds = []
    for _ in range(4):  # the first also reads the file
        began = time.perf_counter()
        vectors @ vector
        seconds.append(time.perf_counter() - began)
    return vectors.nbytes / min(seconds[1:])


def warm_up() -> None:
    """Lets the libraries take the memory that they keep for good, as in an App that runs."""
    from relabel.curation.selecting.selection import Wishes, select_unique

    vectors = np.random.default_rng(0).standard_normal((2000, DIMENSIONS), np.float32)
    select_unique(embeddings_of(vectors), Wishes(200))


def embeddings_of(vectors: np.ndarray) -> object:
    """Vectors of samples that are not in any dataset."""
    from relabel.curation.embedding.embeddings import Embeddings

    return Embeddings(tuple(map(str, range(len(vectors)))), vectors, "benchmark")
