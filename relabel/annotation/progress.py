"""How far something is that takes a while."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Hears how far a push, a pull or a review is. It may raise to cancel it."""

    def __call__(self, share: float, label: str) -> None:
        """Takes a share between 0 and 1, and what is being done."""


def silent(share: float, label: str) -> None:
    """Tells nobody."""
