"""Brain runs that are replaced whole or not at all."""

from __future__ import annotations

import contextlib
import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import fiftyone.core.odm as foo
from bson import json_util
from gridfs import GridFS, NoFile

from ..errors import BrainKeyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import fiftyone as fo
    from bson import ObjectId
    from fiftyone.core.collections import SampleCollection

PGVECTOR = "pgvector"
_LOCK_SECONDS = 5
_UNFINISHED = re.compile(r"_unfinished_[0-9a-f]{8}$")
_ABANDONED_AFTER = timedelta(days=1)
# How the ids of FiftyOne's own index begin in its results, behind all vectors.
_IDS = b'"sample_ids": '
_FIRST_READ, _MOST_READ = 1 << 18, 1 << 26  # bytes; the most are some 2,000,000 ids


@contextlib.contextmanager
def replaced_run(dataset: fo.Dataset, brain_key: str) -> Iterator[str]:
    """Makes a run that takes the place of another of its name once it is complete.

    Args:
        dataset: the dataset
        brain_key: the name that the run gets

    What a process that was killed left of such a run is deleted by the next of that name, a day
    later: until then it may still be at work.

    Yields:
        the name under which it is to be made. If the body raises, that run is deleted, and one
        that there was before stays as it was
    """
    _delete_abandoned(dataset, brain_key)
    temporary, aside = (f"{brain_key}_unfinished_{uuid4().hex[:8]}" for _ in range(2))
    try:
        yield temporary
    except BaseException:
        if dataset.has_brain_run(temporary):
            delete_run(dataset, temporary)
        raise
    # To delete one may take long: until then neither that nor the new one would have the name.
    replaces = dataset.has_brain_run(brain_key)
    if replaces:
        dataset.rename_brain_run(brain_key, aside)
    dataset.rename_brain_run(temporary, brain_key)
    if replaces:
        delete_run(dataset, aside)


def is_unfinished(brain_key: str) -> bool:
    """Whether a run is one that is being made, or never was."""
    return _UNFINISHED.search(brain_key) is not None


def _delete_abandoned(dataset: fo.Dataset, brain_key: str) -> None:
    latest = datetime.now(UTC).replace(tzinfo=None) - _ABANDONED_AFTER
    for name in dataset.list_brain_runs():
        ours = is_unfinished(name) and _UNFINISHED.sub("", name) == brain_key
        if ours and dataset.get_brain_info(name).timestamp < latest:
            delete_run(dataset, name)


def collection_of_runs(view: SampleCollection) -> Any:
    """The collection that a view's runs belong to: frames have runs of their own."""
    return view._base_view if view._is_frames else view._root_dataset  # noqa: SLF001


def delete_run(dataset: fo.Dataset, brain_key: str) -> None:
    """Deletes a run, and of a similarity index what its back end holds."""
    if dataset.get_brain_info(brain_key).config.type == "similarity":
        # A back end that is gone or was never asked must not keep the run from being deleted.
        with contextlib.suppress(Exception):
            _empty(load_results(dataset, brain_key))
    dataset.delete_brain_run(brain_key)


def load_results(collection: SampleCollection, brain_key: str) -> Any:
    """Loads the results of a run as the database has them; None if it has none.

    FiftyOne keeps those that it loaded, and does not see when another process replaces the run.
    """
    known = collection._root_dataset._brain_cache.pop(brain_key, None)  # noqa: SLF001 - no public name
    with contextlib.suppress(Exception):  # its connection may be lost
        end_reading(known)
    return collection.load_brain_results(brain_key)


def version_of_results(dataset: fo.Dataset, brain_key: str) -> str:
    """What tells the results of a run from those that it had before; empty if it has none."""
    return str(_results_id(dataset, brain_key) or "")


def stored_ids(dataset: fo.Dataset, brain_key: str, kind: str) -> frozenset[str] | None:
    """The ids in the results of FiftyOne's own index, of which the vectors are not read.

    Args:
        dataset: the dataset
        brain_key: the name of the run
        kind: ``sample_ids`` or ``label_ids``

    Returns:
        the ids; None where there are none, e.g. of an index whose vectors are in a field, or more
        than can be read in a moment
    """
    results_id = _results_id(dataset, brain_key)
    if results_id is None:
        return None
    try:
        file = GridFS(foo.get_db_conn()).get(results_id)
        length, size = file.length, _FIRST_READ
        tail = b""
        while _IDS not in tail:
            if len(tail) == length or size > _MOST_READ:
                return None
            file.seek(max(0, length - size))
            tail, size = file.read(), 4 * size
        ids = json.loads(b"{" + tail[tail.index(_IDS) :])[kind]
    except (NoFile, ValueError, KeyError):  # just replaced, or kept in another way
        return None
    return None if ids is None else frozenset(ids)


def _results_id(dataset: fo.Dataset, brain_key: str) -> ObjectId | None:
    results = dataset._root_dataset._doc.brain_methods[brain_key].results  # noqa: SLF001
    found: ObjectId | None = results.grid_id if results else None
    return found


def _empty(index: Any) -> None:
    """Deletes what a back end holds of an index."""
    limit_waiting(index)
    index.cleanup(**({"drop_table": True} if index.config.method == PGVECTOR else {}))


def limit_waiting(index: Any) -> None:
    """Lets changes of an index in PostgreSQL fail rather than wait for ever.

    Whoever reads it, here or in another process, keeps a transaction open on its table, which
    FiftyOne does not end.
    """
    if index.config.method == PGVECTOR:
        # None of this has a public name.
        if index._conn.closed:  # noqa: SLF001
            index._initialize()  # noqa: SLF001
        index._cur.execute(f"SET lock_timeout = '{_LOCK_SECONDS}s'")  # noqa: SLF001


def end_reading(index: Any) -> None:
    """Ends the transaction that FiftyOne leaves open on an index in PostgreSQL when it is read.

    Args:
        index: the results of any run, or None
    """
    if index is not None and index.config.method == PGVECTOR and not index._conn.closed:  # noqa: SLF001
        index._conn.commit()  # noqa: SLF001 - no public name


def save_results(results: Any) -> None:
    """Saves the results of a run that has some; they are the old ones until the new are there.

    FiftyOne deletes the old ones first: a process that is killed meanwhile leaves none. If it
    fails, who loads them next gets the old ones.

    Args:
        results: as FiftyOne loaded them, changed
    """
    dataset = results.samples._root_dataset  # noqa: SLF001 - nothing of this has a public name
    document = dataset._doc.brain_methods[results.key]  # noqa: SLF001
    before = document.results.grid_id
    after = document._fields["results"].get_proxy_obj(key="results", instance=document)
    try:
        content = json_util.dumps(results.serialize()).encode()
        after.put(content, content_type="application/json")
        document.results, document.results_meta = after, dict(results.get_meta() or {})
        document.save()
    except BaseException:
        with contextlib.suppress(Exception):  # the first error is what matters
            dataset.reload()
            dataset.clear_cache()
        raise
    if before is not None:
        GridFS(foo.get_db_conn()).delete(before)


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
