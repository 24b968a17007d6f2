"""The queue as a saved view: in the App it is there whoever found it, and however long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...views import saved_views_like, views_can_name
from ..errors import EvaluationError

if TYPE_CHECKING:
    import fiftyone as fo

    from .queue import LabelErrors

_DESCRIPTION = "Labels that are probably wrong, worst first"


def require_free_view(dataset: fo.Dataset, key: str) -> None:
    """Checks that a queue may have a saved view of its name.

    Raises:
        EvaluationError: if somebody else's has it
    """
    for name in saved_views_like(dataset, key):
        if not _is_ours(dataset, name, key):
            raise EvaluationError(f"There is a saved view '{name}'.", "Choose another name.")


def save_queue_view(dataset: fo.Dataset, queue: LabelErrors) -> None:
    """Saves the view of a queue under its name, in place of the one of before."""
    delete_queue_view(dataset, queue.key)
    if queue.sample_ids and views_can_name(len(queue.sample_ids)):
        dataset.save_view(queue.key, queue.view(dataset), description=_DESCRIPTION)


def delete_queue_view(dataset: fo.Dataset, key: str) -> None:
    """Deletes the saved view of a queue, if there is one."""
    if dataset.has_saved_view(key) and _is_ours(dataset, key, key):
        dataset.delete_saved_view(key)


def _is_ours(dataset: fo.Dataset, name: str, key: str) -> bool:
    described = dataset.get_saved_view_info(name).get("description")
    return name == key and described == _DESCRIPTION
