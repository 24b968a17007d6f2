"""What a server may still make of a round though nobody waits for it any more.

A request that was given up may be carried out long after; we look for what comes of it for a
while.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo

from .round import project_tracker, trackers

if TYPE_CHECKING:
    import fiftyone as fo
    from bson import ObjectId
    from pymongo.collection import Collection

    from .round import Round

_LOOKED_FOR = timedelta(hours=24)
_RARELY = timedelta(minutes=1)


@dataclass(frozen=True)
class Late:
    """What may come of a round that was resumed or discarded.

    Args:
        trackers: what its tasks carry
        tasks: the tasks that it goes on with
        project: the name of its project, or an empty text
        project_tracker: what a project carries that it has made
        project_id: the project that it goes on with, or 0
    """

    trackers: tuple[str, ...]
    tasks: tuple[int, ...]
    project: str
    project_tracker: str
    project_id: int


def note_late(record: Round, *, discarded: bool) -> None:
    """Remembers to look for what may come late, but not for what the round goes on with."""
    late = Late(
        trackers=tuple(trackers(record)),
        tasks=() if discarded else tuple(task.id for task in record.tasks),
        project=(record.request.project if record.request else "") or "",
        project_tracker=project_tracker(record),
        project_id=0 if discarded else record.project_id,
    )
    where = {"dataset_id": record.dataset_id, "url": record.url}
    document = {**where, **asdict(late), "noted_at": datetime.now(UTC), "looked_at": None}
    _late().replace_one({"_id": record.id}, document, upsert=True)


def late_rounds(dataset: fo.Dataset, url: str, *, rarely: bool = False) -> list[Late]:
    """What to look for on a server, for a day after it was noted.

    Args:
        dataset: the dataset of the rounds
        url: the address of the server
        rarely: whether what was looked for within a minute is left out
    """
    now = datetime.now(UTC)
    _late().delete_many({"noted_at": {"$lt": now - _LOOKED_FOR}})
    query: dict[str, Any] = {
        "dataset_id": dataset._doc.id,  # noqa: SLF001 - the id has no public name
        "url": url,
    }
    if rarely:
        query["$or"] = [{"looked_at": None}, {"looked_at": {"$lt": now - _RARELY}}]
    found = list(_late().find(query))
    ids: list[ObjectId] = [item["_id"] for item in found]
    if ids:
        _late().update_many({"_id": {"$in": ids}}, {"$set": {"looked_at": now}})
    return [
        Late(
            trackers=tuple(item["trackers"]),
            tasks=tuple(item["tasks"]),
            project=item["project"],
            project_tracker=item["project_tracker"],
            project_id=item["project_id"],
        )
        for item in found
    ]


def _late() -> Collection[dict[str, Any]]:
    return foo.get_db_conn()["relabel_late"]
