"""What may be chosen next, and what is preferred."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NO_GROUP = -1
NEVER = -1.0


@dataclass(frozen=True, eq=False)
class Rules:
    """What a selection heeds beside distance. All of it combines.

    Args:
        apart: rows closer than this to one that is chosen are never chosen
        weights: a row's distance counts that many times, float32 ``[N]``; by default all alike
        balance: the group of each row, int ``[N]``, -1 for none. At every moment one of the groups
            that have the fewest so far, and rows left, is next
        limit: as ``balance``, another division into groups, or the same
        most: how many are chosen at most in each group of ``limit``; any number of those in none
    """

    apart: float = 0.0
    weights: NDArray[np.float32] | None = None
    balance: NDArray[np.integer] | None = None
    limit: NDArray[np.integer] | None = None
    most: int = 1


class Candidates:
    """The rows that may still be chosen, as the choice goes on.

    Args:
        count: how many rows there are
        rules: what they have to heed
    """

    def __init__(self, count: int, rules: Rules) -> None:
        self._rules = rules
        self._free = np.ones(count, np.bool_)
        self._squared_weights = None if rules.weights is None else np.square(rules.weights)
        # One group for all is the same as no balance.
        self.groups = np.zeros(count, np.intp) if rules.balance is None else rules.balance + 1
        self._chosen = np.zeros(int(self.groups.max(initial=0)) + 1, np.int64)
        # The last place is that of the rows in no group, whose number is -1; nobody counts there.
        groups = 0 if rules.limit is None else int(rules.limit.max(initial=NO_GROUP)) + 1
        self._in_limit = np.zeros(groups + 1, np.int64)

    @property
    def group_count(self) -> int:
        """How many groups there are to balance."""
        return len(self._chosen)

    def exclude(self, rows: NDArray[np.integer]) -> None:
        """Takes rows out, without counting them as chosen."""
        self._free[rows] = False

    def choose(self, row: int) -> None:
        """Takes a row out and counts it in its groups."""
        self._free[row] = False
        self._chosen[self.groups[row]] += 1
        limit = self._rules.limit
        if limit is not None and limit[row] != NO_GROUP:
            self._in_limit[limit[row]] += 1

    def keys(
        self, squared: NDArray[np.float32], rows: NDArray[np.integer] | slice = slice(None)
    ) -> NDArray[np.float32]:
        """How much rows are wanted.

        Args:
            squared: their squared distances to what is chosen
            rows: which rows these are; by default all

        Returns:
            their squared, weighted distances; `NEVER` for those that may not be chosen
        """
        keys = squared.astype(np.float32)
        if self._squared_weights is not None:
            keys *= self._squared_weights[rows]
        forbidden = ~self._free[rows]
        if self._rules.apart > 0:
            forbidden |= squared < self._rules.apart**2
        if self._rules.limit is not None:
            forbidden |= self._in_limit[self._rules.limit[rows]] >= self._rules.most
        keys[forbidden] = NEVER
        return keys

    def next_groups(self, best: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which groups are next.

        Args:
            best: the largest key in each group, `NEVER` where it has no row left, ``[G]``

        Returns:
            whether a group is one of those with the fewest chosen of all that have rows left
        """
        left = best > NEVER
        fewest = self._chosen[left].min(initial=np.iinfo(np.int64).max)
        wanted: NDArray[np.bool_] = left & (self._chosen == fewest)
        return wanted
