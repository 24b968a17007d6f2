"""Writes on labels and samples what an evaluation says of them, and takes it back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fiftyone.core.sample as fos
from bson import ObjectId, decode
from bson.datetime_ms import DatetimeMS
from pymongo import UpdateOne

from ..errors import EvaluationError
from ..matching.reading import STAMP, UNKNOWN, split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import fiftyone as fo

    from ..scoring.marks import Marked

_SAMPLES_PER_WRITE = 250
_UNSET = object()


class MarkWriter:
    """Writes marks and counts, and can take back what it has written.

    Args:
        dataset: the dataset
        eval_key: the evaluation
        fields: the fields whose labels are marked
    """

    def __init__(self, dataset: fo.Dataset, eval_key: str, fields: Sequence[str]) -> None:
        self._dataset = dataset
        self._collection = dataset._sample_collection  # noqa: SLF001 - no conditional bulk write
        self._key = eval_key
        self._fields = fields
        self._names = (eval_key, f"{eval_key}_id", f"{eval_key}_iou")
        self._counts = tuple(f"{eval_key}_{kind}" for kind in ("tp", "fp", "fn"))
        self._overwritten: list[bytes] = []

    def write(
        self, sample_ids: Sequence[str], images: Sequence[int], marked: Sequence[Marked]
    ) -> dict[str, tuple[int, int]]:
        """Writes the marks of some images. Other labels of these images lose theirs.

        Args:
            sample_ids: the samples, which number the images
            images: the images to write
            marked: the labels of each field

        Returns:
            sample -> its stamp right before it was written, and since then. It is
            :data:`.reading.UNKNOWN` where others wrote at the same time, and stays where all marks
            were there

        Raises:
            EvaluationError: if labels were added or removed meanwhile
        """
        stamps: dict[str, tuple[int, int]] = {}
        for start in range(0, len(images), _SAMPLES_PER_WRITE):
            chunk = images[start : start + _SAMPLES_PER_WRITE]
            stored = self._stored([sample_ids[image] for image in chunk])
            if len(stored) < len(chunk):
                raise _edited()
            now = datetime.now(UTC)
            updates = []
            for image in chunk:
                raw, document = stored[sample_ids[image]]
                update = self._update(document, image, marked)
                before = after = stamp_of(document.get(STAMP))
                if update:
                    self._overwritten.append(raw)
                    updates.append(update)
                    after = stamp_of(now)
                stamps[sample_ids[image]] = before, after
            late = self._write(updates, now)
            stamps |= {sample_id: (stamps[sample_id][0], UNKNOWN) for sample_id in late}
        self._refresh([sample_ids[image] for image in images])
        return stamps

    def clear(self, sample_ids: Sequence[str]) -> None:
        """Removes all marks from the labels of some samples, and the counts."""
        for start in range(0, len(sample_ids), _SAMPLES_PER_WRITE):
            stored = self._stored(sample_ids[start : start + _SAMPLES_PER_WRITE])
            self._overwritten += [raw for raw, _ in stored.values()]
            updates = [self._update(document, 0, ()) for _, document in stored.values()]
            self._write([update for update in updates if update], datetime.now(UTC))
        self._refresh(sample_ids)

    def marked_samples(self) -> list[str]:
        """The samples that have counts."""
        query = {self._counts[0]: {"$ne": None}}
        return [str(one["_id"]) for one in self._collection.find(query, {"_id": 1})]

    def take_back(self) -> None:
        """Restores what :meth:`write` and :meth:`clear` have overwritten."""
        for raw in reversed(self._overwritten):
            document = decode(raw)
            update = _Update(document, self._fields)
            for name in self._counts:
                update.put(name, document.get(name))
            for field in self._fields:
                for place, label in enumerate(_labels(document, field)):
                    for name in self._names:
                        update.put(f"{field}.detections.{place}.{name}", label.get(name, _UNSET))
            self._collection.update_one(*update.parts(datetime.now(UTC)))
        self._overwritten = []

    def _stored(self, sample_ids: Sequence[str]) -> dict[str, tuple[bytes, dict[str, Any]]]:
        """The labels as they are stored; a view may show fewer."""
        shown = [
            f"{field}.detections.{n}" for field in self._fields for n in ("_id", *self._names)
        ]
        cursor = self._collection.find_raw_batches(
            {"_id": {"$in": [ObjectId(sample_id) for sample_id in sample_ids]}},
            dict.fromkeys((*shown, *self._counts, STAMP), 1),
        )
        found = {}
        for batch in cursor:
            for raw in split(batch):
                document = decode(raw)
                found[str(document["_id"])] = raw, document
        return found

    def _update(
        self, document: Mapping[str, Any], image: int, marked: Sequence[Marked]
    ) -> _Update:
        update = _Update(document, self._fields)
        counts = dict.fromkeys(self._counts, 0)
        fresh: set[tuple[str, int]] = set()
        for side in marked:
            rows = side.of_image(image)
            labels = _labels(document, side.field)
            places: dict[str, list[int]] = {}
            for place, label in enumerate(labels):  # several may have one id
                places.setdefault(str(label["_id"]), []).append(place)
            counted = {kind.text for kind in side.counted}
            for label_id, mark in zip(side.labels.ids[rows], side.marks.of(rows), strict=True):
                if not places.get(label_id):
                    raise _edited()
                place = places[label_id].pop(0)
                fresh.add((side.field, place))
                label = labels[place]
                for name, value in zip(self._names, mark, strict=True):
                    if label.get(name, _UNSET) != value:
                        update.put(f"{side.field}.detections.{place}.{name}", value)
                if mark[0] in counted:
                    counts[f"{self._key}_{mark[0]}"] += 1
        for name, count in counts.items():
            value = count if marked else None
            if document.get(name, _UNSET) != value:
                update.put(name, value)
        self._unset_others(update, document, fresh)
        return update

    def _unset_others(
        self, update: _Update, document: Mapping[str, Any], fresh: set[tuple[str, int]]
    ) -> None:
        for field in self._fields:
            for place, label in enumerate(_labels(document, field)):
                if (field, place) not in fresh:
                    for name in self._names:
                        if name in label:
                            update.put(f"{field}.detections.{place}.{name}", _UNSET)

    def _write(self, updates: Sequence[_Update], now: datetime) -> list[str]:
        """Writes updates.

        Returns:
            the samples that others have written since they were read
        """
        if not updates:
            return []
        writes = [UpdateOne(*update.parts(now, unwritten=True)) for update in updates]
        if self._collection.bulk_write(writes, ordered=False).matched_count == len(writes):
            return []
        query = {"_id": {"$in": [update.sample_id for update in updates]}, STAMP: now}
        written = {document["_id"] for document in self._collection.find(query, {"_id": 1})}
        late = [update for update in updates if update.sample_id not in written]
        writes = [UpdateOne(*update.parts(now)) for update in late]
        if writes and self._collection.bulk_write(writes).matched_count < len(writes):
            raise _edited()
        return [str(update.sample_id) for update in late]

    def _refresh(self, sample_ids: Sequence[str]) -> None:
        fos.Sample._reload_docs(  # noqa: SLF001 - what set_values() itself does after it has written
            self._dataset._sample_collection_name,  # noqa: SLF001
            sample_ids=list(sample_ids),
            hard=True,
        )


class _Update:
    """An update of a sample, if it still has the labels that were read.

    Args:
        document: the sample as it was read
        fields: its fields of labels
    """

    def __init__(self, document: Mapping[str, Any], fields: Sequence[str]) -> None:
        self.sample_id: ObjectId = document["_id"]
        self._document = document
        self._fields = fields
        self._set: dict[str, Any] = {}
        self._unset: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._set or self._unset)

    def put(self, path: str, value: Any) -> None:
        if value is _UNSET:
            self._unset[path] = ""
        else:
            self._set[path] = value

    def parts(
        self, now: datetime, *, unwritten: bool = False
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The filter and the update.

        Args:
            now: when it is written
            unwritten: whether nobody may have written the sample since, not even anything else
        """
        steps: dict[str, dict[str, Any]] = {"$set": {**self._set, STAMP: now}}
        if self._unset:
            steps["$unset"] = self._unset
        return self._query(unwritten=unwritten), steps

    def _query(self, *, unwritten: bool) -> dict[str, Any]:
        """No other labels, and in this order."""
        unchanged: list[Any] = [
            {"$eq": [f"${field}.detections._id", [label["_id"] for label in labels]]}
            for field in self._fields
            if (labels := _labels(self._document, field))
        ]
        if unwritten:
            # Within an expression that no index can answer: the id is what is to find the sample.
            stamp = self._document.get(STAMP)
            unchanged.append({"$eq": [{"$ifNull": [f"${STAMP}", None]}, stamp]})
        query: dict[str, Any] = {"_id": self.sample_id}
        return query | {"$expr": {"$and": unchanged}} if unchanged else query


def stamp_of(time: datetime | None) -> int:
    """When something was written, as MongoDB keeps it: in milliseconds."""
    return UNKNOWN if time is None else int(DatetimeMS(time))


def _labels(document: Mapping[str, Any], field: str) -> Sequence[Mapping[str, Any]]:
    return (document.get(field) or {}).get("detections") or ()


def _edited() -> EvaluationError:
    return EvaluationError(
        "Labels were added or removed while they were evaluated.", "Evaluate again."
    )
