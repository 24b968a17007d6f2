"""How long vectors are, and which have a direction at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def scales_of(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """What rows are to be multiplied by to have length 1.

    Args:
        vectors: float32 ``[N, D]``

    Returns:
        one over the length of each, ``[N]``; NaN where a row holds something that is no number, or
        is zero, or so short that no float32 says by how much it is to be multiplied
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        squares = np.einsum("nd,nd->n", vectors, vectors).astype(np.float64)
        extreme = ~((squares > 1e-30) & (squares < 1e30))
        squares[extreme] = (vectors[extreme].astype(np.float64) ** 2).sum(axis=1)
        scales: NDArray[np.float64] = 1 / np.sqrt(squares)
    scales[~np.isfinite(scales) | (scales == 0) | (scales > np.finfo(np.float32).max)] = np.nan
    return scales
