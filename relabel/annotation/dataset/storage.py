"""Reads and writes the labels of many samples at once, as MongoDB holds them.

FiftyOne's object layer would touch every label of a sample; this touches what changed. It keeps
what that layer keeps: ids, types, ``last_modified_at``. Every write is conditional on what it
replaces being as it was read, so an edit made meanwhile is never overwritten.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import fiftyone as fo
import fiftyone.core.sample as fos
from bson import ObjectId
from fiftyone.core.utils import iter_batches
from pymongo import UpdateOne

from ...labels import MalformedLabel
from ..record.batches import write_in_batches
from ..record.places import Place
from . import frame_storage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pymongo.collection import Collection

    from ...labels import LabelKind

Labels: TypeAlias = Sequence[Mapping[str, Any]] | None
"""The labels of a place as MongoDB holds them; None for an empty field."""

_PER_REQUEST = 1000

Query: TypeAlias = dict[str, Any]


def read_labels(
    dataset: fo.Dataset,
    places: Iterable[Place],
    kinds: Mapping[str, LabelKind],
    unreadable: dict[Place, str] | None = None,
) -> dict[Place, Labels]:
    """Reads the labels of many places.

    Args:
        dataset: the dataset
        places: where they are; those whose sample is not in the dataset are left out
        kinds: field -> the kind of its labels
        unreadable: takes the places whose labels cannot be read, and why

    Returns:
        place -> its labels

    Raises:
        MalformedLabel: if labels cannot be read, and nothing takes that
    """
    wanted = _by_sample(places)
    found: dict[Place, Labels] = {}
    for ids in iter_batches(wanted, _PER_REQUEST):
        query = {"_id": {"$in": [ObjectId(sample_id) for sample_id in ids]}}
        asked = [place for sample_id in ids for place in wanted[sample_id]]
        fields = {place.field: 1 for place in asked if place.frame_number is None}
        frames = frame_storage.read_values(dataset, asked)
        for document in _samples(dataset).find(query, {"_id": 1, **fields}):
            for place in wanted[str(document["_id"])]:
                of_image = place.frame_number is None
                value = document.get(place.field) if of_image else frames.get(place)
                try:
                    found[place] = kinds[place.field].labels_of(value, str(place))
                except MalformedLabel as error:
                    if unreadable is None:
                        raise
                    unreadable[place] = str(error)
    return found


def value_ids(dataset: fo.Dataset, field: str) -> dict[str, str]:
    """The ids of the values of a field: id of the sample, or of the frame -> id of the value."""
    place = Place("", field, 1 if field.startswith(frame_storage.PREFIX) else None)
    name = frame_storage.stored_field(place)
    found = _samples(dataset) if place.frame_number is None else dataset._frame_collection  # noqa: SLF001
    documents = found.find({f"{name}._id": {"$exists": True}}, {f"{name}._id": 1})
    return {str(document["_id"]): str(document[name]["_id"]) for document in documents}


def write_labels(
    dataset: fo.Dataset,
    changes: Mapping[Place, tuple[Labels, Labels]],
    kinds: Mapping[str, LabelKind],
) -> set[Place]:
    """Writes the labels of many places, each only if what it replaces is still as it was read.

    Where some labels differ and none is removed, only these are written, and others of the same
    place may have been edited meanwhile.

    Args:
        dataset: the dataset; its changed samples in memory are refreshed
        changes: place -> the labels as they were read and as they are to be; those that stay as
            they are are the same objects
        kinds: field -> the kind of its labels

    Returns:
        the places whose labels had been edited, and which were left as they are
    """
    if not changes:
        return set()
    for field in {place.field for place in changes}:
        _ensure_field(dataset, field, kinds[field])
    now = datetime.now(UTC)

    def write(places: Sequence[Place]) -> set[Place]:
        writes = [
            (place, *_update(place, kinds[place.field], changes[place], now)) for place in places
        ]
        if _write(dataset, writes) == len(writes):
            return set()
        present = read_labels(dataset, places, kinds)
        return {
            place
            for place in places
            if place not in present or not _arrived(present[place], *changes[place])
        }

    lost = {place for left in write_in_batches(write, changes) for place in left}
    refresh(dataset, {place.sample_id for place in changes})
    return lost


def _write(dataset: fo.Dataset, writes: Sequence[tuple[Place, Query, Query]]) -> int:
    """Makes changes, each where its condition holds; returns how many were made."""
    of_frames = [write for write in writes if write[0].frame_number is not None]
    of_images = [
        UpdateOne({"_id": ObjectId(place.sample_id), **query}, {"$set": update})
        for place, query, update in writes
        if place.frame_number is None
    ]
    made = frame_storage.write(dataset, of_frames)
    if of_images:
        made += _samples(dataset).bulk_write(of_images, ordered=False).matched_count
    return made


def refresh(dataset: fo.Dataset, sample_ids: Iterable[str]) -> None:
    """Makes samples that a program holds show what is in the database now."""
    fos.Sample._reload_docs(  # noqa: SLF001 - what set_values() itself does after it has written
        dataset._sample_collection_name,  # noqa: SLF001
        sample_ids=list(sample_ids),
        hard=True,
        include_frames=dataset._has_frame_fields(),  # noqa: SLF001
    )


def new_id() -> ObjectId:
    """An id for a label that has none."""
    return ObjectId()


def by_id(labels: Labels) -> dict[str, Mapping[str, Any]]:
    """Label id -> label."""
    return {str(label["_id"]): label for label in labels or ()}


def has_doubles(labels: Labels) -> bool:
    """Whether two labels of one sample have the same id, so that it names neither."""
    return labels is not None and len({label["_id"] for label in labels}) < len(labels)


def changed_ids(before: Labels, after: Labels) -> list[str]:
    """The labels that are in one of two states of a sample only, or differ between them."""
    old, new = by_id(before), by_id(after)
    return [
        label_id for label_id in {**old, **new} if not same(old.get(label_id), new.get(label_id))
    ]


def same(one: Any, other: Any) -> bool:
    """Whether labels, or values of them, are stored alike.

    NaN, which is unlike itself in Python, is stored alike.
    """
    if one is other:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) or (one != one and other != other)  # noqa: PLR0124 - that is NaN


def _arrived(present: Labels, before: Labels, after: Labels) -> bool:
    """Whether a write took place, whatever became of the sample's other labels."""
    now, new = by_id(present), by_id(after)
    return all(
        same(now.get(label_id), new.get(label_id)) for label_id in changed_ids(before, after)
    )


