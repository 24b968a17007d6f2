"""Reads and writes the labels of many samples at once, as MongoDB holds them.

FiftyOne's object layer would touch every label of a sample; this touches what changed. It keeps
what that layer keeps: ids, types, ``last_modified_at``. Every write is conditional on the labels
being as they were read, so an edit made meanwhile is never overwritten.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fiftyone as fo
from bson import ObjectId
from pymongo import UpdateOne

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pymongo.collection import Collection

_SAMPLES_PER_REQUEST = 1000


def read_labels(
    dataset: fo.Dataset, field: str, sample_ids: Iterable[str]
) -> dict[str, Sequence[Mapping[str, Any]] | None]:
    """Reads the labels of samples.

    Args:
        dataset: the dataset
        field: a field of ``Detections``
        sample_ids: the samples; those that are not in the dataset are left out

    Returns:
        sample id -> its label documents, or None where the field is empty
    """
    found: dict[str, Sequence[Mapping[str, Any]] | None] = {}
    for ids in _batches(list(sample_ids)):
        query = {"_id": {"$in": [ObjectId(sample_id) for sample_id in ids]}}
        for document in _samples(dataset).find(query, {field: 1}):
            value = document.get(field)
            found[str(document["_id"])] = None if value is None else value.get("detections", [])
    return found


def write_labels(
    dataset: fo.Dataset,
    field: str,
    changes: Mapping[
        str, tuple[Sequence[Mapping[str, Any]] | None, Sequence[Mapping[str, Any]] | None]
    ],
) -> set[str]:
    """Writes the labels of samples, each only if they are still as they were read.

    Args:
        dataset: the dataset; its samples in memory are refreshed
        field: a field of ``Detections``
        changes: sample id -> the label documents as they were read and as they are to be; None
            for an empty field

    Returns:
        the samples whose labels had been edited, and which were left as they are
    """
    if not changes:
        return set()
    _ensure_field(dataset, field)
    now = datetime.now(UTC)
    lost: set[str] = set()
    for ids in _batches(list(changes)):
        writes = [_update(field, sample_id, *changes[sample_id], now) for sample_id in ids]
        result = _samples(dataset).bulk_write(writes, ordered=False)
        if result.matched_count < len(writes):
            now_there = read_labels(dataset, field, ids)
            lost |= {
                sample_id
                for sample_id in ids
                if sample_id not in now_there or now_there[sample_id] != changes[sample_id][1]
            }
    dataset.reload()
    return lost


def _ensure_field(dataset: fo.Dataset, field: str) -> None:
    """Declares the field of a round that annotates a new one."""
    if dataset.get_field(field) is None:
        dataset.add_sample_field(field, fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)


def _update(
    field: str,
    sample_id: str,
    before: Sequence[Mapping[str, Any]] | None,
    after: Sequence[Mapping[str, Any]] | None,
    now: datetime,
) -> UpdateOne:
    query: dict[str, Any] = {"_id": ObjectId(sample_id)}
    update: dict[str, Any] = {"last_modified_at": now}
    if before is None:
        query[field] = None
    else:
        query[f"{field}.detections"] = before
    if after is None:
        update[field] = None
    elif before is None:
        update[field] = {"_cls": "Detections", "detections": after}
    else:
        update[f"{field}.detections"] = after
    return UpdateOne(query, {"$set": update})


def _samples(dataset: fo.Dataset) -> Collection[dict[str, Any]]:
    return dataset._sample_collection  # noqa: SLF001 - FiftyOne has no conditional bulk write


def _batches(items: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(items), _SAMPLES_PER_REQUEST):
        yield items[start : start + _SAMPLES_PER_REQUEST]
