"""Brain runs that are replaced whole or not at all."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from .errors import BrainKeyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import fiftyone as fo
    from fiftyone.core.collections import SampleCollection

PGVECTOR = "pgvector"
_LOCK_SECONDS = 5


@contextlib.contextmanager
def replaced_run(dataset: fo.Dataset, brain_key: str) -> Iterator[str]:
    """Makes a run that takes the place of another of its name once it is complete.

    Args:
        dataset: the dataset
        brain_key: the name that the run gets

    Yields:
        the name under which it is to be made. If the body raises, that run is deleted, and one
        that there was before stays as it was
    """
    temporary = f"{brain_key}_{uuid4().hex[:8]}"
    try:
        yield temporary
    except BaseException:
        if dataset.has_brain_run(temporary):
            delete_run(dataset, temporary)
        raise
    if dataset.has_brain_run(brain_key):
        delete_run(dataset, brain_key)
    dataset.rename_brain_run(temporary, brain_key)


def collection_of_runs(view: SampleCollection) -> Any:
    """The collection that a view's runs belong to: frames have runs of their own."""
    return view._base_view if view._is_frames else view._root_dataset  # noqa: SLF001


def delete_run(dataset: fo.Dataset, brain_key: str) -> None:
    """Deletes a run, and of a similarity index what its back end holds."""
    if dataset.get_brain_info(brain_key).config.type == "similarity":
        # A back end that is gone or was never asked must not keep the run from being deleted.
        with contextlib.suppress(Exception):
            _empty(dataset.load_brain_results(brain_key))
    dataset.delete_brain_run(brain_key)


def _empty(index: Any) -> None:
    """Deletes what a back end holds of an index."""
    limit_waiting(index)
    index.cleanup(**({"drop_table": True} if index.config.method == PGVECTOR else {}))


def limit_waiting(index: Any) -> None:
    """Lets changes of an index in PostgreSQL fail rather than wait for ever.

    Whoever searches it, here or in another process, keeps a transaction open on its table, which
    FiftyOne does not end.
    """
    if index.config.method == PGVECTOR:
        # None of this has a public name.
        if index._conn.closed:  # noqa: SLF001
            index._initialize()  # noqa: SLF001
        index._cur.execute(f"SET lock_timeout = '{_LOCK_SECONDS}s'")  # noqa: SLF001


def require_brain_key(dataset: fo.Dataset, brain_key: str | None, kind: str) -> str:
    """Checks that a brain run of a kind may have a name.

    Returns:
        the name

    Raises:
        BrainKeyError: if it is not an identifier, or names a run of another kind
    """
    if not brain_key or not brain_key.isidentifier():
        raise BrainKeyError(
            f"'{brain_key or ''}' cannot name a brain run.",
            "Use letters, digits and underscores, with a letter first, e.g. image_similarity.",
        )
    if dataset.has_brain_run(brain_key):
        found = dataset.get_brain_info(brain_key).config.type
        if found != kind:
            raise BrainKeyError(
                f"'{brain_key}' is a brain run of another kind ({found}).", "Choose another name."
            )
    return brain_key
