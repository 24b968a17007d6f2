"""Notes that a run is about to be registered: a crash must not leave one that nobody knows."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo

from ..record.lease import dead_holder, this_process
from ..record.rounds import run_keys
from ..stock.stock import delete_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    import fiftyone as fo
    from pymongo.collection import Collection

_LONGEST = timedelta(minutes=1)


@contextmanager
def about_to_register(dataset: fo.Dataset, key: str) -> Iterator[None]:
    """Keeps a note while a run is registered and its record is written."""
    note = {**_about(dataset, key), "at": datetime.now(UTC), "by": this_process()}
    _intents().insert_one(note)
    try:
        yield
    finally:
        _intents().delete_one({"_id": note["_id"]})


def is_torn(dataset: fo.Dataset, key: str) -> bool:
    """Whether a run of that name is one of ours that a crash left without a record."""
    note = _intents().find_one(_about(dataset, key))
    if note is None or not dead_holder(note["by"]):
        return False
    database = foo.get_db_conn()
    run_id = next(run_id for run_id, name in run_keys(dataset).items() if name == key)
    run = database["runs"].find_one({"_id": run_id})
    unknown = database["relabel_rounds"].find_one({"_id": run_id}) is None
    # Somebody else may have made a run of that name since.
    return bool(run and unknown and abs(run["timestamp"] - note["at"]) < _LONGEST)


def forget_torn_run(dataset: fo.Dataset, key: str) -> None:
    """Deletes a run of ours that a crash left without a record."""
    if key in run_keys(dataset).values() and is_torn(dataset, key):
        delete_run(dataset, key)
    for note in _intents().find(_about(dataset, key)):
        if dead_holder(note["by"]):
            _intents().delete_one({"_id": note["_id"]})


def _about(dataset: fo.Dataset, key: str) -> dict[str, Any]:
    return {"dataset_id": dataset._doc.id, "key": key}  # noqa: SLF001 - the id has no public name


def _intents() -> Collection[dict[str, Any]]:
    return foo.get_db_conn()["relabel_intents"]
