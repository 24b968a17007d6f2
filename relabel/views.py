"""Views of FiftyOne: how many ids one can name, and which saved ones the App tells apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fiftyone.core.utils as fou

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import fiftyone as fo
    from fiftyone.core.collections import SampleCollection

# They must fit into a query of 16 MB, twice where a view keeps their order.
IDS_OF_A_VIEW = 200_000
IDS_OF_A_QUERY = 700_000  # that names each once


def views_can_name(count: int) -> bool:
    """Whether one view can name so many."""
    return count <= IDS_OF_A_VIEW


def parts_of(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Ids in their order, as many at a time as a view can name."""
    for start in range(0, len(ids), IDS_OF_A_VIEW):
        yield ids[start : start + IDS_OF_A_VIEW]


def views_of(
    view: SampleCollection, ids: Sequence[str], field: str | None = None
) -> list[SampleCollection]:
    """Some samples of a view, or some labels of a field of it, in as many views as it takes."""
    if field:
        return [view.select_labels(ids=part, fields=field) for part in parts_of(ids)]
    return [view.select(part) for part in parts_of(ids)]


def saved_views_like(dataset: fo.Dataset, name: str) -> list[str]:
    """The saved views of that name, or of one that makes the same address in the App."""
    address = fou.to_slug(name)
    return [view for view in dataset.list_saved_views() if fou.to_slug(view) == address]
