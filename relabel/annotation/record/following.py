"""Whether all was done that follows the pulls of a round, as evaluating again; who is at it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo

from .lease import dead_holder, this_process
from .rounds import run_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import fiftyone as fo
    from bson import ObjectId
    from pymongo.collection import Collection

    from .round import Round

_LONGEST = timedelta(minutes=15)  # of a process on another machine nobody knows that it has died


def expect_following(round_id: ObjectId) -> None:
    """Notes that this process is about to do what follows a pull of a round, or an undo."""
    until = datetime.now(UTC) + _LONGEST
    _write(round_id, {"followed_by": this_process(), "followed_until": until})


def note_followed(record: Round, pulls: Iterable[str] = ()) -> None:
    """Notes that all was done that follows the pulls of a round, as evaluating again.

    Of the round not if there were more pulls since it was read.

    Args:
        record: the round
        pulls: the ids of the pulls that were followed
    """
    seen = {"_id": record.id, "unfollowed": record.unfollowed}
    _rounds().update_one(seen, {"$set": {"unfollowed": 0}})
    _rounds().update_one(
        {"_id": record.id},
        {"$pull": {"unlisted": {"id": {"$in": list(pulls)}}}},
    )
    _end(record.id, None)


def note_unfollowed(round_id: ObjectId, reason: str) -> None:
    """Notes why it could not be done: it stays owed."""
    _end(round_id, reason)


def rounds_owed(dataset: fo.Dataset) -> dict[str, str]:
    """The rounds of which something is still to follow, while nobody is at it; quick.

    Returns:
        round -> why it was not done; empty if a process has died, or nobody has begun
    """
    keys = run_keys(dataset)
    some = [{"unfollowed": {"$gt": 0}}, {"unlisted.0": {"$exists": True}}]
    names = ("followed_by", "followed_until", "unfollowed_because")
    found = _rounds().find(
        {"_id": {"$in": list(keys)}, "$or": some}, dict.fromkeys(names, 1), sort=[("_id", 1)]
    )
    now = datetime.now(UTC)
    return {
        keys[document["_id"]]: document.get("unfollowed_because") or ""
        for document in found
        if not _is_under_way(document, now)
    }


def _is_under_way(document: Mapping[str, Any], now: datetime) -> bool:
    until: datetime | None = document.get("followed_until")
    holds = until is not None and until.replace(tzinfo=UTC) > now
    return holds and not dead_holder(document.get("followed_by"))


def _end(round_id: ObjectId, reason: str | None) -> None:
    ended = {"followed_by": None, "followed_until": None, "unfollowed_because": reason}
    _write(round_id, ended)


def _write(round_id: ObjectId, values: dict[str, Any]) -> None:
    _rounds().update_one({"_id": round_id}, {"$set": values})


def _rounds() -> Collection[dict[str, Any]]:
    return foo.get_db_conn()["relabel_rounds"]
