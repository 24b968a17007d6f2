"""Says how long work will still take, at its pace so far."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...relabel.compute.rates import in_words

if TYPE_CHECKING:
    from .streaming import Report

_SHORTEST_SECONDS = 1.0  # before that a pace says nothing


class Pace:
    """How fast something is since it was first told of; where less is done, another part began."""

    def __init__(self) -> None:
        self._began = (0.0, 0.0)
        self._last = float("inf")

    def left(self, share: float) -> str:
        """E.g. ``", 3 minutes left"``; empty as long as there is no pace.

        Args:
            share: what is done, from 0 to 1
        """
        now = time.monotonic()
        if share < self._last:
            self._began = (now, share)
        self._last = share
        seconds, done = now - self._began[0], share - self._began[1]
        if done <= 0 or share >= 1 or seconds < _SHORTEST_SECONDS:
            return ""
        return f", {in_words(seconds / done * (1 - share))} left"


def paced(report: Report) -> Report:
    """Says of everything that is told how long the rest will take."""
    pace = Pace()

    def tell(share: float, label: str) -> None:
        report(share, label + pace.left(share))

    return tell
