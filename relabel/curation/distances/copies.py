"""Rows that hold the same numbers, found without comparing every pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NUMBERS_AT_ONCE = 1 << 18


def first_of_each(vectors: NDArray[np.float32]) -> NDArray[np.int64]:
    """The first row that holds the same numbers as each row, mostly itself.

    It takes some 50 bytes a row, and reads the rows twice.

    Args:
        vectors: float32 ``[N, D]``, all of them numbers

    Returns:
        the rows, ``[N]``
    """
    count, dimensions = vectors.shape
    step = max(1, _NUMBERS_AT_ONCE // max(1, dimensions))
    blocks = [slice(start, start + step) for start in range(0, count, step)]
    hashes = np.empty(count, np.uint64)
    factors = np.random.default_rng(0).integers(1 << 63, size=dimensions, dtype=np.uint64) * 2 + 1
    for block in blocks:
        bits = np.ascontiguousarray(vectors[block], np.float32).view(np.uint32)
        hashes[block] = (bits * factors).sum(axis=1, dtype=np.uint64)  # modulo 2**64
    _, first, kind = np.unique(hashes, return_index=True, return_inverse=True)
    found: NDArray[np.int64] = first[kind]
    for block in blocks:
        # Of others that have the same hash by chance, nothing is said: they are compared.
        others = (vectors[block] != vectors[found[block]]).any(axis=1)
        found[block] = np.where(others, np.arange(count)[block], found[block])
    return found
