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
from bson import ObjectId
from pymongo import UpdateOne

from .errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import fiftyone as fo
    from numpy.typing import NDArray

    from .tables import Detections

_SAMPLES_PER_WRITE = 1000


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


def write_marks(
    dataset: fo.Dataset,
    eval_key: str,
    sample_ids: Sequence[str],
    marked: Mapping[str, tuple[Detections, Marks]],
    *,
    predictions: str,
) -> None:
    """Writes marks and counts.

    Args:
        dataset: the dataset
        eval_key: the evaluation
        sample_ids: the evaluated samples, which number the images
        marked: field -> its labels and what is written on them
        predictions: the field whose marks are right and wrong predictions

    Raises:
        EvaluationError: if labels were added or removed meanwhile
    """
    updates: list[dict[str, Any]] = [{} for _ in sample_ids]
    counts = {kind: np.zeros(len(sample_ids), dtype=int) for kind in ("tp", "fp", "fn")}
    for field, (labels, marks) in marked.items():
        kinds = ("tp", "fp") if field == predictions else ("fn",)
        for name in kinds:
            rows = np.asarray(marks.kind, dtype=object) == name
            counts[name] += np.bincount(labels.image[rows], minlength=len(sample_ids))
    stored = _stored_ids(dataset, sample_ids, list(marked))
    for field, (labels, marks) in marked.items():
        for row, label_id in enumerate(labels.ids):
            image = int(labels.image[row])
            place = stored[sample_ids[image]][field].get(label_id)
            if place is None:
                raise _edited()
            path = f"{field}.detections.{place}.{eval_key}"
            update = updates[image]
            update[path] = marks.kind[row]
            update[f"{path}_id"] = marks.match[row]
            update[f"{path}_iou"] = marks.iou[row]
    now = datetime.now(UTC)
    writes = []
    for image, sample_id in enumerate(sample_ids):
        total = {f"{eval_key}_{kind}": int(count[image]) for kind, count in counts.items()}
        unchanged = [
            {"$eq": [f"${field}.detections._id", [ObjectId(one) for one in places]]}
            for field, places in stored[sample_id].items()
            if places
        ]
        query: dict[str, Any] = {"_id": ObjectId(sample_id)}
        if unchanged:
            query["$expr"] = {"$and": unchanged}
        writes.append(
            UpdateOne(query, {"$set": {**updates[image], **total, "last_modified_at": now}})
        )
    collection = dataset._sample_collection  # noqa: SLF001 - FiftyOne has no conditional bulk write
    for start in range(0, len(writes), _SAMPLES_PER_WRITE):
        batch = writes[start : start + _SAMPLES_PER_WRITE]
        if collection.bulk_write(batch, ordered=False).matched_count < len(batch):
            raise _edited()
    fos.Sample._reload_docs(  # noqa: SLF001 - what set_values() itself does after it has written
        dataset._sample_collection_name,  # noqa: SLF001
        sample_ids=list(sample_ids),
        hard=True,
    )


def _stored_ids(
    dataset: fo.Dataset, sample_ids: Sequence[str], fields: Sequence[str]
) -> dict[str, dict[str, dict[str, int]]]:
    """Sample -> field -> label -> its place there; a view may show fewer than are stored."""
    found = dataset._sample_collection.find(  # noqa: SLF001 - FiftyOne would load the samples
        {"_id": {"$in": [ObjectId(sample_id) for sample_id in sample_ids]}},
        {f"{field}.detections._id": 1 for field in fields},
    )
    stored: dict[str, dict[str, dict[str, int]]] = {}
    for document in found:
        of_sample = stored[str(document["_id"])] = {}
        for field in fields:
            labels = (document.get(field) or {}).get("detections") or ()
            of_sample[field] = {str(label["_id"]): place for place, label in enumerate(labels)}
    if len(stored) < len(set(sample_ids)):
        raise _edited()
    return stored


def _edited() -> EvaluationError:
    return EvaluationError(
        "Labels were added or removed while they were evaluated.", "Evaluate again."
    )
