"""The labels of frames of videos, which are in a collection beside that of the samples."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bson import ObjectId
from pymongo import DeleteOne, UpdateOne
from pymongo.errors import BulkWriteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import fiftyone as fo
    from pymongo.collection import Collection

    from ..record.places import Place

PREFIX = "frames."
_DUPLICATE_KEY = 11000
_OF_EVERY_FRAME = frozenset(
    ("_id", "_sample_id", "_dataset_id", "frame_number", "created_at", "last_modified_at")
)


def stored_field(place: Place) -> str:
    """The name of the field in its document."""
    return place.field if place.frame_number is None else place.field.removeprefix(PREFIX)


def adder(dataset: fo.Dataset, field: str) -> tuple[Callable[..., None], str]:
    """What declares a field, and the name under which it does."""
    if field.startswith(PREFIX):
        return dataset.add_frame_field, field.removeprefix(PREFIX)
    return dataset.add_sample_field, field


def read_values(dataset: fo.Dataset, places: Iterable[Place]) -> dict[Place, Any]:
    """The values of fields of frames, as far as they have a document; those of images are not."""
    wanted = _by_frame(places)
    names = {stored_field(place): 1 for asked in wanted.values() for place in asked}
    fields = {"_sample_id": 1, "frame_number": 1, **names}
    return {
        place: document.get(stored_field(place))
        for key, document in _documents(dataset, wanted, fields).items()
        for place in wanted[key]
    }


def without_document(dataset: fo.Dataset, places: Iterable[Place]) -> set[Place]:
    """Which of some places are in frames that have no document yet."""
    wanted = _by_frame(places)
    there = _documents(dataset, wanted, {"_sample_id": 1, "frame_number": 1})
    return {place for key in wanted.keys() - there.keys() for place in wanted[key]}


def delete_empty(dataset: fo.Dataset, places: Iterable[Place]) -> None:
    """Deletes the documents of frames in which no field has a value."""
    deletions = [
        DeleteOne(document)
        for document in _documents(dataset, _by_frame(places)).values()
        if all(document[name] is None for name in document.keys() - _OF_EVERY_FRAME)
    ]
    if deletions:
        _frames(dataset).bulk_write(deletions, ordered=False)


def frame_ids(dataset: fo.Dataset) -> dict[tuple[str, int], str]:
    """Sample and frame number -> the id of the frame, for all frames that have a document."""
    found = _frames(dataset).find({}, {"_sample_id": 1, "frame_number": 1})
    return {(str(item["_sample_id"]), item["frame_number"]): str(item["_id"]) for item in found}


def write(
    dataset: fo.Dataset, writes: Sequence[tuple[Place, Mapping[str, Any], Mapping[str, Any]]]
) -> int:
    """Changes documents of frames, each where its condition holds.

    A frame that has no document gets one, as FiftyOne would make it.

    Returns:
        how many were changed or made
    """
    if not writes:
        return 0
    now = datetime.now(UTC)
    new = {"_dataset_id": dataset._doc.id, "created_at": now}  # noqa: SLF001 - no public name
    updates = [
        UpdateOne(
            {
                "_sample_id": ObjectId(place.sample_id),
                "frame_number": place.frame_number,
                **condition,
            },
            {"$set": dict(changed), "$setOnInsert": new},
            upsert=all(value is None for value in condition.values()),
        )
        for place, condition, changed in writes
    ]
    try:
        result = _frames(dataset).bulk_write(updates, ordered=False).bulk_api_result
    except BulkWriteError as error:
        # A frame that got labels meanwhile does not match, and cannot be made a second time.
        if any(item["code"] != _DUPLICATE_KEY for item in error.details["writeErrors"]):
            raise
        result = error.details
    return int(result["nMatched"]) + int(result["nUpserted"])


def _by_frame(places: Iterable[Place]) -> dict[tuple[str, int], list[Place]]:
    """Sample and frame number -> the places there; those of images are left out."""
    found: dict[tuple[str, int], list[Place]] = defaultdict(list)
    for place in places:
        if place.frame_number is not None:
            found[place.sample_id, place.frame_number].append(place)
    return found


def _documents(
    dataset: fo.Dataset,
    frames: Mapping[tuple[str, int], Any],
    fields: Mapping[str, int] | None = None,
) -> dict[tuple[str, int], dict[str, Any]]:
    """The documents of frames, as far as they have one."""
    if not frames:
        return {}
    query = {
        "_sample_id": {"$in": [ObjectId(sample_id) for sample_id in {key[0] for key in frames}]},
        "frame_number": {"$in": sorted({key[1] for key in frames})},
    }
    found = _frames(dataset).find(query, fields)
    by_key = {(str(item["_sample_id"]), item["frame_number"]): item for item in found}
    return {key: item for key, item in by_key.items() if key in frames}


def _frames(dataset: fo.Dataset) -> Collection[dict[str, Any]]:
    return dataset._frame_collection  # noqa: SLF001 - FiftyOne has no conditional bulk write
