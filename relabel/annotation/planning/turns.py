"""Gives out work in turn, to some more often than to others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

T = TypeVar("T")


class Turns(Generic[T]):
    """Whose turn it is: smooth weighted round robin, as nginx spreads requests.

    With equal weights everybody gets one in the order given, again and again. With the weights 2
    and 1 the order is first, second, first, and again. The same people and weights always give
    the same order.

    Args:
        people: who, in order
        weights: how many shares each gets, beside ``people``; empty for equal shares
    """

    def __init__(self, people: Sequence[T], weights: Sequence[int] = ()) -> None:
        self._people = list(people)
        self._weights = list(weights) or [1] * len(self._people)
        self._credits = [0] * len(self._people)

    def next(self, avoid: Collection[T] = ()) -> T | None:
        """Who is next, or None if there is nobody.

        Args:
            avoid: who is passed over, as long as there is somebody else
        """
        if not self._people:
            return None
        self._credits = [
            credit + weight for credit, weight in zip(self._credits, self._weights, strict=True)
        ]
        everybody = range(len(self._people))
        fitting = [index for index in everybody if self._people[index] not in avoid]
        chosen = max(fitting or everybody, key=lambda index: self._credits[index])
        self._credits[chosen] -= sum(self._weights)
        return self._people[chosen]
