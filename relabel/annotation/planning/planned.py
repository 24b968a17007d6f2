"""The images of a round that is being sent: recorded before the first one travels.

They lie beside the baseline, so that they count as out. An image that is only planned has no task
yet, and its frame is its place in the whole round.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo

from ...cvat import ImageFile
from ..dataset.media import RoundImage
from ..record.baseline import ensure_indexes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bson import ObjectId
    from pymongo.collection import Collection

_IMAGES_PER_WRITE = 500


def save_plan(round_id: ObjectId, images: Iterable[RoundImage]) -> int:
    """Records the images of a round in their order; returns how many there are."""
    ensure_indexes()
    forget_plan(round_id)
    count = 0
    batch: list[dict[str, Any]] = []
    for image in images:
        batch.append(_document(round_id, count, image))
        count += 1
        if len(batch) == _IMAGES_PER_WRITE:
            _frames().insert_many(batch)
            batch = []
    if batch:
        _frames().insert_many(batch)
    return count


def load_plan(round_id: ObjectId, first: int, count: int) -> Iterator[RoundImage]:
    """Some images of a round, from the ``first`` on."""
    query = {**_planned(round_id), "frame": {"$gte": first, "$lt": first + count}}
    yield from map(_read, _frames().find(query).sort("frame", 1))


def note_upload(round_id: ObjectId, name: str, upload_id: str) -> None:
    """Records that the upload of a large file was begun, before any of it travels."""
    query = {**_planned(round_id), "name": name}
    _frames().update_one(query, {"$set": {"upload_id": upload_id}})


def planned_ids(round_id: ObjectId) -> tuple[str, ...]:
    """The samples of a round that is being sent, in their order."""
    found = _frames().find(_planned(round_id), {"sample_id": 1}).sort("frame", 1)
    return tuple(document["sample_id"] for document in found)


def forget_plan(round_id: ObjectId) -> None:
    """Deletes the record, once all is sent."""
    _frames().delete_many(_planned(round_id))


def _planned(round_id: ObjectId) -> dict[str, Any]:
    return {"round_id": round_id, "task_id": None}


def _document(round_id: ObjectId, number: int, image: RoundImage) -> dict[str, Any]:
    return {
        **_planned(round_id),
        "frame": number,
        "sample_id": image.sample_id,
        "size": list(image.size),
        "path": str(image.file.path),
        "name": image.file.name,
        "bytes": image.file.size,
        "frames": image.frames,
    }


def _read(document: dict[str, Any]) -> RoundImage:
    file = ImageFile(Path(document["path"]), document["name"], document["bytes"])
    width, height = document["size"]
    size, upload_id = (width, height), document.get("upload_id", "")
    return RoundImage(document["sample_id"], file, size, upload_id, document.get("frames", 0))


def _frames() -> Collection[dict[str, Any]]:
    return foo.get_db_conn()["relabel_frames"]
