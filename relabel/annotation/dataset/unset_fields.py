"""Documents that do not mention a field at all, which FiftyOne shows like an empty one.

A field that was declared after its samples were made, or that only some frames of a video have, is
in none of the others' documents. A pull writes there; its undo leaves no trace of the field.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from bson import ObjectId
from pymongo import UpdateOne

from .frame_storage import stored_field

if TYPE_CHECKING:
    from collections.abc import Iterable

    import fiftyone as fo
    from pymongo.collection import Collection

    from ..record.places import Place

_PER_REQUEST = 1000


def places_without_field(dataset: fo.Dataset, places: Iterable[Place]) -> set[Place]:
    """Those of some places whose document is there and does not mention the field."""
    found: set[Place] = set()
    for field, of_field in _by_field(places).items():
        documents = _collection(dataset, of_field[0])
        for start in range(0, len(of_field), _PER_REQUEST):
            keys = {_key(place): place for place in of_field[start : start + _PER_REQUEST]}
            query = {"$or": [dict(key) for key in keys], field: {"$exists": False}}
            names = [name for name, _ in next(iter(keys))]
            for item in documents.find(query, [*names]):
                found.add(keys[tuple((name, item[name]) for name in names)])
    return found


def unset_empty(dataset: fo.Dataset, places: Iterable[Place]) -> None:
    """Takes a field that is empty out of the documents of some places."""
    for field, of_field in _by_field(places).items():
        _collection(dataset, of_field[0]).bulk_write(
            [UpdateOne({**dict(_key(p)), field: None}, {"$unset": {field: 1}}) for p in of_field],
            ordered=False,
        )


def _by_field(places: Iterable[Place]) -> dict[str, list[Place]]:
    """The name of a field in its documents -> the places; all are of images, or of frames."""
    found: dict[str, list[Place]] = defaultdict(list)
    for place in places:
        found[stored_field(place)].append(place)
    return found


def _key(place: Place) -> tuple[tuple[str, Any], ...]:
    sample_id = ObjectId(place.sample_id)
    if place.frame_number is None:
        return (("_id", sample_id),)
    return (("_sample_id", sample_id), ("frame_number", place.frame_number))


def _collection(dataset: fo.Dataset, place: Place) -> Collection[dict[str, Any]]:
    samples, frames = dataset._sample_collection, dataset._frame_collection  # noqa: SLF001 - as in storage
    return samples if place.frame_number is None else frames
