"""What a run that predicts has done so far, kept in FiftyOne's database beside the dataset.

Predictions reach their field only when all of them are there. A run that was cancelled, or whose
process was killed, leaves the field as it was, and is gone on with by the next that uses the same
model, on whatever machine that runs. The database deletes what nobody came back for.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import fiftyone as fo
import fiftyone.core.odm as foo
import fiftyone.core.sample as fos
from bson import ObjectId
from pymongo import ReplaceOne

from ..errors import PredictionsLost

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from fiftyone.core.collections import SampleCollection

_COLLECTION = "relabel_predictions"
KEPT = timedelta(days=7)
_KEEP_EVERY = 256  # samples
_KEEP_SECONDS = 2.0
_AT_ONCE = 10_000  # ids of 12 bytes in a query of at most 16 MB


class Checkpoint:
    """Predictions that are made already; on leaving it, those that wait are kept.

    Args:
        made_by: all that decides what is predicted for a sample: a JSON value. None for a run
            that nothing can go on with
    """

    def __init__(self, made_by: object | None = None) -> None:
        name = uuid.uuid4().hex if made_by is None else json.dumps(made_by)
        self._key = hashlib.sha256(name.encode()).hexdigest()
        self._changed: dict[str, str] = {}
        self._waiting: dict[str, fo.Label | None] = {}
        self._last = time.monotonic()

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()

    def resume(self, view: SampleCollection) -> dict[str, int]:
        """What is there of a view, of samples that have not changed since.

        Args:
            view: the samples that this run is about

        Returns:
            how many labels are there, by the id of the sample
        """
        ids, changed = view.values(["id", "last_modified_at"])
        self._changed = dict(zip(ids, map(str, changed), strict=True))
        found = _documents().find({"key": self._key}, {"sample": 1, "changed": 1, "labels": 1})
        return {
            str(one["sample"]): one["labels"]
            for one in found
            if self._changed.get(str(one["sample"])) == one["changed"]
        }

    def add(self, sample_id: str, label: fo.Label | None) -> None:
        """Keeps a prediction, at the latest after some seconds."""
        self._waiting[sample_id] = label
        is_time = time.monotonic() - self._last >= _KEEP_SECONDS
        if is_time or len(self._waiting) >= _KEEP_EVERY:
            self.flush()

    def flush(self) -> None:
        """Keeps what waits."""
        waiting, self._waiting, self._last = self._waiting, {}, time.monotonic()
        if waiting:
            documents = _documents()
            documents.create_index([("key", 1), ("sample", 1)], unique=True)
            documents.create_index("at", expireAfterSeconds=int(KEPT.total_seconds()))
            kept = [self._document(*one) for one in waiting.items()]
            documents.bulk_write(
                [
                    ReplaceOne({"key": one["key"], "sample": one["sample"]}, one, upsert=True)
                    for one in kept
                ],
                ordered=False,
            )

    def write(self, dataset: fo.Dataset, label_field: str, sample_ids: Collection[str]) -> None:
        """Writes predictions that are kept to the dataset, by the database itself.

        Args:
            dataset: the dataset
            label_field: where they go; made if missing
            sample_ids: the samples, which all have a prediction

        Raises:
            PredictionsLost: if some have none any more
        """
        for ids in _chunks(sample_ids):
            chosen = {"key": self._key, "sample": {"$in": [ObjectId(one) for one in ids]}}
            if _documents().count_documents(chosen) != len(ids):
                raise PredictionsLost(
                    "Predictions that were kept beside the dataset are gone: another run of the "
                    "same model has written them.",
                    "Apply the model again.",
                )
            _declare(dataset, label_field, self._examples(chosen))
            _merge(dataset, label_field, chosen)
            fos.Sample._reload_docs(  # noqa: SLF001 - what set_values() itself does
                dataset._sample_collection_name,  # noqa: SLF001
                sample_ids=ids,
                hard=True,
            )

    def discard(self, sample_ids: Collection[str]) -> None:
        """Forgets predictions: they have arrived where they were made for."""
        for ids in _chunks(sample_ids):
            of_these = {"$in": [ObjectId(one) for one in ids]}
            _documents().delete_many({"key": self._key, "sample": of_these})

    def _document(self, sample_id: str, label: fo.Label | None) -> dict[str, Any]:
        value = None if label is None else label.to_dict()
        return {
            "key": self._key,
            "sample": ObjectId(sample_id),
            "at": datetime.now(UTC),
            "changed": self._changed.get(sample_id),
            "labels": count_labels(label),
            "attributes": ",".join(sorted(_attributes(value))),
            "value": value,
        }

    def _examples(self, chosen: dict[str, Any]) -> Iterator[fo.Label]:
        """One label for each set of attributes that labels have."""
        for attributes in _documents().distinct("attributes", chosen):
            found = _documents().find_one({**chosen, "attributes": attributes})
            if found and found["value"] is not None:
                yield fo.Label.from_dict(found["value"])


def _chunks(sample_ids: Collection[str]) -> Iterator[list[str]]:
    remaining = iter(sample_ids)
    while ids := list(islice(remaining, _AT_ONCE)):
        yield ids


def count_labels(label: fo.Label | None) -> int:
    """How many labels a prediction holds."""
    if isinstance(label, fo.Detections):
        return len(label.detections)
    return int(label is not None)


def _documents() -> Any:
    return foo.get_db_conn()[_COLLECTION]


def _attributes(value: Any) -> Iterator[str]:
    """The names of what a label and the labels in it have, with the types of it."""
    for name, part in (value or {}).items():
        if part is None:
            continue
        yield f"{name}:{type(part).__name__}"
        for one in part if isinstance(part, list) else ():
            if isinstance(one, dict):
                yield from _attributes(one)


def _declare(dataset: fo.Dataset, label_field: str, examples: Iterator[fo.Label]) -> None:
    """Has the dataset's schema say what the labels have, as it does when it is given them."""
    known = list(examples)
    if known:
        dataset._expand_schema_from_values(  # noqa: SLF001 - as set_values() does
            label_field, known, dynamic=True
        )


def _merge(dataset: fo.Dataset, label_field: str, chosen: dict[str, Any]) -> None:
    field = dataset.get_field(label_field)
    if field is None:
        return  # nothing was found in any image
    _documents().aggregate(
        [
            {"$match": chosen},
            {
                "$project": {
                    "_id": "$sample",
                    field.db_field or label_field: "$value",
                    "last_modified_at": "$$NOW",
                }
            },
            {
                "$merge": {
                    "into": dataset._sample_collection_name,  # noqa: SLF001
                    "on": "_id",
                    "whenMatched": "merge",
                    "whenNotMatched": "discard",  # deleted meanwhile
                }
            },
        ]
    )
