"""How far something is that takes a while."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Hears how far a push, a pull, a review or an undo is. It may raise to cancel it."""

    def __call__(self, share: float, label: str) -> None:
        """Takes a share between 0 and 1, and what is being done."""


def silent(share: float, label: str) -> None:
    """Tells nobody."""


def part_of(progress: Progress, start: float, end: float) -> Progress:
    """Hears how far a part of something is.

    Args:
        progress: hears how far the whole is
        start: the share of the whole that is done when the part begins
        end: the share that is done when it ends
    """

    def hear(share: float, label: str) -> None:
        progress(start + share * (end - start), label)

    return hear
