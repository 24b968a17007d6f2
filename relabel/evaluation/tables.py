"""Detections of many images as arrays, read in one go."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

NO_CONFIDENCE = np.nan


@dataclass(frozen=True)
class Detections:
    """The detections of a field, one row each, image after image and in stored order.

    Args:
        ids: their ids
        image: the row of the image of each, in ascending order
        label: the class of each
        box: left, top, width, height relative to the image, of shape ``(n, 4)``; NaN where a box
            is no four numbers
        confidence: NaN where there is none
        crowd: whether each stands for a crowd
    """

    ids: Sequence[str]
    image: NDArray[np.int64]
    label: NDArray[np.object_]
    box: NDArray[np.float64]
    confidence: NDArray[np.float64]
    crowd: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)

    def only(self, rows: NDArray[np.bool_]) -> Detections:
        """Some of the rows."""
        return Detections(
            ids=[label_id for label_id, kept in zip(self.ids, rows, strict=True) if kept],
            image=self.image[rows],
            label=self.label[rows],
            box=self.box[rows],
            confidence=self.confidence[rows],
            crowd=self.crowd[rows],
        )


def read_detections(
    view: SampleCollection, fields: Sequence[str], *, crowd: str = "iscrowd"
) -> tuple[list[str], list[Detections]]:
    """Reads the detections of some fields.

    Args:
        view: the samples
        fields: fields of type ``Detections``
        crowd: the attribute that says whether a label stands for a crowd

    Returns:
        the ids of the samples, which number the images; and the detections of each field
    """
    names = ("_id", "label", "bounding_box", "confidence", crowd)
    paths = [f"{field}.detections.{name}" for field in fields for name in names]
    sample_ids, *columns = view.values(["id", *paths], _raw=True)
    width = len(names)
    tables = [_table(*columns[start : start + width]) for start in range(0, len(columns), width)]
    return [str(sample_id) for sample_id in sample_ids], tables


def _table(ids: Any, labels: Any, boxes: Any, confidences: Any, crowds: Any) -> Detections:
    counts = [len(of_image or ()) for of_image in ids]
    flat_boxes = _flat(boxes, counts)
    try:
        box = np.asarray(flat_boxes, dtype=float).reshape(-1, 4)
    except (TypeError, ValueError):
        box = np.array([_numbers(item) for item in flat_boxes], dtype=float).reshape(-1, 4)
    label = np.empty(sum(counts), dtype=object)
    label[:] = _flat(labels, counts)
    confidence = [NO_CONFIDENCE if item is None else item for item in _flat(confidences, counts)]
    return Detections(
        ids=list(map(str, _flat(ids, counts))),
        image=np.repeat(np.arange(len(counts)), counts),
        label=label,
        box=box,
        confidence=np.asarray(confidence, dtype=float),
        crowd=np.fromiter(map(bool, _flat(crowds, counts)), dtype=bool, count=sum(counts)),
    )


def _flat(column: Any, counts: Sequence[int]) -> list[Any]:
    """The values of all labels; MongoDB leaves the column empty where no label has one."""
    return list(
        chain.from_iterable(
            of_image if of_image else [None] * count
            for of_image, count in zip(column, counts, strict=True)
        )
    )


def _numbers(box: Any) -> list[float]:
    if isinstance(box, list) and len(box) == 4 and all(isinstance(n, int | float) for n in box):
        return [float(number) for number in box]
    return [np.nan] * 4
