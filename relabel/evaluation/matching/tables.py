"""Detections of many images as arrays, read in one go."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from sys import intern
from typing import TYPE_CHECKING, Any

import numpy as np
from bson import decode_all

from .options import CROWD
from .reading import LEAVES, read_raw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

NO_CONFIDENCE = np.nan


@dataclass(frozen=True)
class Detections:
    """The detections of a field, one row each, image after image and in stored order.

    Args:
        ids: their ids, of shape ``(n,)``
        image: the row of the image of each, in ascending order
        label: the class of each
        box: left, top, width, height relative to the image, of shape ``(n, 4)``; NaN where a box
            is no four numbers
        confidence: NaN where there is none
        crowd: whether each stands for a crowd
    """

    ids: NDArray[np.object_]
    image: NDArray[np.int64]
    label: NDArray[np.object_]
    box: NDArray[np.float64]
    confidence: NDArray[np.float64]
    crowd: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)

    def only(self, rows: NDArray[np.bool_]) -> Detections:
        """Some of the rows."""
        return self.take(np.flatnonzero(rows))

    def part(self, rows: slice, first: int) -> Detections:
        """Rows that follow each other, with the images numbered from another one on."""
        return Detections(
            ids=self.ids[rows],
            image=self.image[rows] - first,
            label=self.label[rows],
            box=self.box[rows],
            confidence=self.confidence[rows],
            crowd=self.crowd[rows],
        )

    def take(self, rows: NDArray[np.int64]) -> Detections:
        """Some of the rows, in the order in which they are named."""
        return Detections(
            ids=self.ids[rows],
            image=self.image[rows],
            label=self.label[rows],
            box=self.box[rows],
            confidence=self.confidence[rows],
            crowd=self.crowd[rows],
        )


def read_detections(
    view: SampleCollection, fields: Sequence[str], *, crowd: str = CROWD
) -> tuple[list[str], list[Detections]]:
    """Reads the detections of some fields.

    Args:
        view: the samples
        fields: fields of type ``Detections``
        crowd: the attribute that says whether a label stands for a crowd

    Returns:
        the ids of the samples, which number the images; and the detections of each field
    """
    documents = [
        document
        for raw in read_raw(view, fields, (*LEAVES, crowd))
        for document in decode_all(b"".join(raw.documents))
    ]
    sample_ids = [str(document["_id"]) for document in documents]
    return sample_ids, [table_of(documents, field, crowd=crowd) for field in fields]


def table_of(
    documents: Sequence[Mapping[str, Any]], field: str, *, crowd: str = CROWD
) -> Detections:
    """The detections of a field in documents of samples as MongoDB holds them."""
    lists = [(document.get(field) or {}).get("detections") or () for document in documents]
    counts = [len(labels) for labels in lists]
    flat = list(chain.from_iterable(lists))
    return Detections(
        ids=as_objects([str(one["_id"]) for one in flat]),
        image=np.repeat(np.arange(len(counts)), counts),
        label=as_objects([_shared(one.get("label")) for one in flat]),
        box=_boxes([one.get("bounding_box") for one in flat]),
        confidence=_confidences([one.get("confidence") for one in flat]),
        crowd=np.fromiter((bool(one.get(crowd)) for one in flat), dtype=bool, count=len(flat)),
    )


def concatenate(tables: Sequence[Detections], images: Sequence[int]) -> Detections:
    """Puts tables behind each other.

    Args:
        tables: one or more tables
        images: how many images each is of
    """
    first = np.cumsum([0, *images[:-1]])
    return Detections(
        ids=np.concatenate([table.ids for table in tables]),
        image=np.concatenate([t.image + start for t, start in zip(tables, first, strict=True)]),
        label=np.concatenate([table.label for table in tables]),
        box=np.concatenate([table.box for table in tables]),
        confidence=np.concatenate([table.confidence for table in tables]),
        crowd=np.concatenate([table.crowd for table in tables]),
    )


def as_objects(values: Sequence[Any]) -> NDArray[np.object_]:
    """Values as they are, of shape ``(n,)``."""
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _shared(label: Any) -> Any:
    """The same object for the same class: what goes over all labels does so much faster then."""
    return intern(label) if isinstance(label, str) else label


def _boxes(boxes: list[Any]) -> NDArray[np.float64]:
    try:
        return np.asarray(boxes, dtype=float).reshape(len(boxes), 4)
    except (TypeError, ValueError):
        return np.array([box_of(item) for item in boxes], dtype=float).reshape(-1, 4)


def box_of(box: Any) -> list[float]:
    """The four numbers of a box as MongoDB holds it; NaN where it is none."""
    if isinstance(box, list) and len(box) == 4 and all(isinstance(n, int | float) for n in box):
        return [float(number) for number in box]
    return [np.nan] * 4


def _confidences(values: list[Any]) -> NDArray[np.float64]:
    numbers = (value if isinstance(value, int | float) else NO_CONFIDENCE for value in values)
    return np.fromiter(numbers, dtype=float, count=len(values))
