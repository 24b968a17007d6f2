"""What the queue writes on labels: what may be wrong, how likely, what should be there.

A missing label has no label to write on: there the prediction is marked.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fiftyone as fo
import fiftyone.core.sample as fos
from bson import ObjectId
from pymongo import UpdateOne

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ERROR, SCORE, INSTEAD = "label_error", "label_error_score", "label_error_instead"
_TYPES = {ERROR: fo.StringField, SCORE: fo.FloatField, INSTEAD: fo.StringField}
_SAMPLES_PER_WRITE = 1000


def write_marks(
    dataset: fo.Dataset, marks: Mapping[tuple[str, str, str], Mapping[str, Any]]
) -> None:
    """Writes marks on labels; those of labels that are gone meanwhile are left out.

    Args:
        dataset: the dataset
        marks: sample, field and label -> the value of each mark
    """
    by_sample: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = defaultdict(list)
    for (sample_id, field, label_id), values in marks.items():
        by_sample[sample_id].append((field, label_id, values))
    for field in {field for _, field, _ in marks}:
        for name, kind in _TYPES.items():
            dataset.add_sample_field(f"{field}.detections.{name}", kind)
    now = datetime.now(UTC)
    writes = [_write(sample_id, labels, now) for sample_id, labels in by_sample.items()]
    collection = dataset._sample_collection  # noqa: SLF001 - FiftyOne has no bulk write by label id
    for start in range(0, len(writes), _SAMPLES_PER_WRITE):
        collection.bulk_write(writes[start : start + _SAMPLES_PER_WRITE], ordered=False)
    _reload(dataset, list(by_sample))


def _write(
    sample_id: str, labels: list[tuple[str, str, Mapping[str, Any]]], now: datetime
) -> UpdateOne:
    values: dict[str, Any] = {"last_modified_at": now}
    filters = []
    for number, (field, label_id, marks) in enumerate(labels):
        filters.append({f"label{number}._id": ObjectId(label_id)})
        for name, value in marks.items():
            values[f"{field}.detections.$[label{number}].{name}"] = value
    return UpdateOne({"_id": ObjectId(sample_id)}, {"$set": values}, array_filters=filters)


def clear_marks(dataset: fo.Dataset, fields: Iterable[str]) -> None:
    """Removes every mark, and its attribute from the fields.

    Args:
        dataset: the dataset
        fields: fields of type ``Detections``; those that are gone are left out
    """
    touched: list[str] = []
    collection = dataset._sample_collection  # noqa: SLF001 - FiftyOne would rewrite every label
    for field in fields:
        if dataset.get_field(field) is None:
            continue
        path = f"{field}.detections"
        marked = {f"{path}.{ERROR}": {"$exists": True}}
        touched += [str(found["_id"]) for found in collection.find(marked, {"_id": 1})]
        collection.update_many(
            marked,
            {
                "$unset": {f"{path}.$[].{name}": "" for name in _TYPES},
                "$currentDate": {"last_modified_at": True},
            },
        )
        declared = [name for name in _TYPES if dataset.get_field(f"{path}.{name}") is not None]
        for name in declared:
            dataset.remove_dynamic_sample_field(f"{path}.{name}")
    _reload(dataset, touched)


def _reload(dataset: fo.Dataset, sample_ids: list[str]) -> None:
    fos.Sample._reload_docs(  # noqa: SLF001 - what set_values() itself does after it has written
        dataset._sample_collection_name,  # noqa: SLF001
        sample_ids=sample_ids,
        hard=True,
    )
