"""What a user does to a delegated operation: cancels it, has it run again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bson import ObjectId
from fiftyone.operators.executor import ExecutionRunState as State
from pymongo.errors import DuplicateKeyError

from ..errors import RelabelError
from .operations import OURS, TAKING_BACK_SECONDS, collection, failure, utc_now

CANCELLED = "Cancelled."
_NOTICED_SECONDS = 15.0  # by then its executor knows that an operation was cancelled
_OF_ONE_RUN = (
    "run_link",
    "updated_at",
    "status",
    "started_at",
    "completed_at",
    "failed_at",
    "scheduled_at",
    "result",
    "log_path",
    "log_size",
    "log_tail",
    "log_upload_error",
)


class NotCancellable(RelabelError):
    """The operation has ended, or writes its outcome, or there is none of that id."""


class NotRepeatable(RelabelError):
    """The operation has not failed, takes back what it made, or is being repeated already."""


def cancel(operation: ObjectId) -> None:
    """Ends an operation that is queued or running; its executor stops at once.

    Raises:
        NotCancellable: if it has ended, or writes its outcome: half of that would be left
    """
    unended = {"_id": operation, "run_state": {"$in": [State.QUEUED, State.RUNNING]}}
    stoppable = {**unended, f"{OURS}.writing": {"$ne": True}}
    if collection().update_one(stoppable, {"$set": failure(CANCELLED)}).matched_count:
        return
    if collection().count_documents(unended, limit=1):
        raise NotCancellable(
            "This operation is writing its outcome; half of that would be left.",
            "Wait until it has written all, most often some seconds.",
        )
    raise NotCancellable("This operation has ended.", "There is nothing left to cancel.")


def repeat(operation: ObjectId) -> ObjectId:
    """Queues an operation that failed, or was cancelled, once more, just as it was asked for.

    What it had done is not done again, where it kept that beside the dataset.

    Returns:
        the id of the repetition

    Raises:
        NotRepeatable: if it has not failed, or still takes back what it made (its repetition would
            count on that), or is being repeated already
    """
    document = collection().find_one({"_id": operation, "run_state": State.FAILED})
    if document is None:
        raise NotRepeatable(
            "Only what has failed, or was cancelled, can be run again.", "Start it anew instead."
        )
    if takes_back(document):
        raise NotRepeatable("This operation is taking back what it made.", "Wait a moment.")
    ours = document.get(OURS, {})
    again = ours.get("again") or ObjectId()
    mine = {"_id": operation, f"{OURS}.again": {"$in": [None, again]}}
    try:
        if not collection().update_one(mine, {"$set": {f"{OURS}.again": again}}).matched_count:
            raise _repeated_already()
        collection().insert_one(_repetition(document, again))
    except DuplicateKeyError:
        raise _repeated_already() from None
    return again


def takes_back(document: dict[str, Any]) -> bool:
    """Whether an operation that was cancelled still takes back what it made.

    One whose process died never says that it has: after some time it is taken for done.

    Args:
        document: FiftyOne's of the operation
    """
    ours = document.get(OURS, {})
    if document["run_state"] != State.FAILED or "takes_back" not in ours:
        return False
    if ours["takes_back"] != ours["attempts"]:
        return False
    ended = document["failed_at"] + timedelta(seconds=_NOTICED_SECONDS + TAKING_BACK_SECONDS)
    return bool(utc_now() < ended)


def _repetition(document: dict[str, Any], again: ObjectId) -> dict[str, Any]:
    ours, now = document.get(OURS, {}), utc_now()
    return {
        **document,
        **dict.fromkeys(_OF_ONE_RUN),
        "_id": again,
        "run_state": State.QUEUED,
        "queued_at": now,
        "updated_at": now,
        "monitored": False,
        "pinned": False,
        "archived": False,
        # Half of it may be there, of the first time or any other.
        OURS: {
            "writing": ours.get("writing", False),
            "first": ours.get("first", document["_id"]),
        },
    }


def _repeated_already() -> NotRepeatable:
    return NotRepeatable("This operation was run again already.", "See the newer one.")
