"""What Relabel remembers of a round, beside the FiftyOne run that the round is.

Five collections in FiftyOne's own database, keyed by the id of the run's document, so that
renaming a run keeps them. They are forgotten when the run is gone.

- ``relabel_rounds``: one small document for a round
- ``relabel_frames``: the baseline, one document for an image; while a round is being sent, also
  its plan (see :mod:`.planned`)
- ``relabel_undo``: what a pull overwrote, one document for an image
- ``relabel_late``: what a server may make of it when nobody waits any more (see :mod:`.late`)
- ``relabel_remarks``: what its annotators are still to be told (see :mod:`.remarks`)
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo
from bson import DBRef, ObjectId

from ..errors import RoundBusy, UnknownRound
from .lease import dead_holder, this_process
from .round import read_round, round_document, task_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    import fiftyone as fo
    from pymongo.collection import Collection

    from .round import Round, SentTask

_LONGEST_HOLD = timedelta(minutes=15)  # a crashed process must not hold a round for ever


def save_round(record: Round) -> None:
    """Writes a round's record."""
    _rounds().update_one({"_id": record.id}, {"$set": round_document(record)}, upsert=True)


def add_round(record: Round) -> None:
    """Writes a round's record, unless there is one."""
    _rounds().update_one({"_id": record.id}, {"$setOnInsert": round_document(record)}, upsert=True)


def known_rounds(dataset: fo.Dataset) -> set[ObjectId]:
    """The ids of the runs of a dataset that have a record."""
    found = _rounds().find({"_id": {"$in": list(run_keys(dataset))}}, {"_id": 1})
    return {document["_id"] for document in found}


def save_task(round_id: ObjectId, number: int, task: SentTask) -> None:
    """Writes how far one task of a round has come, and holds the round for longer.

    Args:
        round_id: the round
        number: which of its tasks, from 0
        task: what to write
    """
    held = datetime.now(UTC) + _LONGEST_HOLD
    _rounds().update_one(
        {"_id": round_id},
        {"$set": {f"tasks.{number}": task_document(task), "held_until": held}},
    )


def save_classes(round_id: ObjectId, number: int, task: SentTask) -> None:
    """Writes the classes of one task of a round; see :func:`save_task`."""
    labels = task_document(task)["labels"]
    _rounds().update_one({"_id": round_id}, {"$set": {f"tasks.{number}.labels": labels}})


@contextmanager
def holding(record: Round) -> Iterator[None]:
    """Keeps everybody else from sending, pulling or undoing a round meanwhile.

    A process that died holds nothing: at once where we can see that it is gone, else after some
    minutes.

    Raises:
        RoundBusy: if somebody else holds it
    """
    now = datetime.now(UTC)
    holder = (_rounds().find_one({"_id": record.id}, {"held_by": 1}) or {}).get("held_by")
    free: list[dict[str, Any]] = [{"held_until": None}, {"held_until": {"$lt": now}}]
    if dead_holder(holder):
        free.append({"held_by": holder})
    taken = _rounds().update_one(
        {"_id": record.id, "$or": free},
        {"$set": {"held_until": now + _LONGEST_HOLD, "held_by": this_process()}},
    )
    if not taken.matched_count:
        raise RoundBusy(
            f"Somebody else is working on the round {record.key!r} at this moment.",
            "Try again in a minute.",
        )
    try:
        yield
    finally:
        _rounds().update_one(
            {"_id": record.id, "held_by": this_process()},
            {"$set": {"held_until": None, "held_by": None}},
        )


def list_rounds(dataset: fo.Dataset) -> list[Round]:
    """The rounds of a dataset that Relabel made, oldest first."""
    keys = run_keys(dataset)
    documents = _rounds().find({"_id": {"$in": list(keys)}}).sort("created_at", 1)
    return [read_round(document, keys[document["_id"]]) for document in documents]


def load_round(dataset: fo.Dataset, key: str) -> Round:
    """One round of a dataset.

    Raises:
        UnknownRound: if there is none of that name
    """
    for run_id, run_key in run_keys(dataset).items():
        if run_key == key:
            document = _rounds().find_one({"_id": run_id})
            if document is None:
                raise UnknownRound(
                    f"The annotation run {key!r} was not made by Relabel.",
                    f"Load it with dataset.load_annotations({key!r}).",
                )
            return read_round(document, key)
    raise UnknownRound(f"There is no round named {key!r}.", "Refresh the panel.")


def forget_round(round_id: ObjectId) -> None:
    """Deletes all that is remembered of a round."""
    database = foo.get_db_conn()
    for name in ("relabel_frames", "relabel_undo", "relabel_remarks"):
        database[name].delete_many({"round_id": round_id})
    _rounds().delete_one({"_id": round_id})


def forget_orphans() -> None:
    """Deletes what is remembered of rounds whose run is gone."""
    runs = foo.get_db_conn()["runs"]
    for document in _rounds().find({}, {"_id": 1}):
        if runs.find_one({"_id": document["_id"]}, {"_id": 1}) is None:
            forget_round(document["_id"])


def run_keys(dataset: fo.Dataset) -> dict[ObjectId, str]:
    """The annotation runs of a dataset, read afresh: another process may have made one."""
    document = foo.get_db_conn()["datasets"].find_one(
        {"_id": dataset._doc.id},  # noqa: SLF001 - the id has no public name
        {"annotation_runs": 1},
    )
    runs = (document or {}).get("annotation_runs") or {}
    return {ref.id if isinstance(ref, DBRef) else ref: key for key, ref in runs.items()}


def _rounds() -> Collection[dict[str, Any]]:
    return foo.get_db_conn()["relabel_rounds"]
