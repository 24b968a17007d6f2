"""What an evaluation writes on labels and samples, as FiftyOne's own evaluation does.

Each label gets ``KEY`` (``tp``, ``fp`` or ``fn``), ``KEY_id`` (its match) and ``KEY_iou``; each
sample ``KEY_tp``, ``KEY_fp`` and ``KEY_fn``. As in COCO's evaluation, a crowd is neither found nor
missed, and a prediction on one is neither right nor wrong: such labels have no ``KEY``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fiftyone.core.sample as fos
import numpy as np
from bson import ObjectId, decode
from pymongo import UpdateOne

from .errors import EvaluationError
from .reading import split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import fiftyone as fo
    from numpy.typing import NDArray

    from .tables import Detections

_SAMPLES_PER_WRITE = 250
_UNSET = object()


@dataclass(frozen=True)
class Marks:
    """What is written on the labels of a field, row by row.

    Args:
        kind: ``tp``, ``fp``, ``fn`` or None
        match: the id of the label that it was matched to, or an empty text
        iou: how far both overlap, or None
    """

    kind: Sequence[str | None]
    match: Sequence[str]
    iou: Sequence[float | None]


def marks_of(
    predictions: Detections,
    truth: Detections,
    truth_of: NDArray[np.int64],
    iou_of: NDArray[np.float64],
) -> tuple[Marks, Marks]:
    """What is written on predictions and on ground truth.

    Args:
        predictions: the predictions
        truth: the ground truth
        truth_of: for each prediction the row of the ground truth, or -1
        iou_of: for each prediction how far both overlap
    """
    matched = np.flatnonzero(truth_of >= 0)
    on_crowd = truth.crowd[truth_of[matched]]
    right = predictions.label[matched] == truth.label[truth_of[matched]]
    kind = np.full(len(predictions), "fp", dtype=object)
    kind[matched[right]] = "tp"
    kind[matched[on_crowd]] = None
    match = np.full(len(predictions), "", dtype=object)
    match[matched] = np.asarray(truth.ids, dtype=object)[truth_of[matched]]
    iou = np.full(len(predictions), None, dtype=object)
    iou[matched] = iou_of[matched]

    truth_kind = np.full(len(truth), "fn", dtype=object)
    truth_kind[truth.crowd] = None
    truth_kind[truth_of[matched[right & ~on_crowd]]] = "tp"
    truth_match = np.full(len(truth), "", dtype=object)
    truth_iou = np.full(len(truth), None, dtype=object)
    by_confidence = matched[np.argsort(predictions.confidence[matched], kind="stable")]
    # On a crowd the most confident of several predictions is named: it is written last.
    truth_match[truth_of[by_confidence]] = np.asarray(predictions.ids, dtype=object)[by_confidence]
    truth_iou[truth_of[by_confidence]] = iou_of[by_confidence]
    return (
        Marks(kind.tolist(), match.tolist(), iou.tolist()),
        Marks(truth_kind.tolist(), truth_match.tolist(), truth_iou.tolist()),
    )


@dataclass(frozen=True)
class Marked:
    """The labels of a field and what is written on them.

    Args:
        field: the field
        labels: its labels, image after image
        marks: of each label
        counted: the kinds of marks that a sample counts
    """

    field: str
    labels: Detections
    marks: Marks
    counted: tuple[str, ...]

    def of_image(self, image: int) -> slice:
        """The rows of an image."""
        start, stop = np.searchsorted(self.labels.image, (image, image + 1)).tolist()
        return slice(start, stop)


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
    ) -> None:
        """Writes the marks of some images. Other labels of these images lose theirs.

        Args:
            sample_ids: the samples, which number the images
            images: the images to write
            marked: the labels of each field

        Raises:
            EvaluationError: if labels were added or removed meanwhile
        """
        for start in range(0, len(images), _SAMPLES_PER_WRITE):
            chunk = images[start : start + _SAMPLES_PER_WRITE]
            stored = self._stored([sample_ids[image] for image in chunk])
            if len(stored) < len(chunk):
                raise _edited()
            updates = [
                self._update(stored[sample_ids[image]], image, marked, datetime.now(UTC))
                for image in chunk
            ]
            self._write(updates)
        self._refresh([sample_ids[image] for image in images])

    def clear(self, sample_ids: Sequence[str]) -> None:
        """Removes all marks from the labels of some samples, and the counts."""
        for start in range(0, len(sample_ids), _SAMPLES_PER_WRITE):
            stored = self._stored(sample_ids[start : start + _SAMPLES_PER_WRITE])
            now = datetime.now(UTC)
            self._write([self._update(document, 0, (), now) for document in stored.values()])
        self._refresh(sample_ids)

    def marked_samples(self) -> list[str]:
        """The samples that have counts."""
        query = {self._counts[0]: {"$ne": None}}
        return [str(one["_id"]) for one in self._collection.find(query, {"_id": 1})]

    def take_back(self) -> None:
        """Restores what :meth:`write` and :meth:`clear` have overwritten."""
        for raw in reversed(self._overwritten):
            document = decode(raw)
            update = _Update(self._query(document))
            for name in self._counts:
                update.put(name, document.get(name))
            for field in self._fields:
                for place, label in enumerate(_labels(document, field)):
                    for name in self._names:
                        update.put(f"{field}.detections.{place}.{name}", label.get(name, _UNSET))
            self._collection.update_one(*update.parts())
        self._overwritten = []

    def _stored(self, sample_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The labels as they are stored; a view may show fewer. They are kept."""
        shown = [
            f"{field}.detections.{n}" for field in self._fields for n in ("_id", *self._names)
        ]
        cursor = self._collection.find_raw_batches(
            {"_id": {"$in": [ObjectId(sample_id) for sample_id in sample_ids]}},
            dict.fromkeys((*shown, *self._counts), 1),
        )
        raw = [document for batch in cursor for document in split(batch)]
        self._overwritten += raw
        return {str(document["_id"]): document for document in map(decode, raw)}

    def _query(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Finds the sample if it has the labels that were read, no other and in this order."""
        query: dict[str, Any] = {"_id": document["_id"]}
        unchanged = [
            {"$eq": [f"${field}.detections._id", [label["_id"] for label in labels]]}
            for field in self._fields
            if (labels := _labels(document, field))
        ]
        if unchanged:
            query["$expr"] = {"$and": unchanged}
        return query

    def _update(
        self, document: Mapping[str, Any], image: int, marked: Sequence[Marked], now: datetime
    ) -> _Update:
        update = _Update(self._query(document), {"last_modified_at": now})
        counts = dict.fromkeys(self._counts, 0)
        fresh: set[str] = set()
        for side in marked:
            rows = side.of_image(image)
            places = {
                str(label["_id"]): place
                for place, label in enumerate(_labels(document, side.field))
            }
            for row in range(rows.start, rows.stop):
                place = places.get(side.labels.ids[row])
                if place is None:
                    raise _edited()
                path = f"{side.field}.detections.{place}."
                fresh.add(path)
                marks = side.marks
                values = (marks.kind[row], marks.match[row], marks.iou[row])
                for name, value in zip(self._names, values, strict=True):
                    update.put(path + name, value)
                if marks.kind[row] in side.counted:
                    counts[f"{self._key}_{marks.kind[row]}"] += 1
        for name, count in counts.items():
            update.put(name, count if marked else None)
        self._unset_others(update, document, fresh)
        return update

    def _unset_others(self, update: _Update, document: Mapping[str, Any], fresh: set[str]) -> None:
        for field in self._fields:
            for place, label in enumerate(_labels(document, field)):
                path = f"{field}.detections.{place}."
                if path not in fresh:
                    for name in self._names:
                        if name in label:
                            update.put(path + name, _UNSET)

    def _write(self, updates: Sequence[_Update]) -> None:
        writes = [UpdateOne(*update.parts()) for update in updates]
        if not writes:
            return
        if self._collection.bulk_write(writes, ordered=False).matched_count < len(writes):
            raise _edited()

    def _refresh(self, sample_ids: Sequence[str]) -> None:
        fos.Sample._reload_docs(  # noqa: SLF001 - what set_values() itself does after it has written
            self._dataset._sample_collection_name,  # noqa: SLF001
            sample_ids=list(sample_ids),
            hard=True,
        )


class _Update:
    """An update of one document of MongoDB."""

    def __init__(self, query: dict[str, Any], values: dict[str, Any] | None = None) -> None:
        self._query = query
        self._set = dict(values or {})
        self._unset: dict[str, str] = {}

    def put(self, path: str, value: Any) -> None:
        if value is _UNSET:
            self._unset[path] = ""
        else:
            self._set[path] = value

    def parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The filter and the update."""
        steps = {"$set": self._set, "$unset": self._unset}
        return self._query, {name: values for name, values in steps.items() if values}


def _labels(document: Mapping[str, Any], field: str) -> Sequence[Mapping[str, Any]]:
    return (document.get(field) or {}).get("detections") or ()


def _edited() -> EvaluationError:
    return EvaluationError(
        "Labels were added or removed while they were evaluated.", "Evaluate again."
    )
