"""What an evaluation says of each label, as FiftyOne's own evaluation says it.

Each label gets ``KEY`` (``tp``, ``fp`` or ``fn``), ``KEY_id`` (its match) and ``KEY_iou``; each
sample ``KEY_tp``, ``KEY_fp`` and ``KEY_fn``. As in COCO's evaluation, a crowd is neither found nor
missed, and a prediction on one is neither right nor wrong: such labels have no ``KEY``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..matching.tables import Detections

    Mark = tuple[str | None, str, float | None]


class Kind(IntEnum):
    """What a label turned out to be."""

    NEITHER = 0
    TP = 1
    FP = 2
    FN = 3

    @property
    def text(self) -> str | None:
        """As FiftyOne writes it."""
        return self.name.lower() if self else None


_TEXTS = [kind.text for kind in Kind]


@dataclass(frozen=True)
class Marks:
    """What is said of the labels of a field, row by row.

    Args:
        kind: a :class:`Kind`, of shape ``(n,)``
        partner: the row of the label that it was matched to, in the other field, or -1
        iou: how far both overlap; 0 where there is no partner
        ids: the ids of the labels of the other field
    """

    kind: NDArray[np.int8]
    partner: NDArray[np.int64]
    iou: NDArray[np.float64]
    ids: NDArray[np.object_]

    def of(self, rows: slice) -> list[Mark]:
        """What is written on some labels: the kind, the id of the match, how far both overlap."""
        kinds, partners = self.kind[rows].tolist(), self.partner[rows].tolist()
        ious = self.iou[rows].tolist()
        return [
            (_TEXTS[kind], self.ids[partner], iou) if partner >= 0 else (_TEXTS[kind], "", None)
            for kind, partner, iou in zip(kinds, partners, ious, strict=True)
        ]

    def count(self, kind: Kind) -> int:
        """How many labels are of a kind."""
        return int(np.count_nonzero(self.kind == kind))


def marks_of(
    predictions: Detections,
    truth: Detections,
    truth_of: NDArray[np.int64],
    iou_of: NDArray[np.float64],
) -> tuple[Marks, Marks]:
    """What is said of predictions and of ground truth.

    Args:
        predictions: the predictions
        truth: the ground truth
        truth_of: for each prediction the row of the ground truth, or -1
        iou_of: for each prediction how far both overlap
    """
    matched = np.flatnonzero(truth_of >= 0)
    partner = truth_of[matched]
    on_crowd = truth.crowd[partner]
    right = predictions.label[matched] == truth.label[partner]
    kind = np.full(len(predictions), Kind.FP, dtype=np.int8)
    kind[matched[right]] = Kind.TP
    kind[matched[on_crowd]] = Kind.NEITHER
    iou = np.zeros(len(predictions))
    iou[matched] = iou_of[matched]

    truth_kind = np.full(len(truth), Kind.FN, dtype=np.int8)
    truth_kind[truth.crowd] = Kind.NEITHER
    truth_kind[partner[right & ~on_crowd]] = Kind.TP
    found_of = np.full(len(truth), -1, dtype=np.int64)
    # On a crowd the most confident of several predictions is named: it is written last.
    by_confidence = matched[np.argsort(predictions.confidence[matched], kind="stable")]
    found_of[truth_of[by_confidence]] = by_confidence
    truth_iou = np.zeros(len(truth))
    truth_iou[truth_of[by_confidence]] = iou_of[by_confidence]
    return (
        Marks(kind, truth_of, iou, truth.ids),
        Marks(truth_kind, found_of, truth_iou, predictions.ids),
    )


@dataclass(frozen=True)
class Marked:
    """The labels of a field and what is said of them.

    Args:
        field: the field
        labels: its labels, image after image
        marks: of each label
        counted: the kinds of marks that a sample counts
    """

    field: str
    labels: Detections
    marks: Marks
    counted: Sequence[Kind]

    def of_image(self, image: int) -> slice:
        """The rows of an image."""
        borders = self._borders
        if image + 1 >= len(borders):  # neither it nor a later one has labels
            return slice(0, 0)
        return slice(int(borders[image]), int(borders[image + 1]))

    @cached_property
    def _borders(self) -> NDArray[np.int64]:
        images = int(self.labels.image[-1]) + 1 if len(self.labels) else 0
        return np.searchsorted(self.labels.image, np.arange(images + 1))