def _ensure_field(dataset: fo.Dataset, field: str, kind: LabelKind) -> None:
    """Declares the field of a round that annotates a new one."""
    if dataset.get_field(field) is not None:
        return
    add, name = frame_storage.adder(dataset, field)
    field_class = getattr(fo, kind.field_class)
    if issubclass(field_class, fo.Field):
        add(name, field_class)
    else:
        add(name, fo.EmbeddedDocumentField, embedded_doc_type=field_class)


def _update(
    place: Place, kind: LabelKind, change: tuple[Labels, Labels], now: datetime
) -> tuple[Query, Query]:
    """On what the document must be like, and what of it is set."""
    before, after = change
    field = frame_storage.stored_field(place)
    query: dict[str, Any] = {}
    update: dict[str, Any] = {"last_modified_at": now}
    path = f"{field}.{kind.path}"
    if before is None or kind.path is None:
        query[field] = kind.value_of(before)
        update[field] = kind.value_of(after)
    elif not before:
        # FiftyOne leaves a list out that has become empty, so it is there or not.
        query |= {f"{field}._cls": kind.field_class, path: {"$in": [[], None]}}
        update |= {field: None} if after is None else {path: after}
    elif after is None:
        query[path] = before
        update[field] = None
    else:
        differing = _differing(before, after)
        if differing is None or len(differing) == len(after):
            query[path] = before
            update[path] = after
        else:
            # Each that differs, if it still is what it replaces; the new ones after the others.
            query |= {f"{path}.{i}": before[i] for i in differing if i < len(before)}
            update |= {f"{path}.{i}": after[i] for i in differing}
            if len(after) > len(before):
                query[path] = {"$size": len(before)}
    return query, update


def _differing(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> list[int] | None:
    """The positions of labels that are new or edited, or None if one is gone from its position."""
    if len(after) < len(before):
        return None
    pairs = zip(before, after, strict=False)
    changed = [index for index, (old, new) in enumerate(pairs) if old is not new]
    if any(before[index]["_id"] != after[index]["_id"] for index in changed):
        return None
    return [*changed, *range(len(before), len(after))]


def _samples(dataset: fo.Dataset) -> Collection[dict[str, Any]]:
    return dataset._sample_collection  # noqa: SLF001 - FiftyOne has no conditional bulk write


def _by_sample(places: Iterable[Place]) -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = defaultdict(list)
    for place in places:
        found[place.sample_id].append(place)
    return found
