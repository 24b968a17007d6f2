"""More ids than a view can name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# They must fit into a query of 16 MB, twice where a view keeps their order.
IDS_OF_A_VIEW = 200_000


def views_can_name(count: int) -> bool:
    """Whether one view can name so many."""
    return count <= IDS_OF_A_VIEW


def parts_of(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Ids in their order, as many at a time as a view can name."""
    for start in range(0, len(ids), IDS_OF_A_VIEW):
        yield ids[start : start + IDS_OF_A_VIEW]
