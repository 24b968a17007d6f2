"""How well chosen samples stand for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..distances.unit_rows import UnitRows

_SAMPLED = 512
_ALIKE_SHARE = 0.05


@dataclass(frozen=True)
class Coverage:
    """How well samples are covered by those that are chosen, for each number of them.

    Args:
        alike: within this distance a chosen sample stands for another
        radii: the largest distance of any sample to what is chosen: before the first choice (None
            without seeds), and after each
        shares: the share of the samples within ``alike`` of what is chosen, at the same moments
    """

    alike: float
    radii: tuple[float | None, ...]
    shares: tuple[float, ...]

    def curve(self, points: int = 50) -> list[tuple[int, float | None, float]]:
        """Some points of the curve: how many are chosen, the radius, and the share."""
        last = len(self.radii) - 1
        counts = np.unique(np.linspace(0, last, min(points, last + 1)).round().astype(int))
        return [(int(count), self.radii[count], self.shares[count]) for count in counts]

    def needed(self, share: float) -> int | None:
        """How many choices cover a share of the samples; None if these do not."""
        return next((count for count, found in enumerate(self.shares) if found >= share), None)


def alike_distance(rows: UnitRows) -> float:
    """The distance below which two samples count as alike unless the user knows better.

    Of a hundred pairs, five are nearer; measured on the pairs of 512 samples drawn by chance.
    """
    count = min(len(rows), _SAMPLED)
    drawn = np.sort(np.random.default_rng(0).choice(len(rows), count, replace=False))
    vectors = rows.gather(drawn)
    squared = 2 - 2 * (vectors @ vectors.T)[np.triu_indices(count, 1)]
    return float(np.sqrt(max(np.quantile(squared, _ALIKE_SHARE), 0))) if len(squared) else 0.0
