"""The queue as a saved view: in the App it is there whoever found it, and however long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fiftyone.core.utils as fou

from ..errors import EvaluationError

if TYPE_CHECKING:
    import fiftyone as fo

    from .queue import LabelErrors

_DESCRIPTION = "Labels that are probably wrong, worst first"
_MOST_SAMPLES = 200_000
"""Their ids must fit into a query of 16 MB, twice where a view keeps their order."""


def require_free_view(dataset: fo.Dataset, key: str) -> None:
    """Checks that a queue may have a saved view of its name.

    Raises:
        EvaluationError: if somebody else's has it
    """
    for name in dataset.list_saved_views():
        if fou.to_slug(name) == fou.to_slug(key) and not _is_ours(dataset, name, key):
            raise EvaluationError(f"There is a saved view '{name}'.", "Choose another name.")


def save_queue_view(dataset: fo.Dataset, queue: LabelErrors) -> None:
    """Saves the view of a queue under its name, in place of the one of before."""
    delete_queue_view(dataset, queue.key)
    if 0 < len(queue.sample_ids) <= _MOST_SAMPLES:
        dataset.save_view(queue.key, queue.view(dataset), description=_DESCRIPTION)


def delete_queue_view(dataset: fo.Dataset, key: str) -> None:
    """Deletes the saved view of a queue, if there is one."""
    if dataset.has_saved_view(key) and _is_ours(dataset, key, key):
        dataset.delete_saved_view(key)


def _is_ours(dataset: fo.Dataset, name: str, key: str) -> bool:
    described = dataset.get_saved_view_info(name).get("description")
    return name == key and described == _DESCRIPTION
