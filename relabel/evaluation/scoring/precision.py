"""Precision over recall, and average precision, as COCO's evaluation computes them.

``COCOeval.accumulate`` of pycocotools
(https://github.com/cocodataset/cocoapi/blob/master/PythonAPI/pycocotools/cocoeval.py), for objects
of every size and as many predictions of a class in an image as are wished.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from ..matching.options import MOST_PREDICTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..matching.matching import Matches
    from ..matching.tables import Detections

    Floats = NDArray[np.float64]
    Integers = NDArray[np.integer[Any]]

RECALLS = np.linspace(0, 1, 101)
NO_TRUTH = -1.0


@dataclass(frozen=True)
class Curves:
    """Precision over recall.

    Args:
        precision: of shape ``(thresholds, classes, 101)``, at each of :data:`RECALLS`; -1 for a
            class without ground truth
        confidence: of the same shape, from which confidence on that recall is reached
        recall: of shape ``(thresholds, classes)``, the largest that is reached
    """

    precision: Floats
    confidence: Floats
    recall: Floats

    def average(self, level: int | None = None) -> float | None:
        """The mean average precision at one threshold or over all; None without ground truth."""
        per_class = self.precision.mean(axis=2)
        chosen = per_class if level is None else per_class[level : level + 1]
        present = chosen[chosen > NO_TRUTH]
        return float(present.mean()) if present.size else None

    def average_recall(self) -> float | None:
        """The mean average recall over all thresholds; None without ground truth."""
        per_class = self.recall.mean(axis=0)
        present = per_class[per_class > NO_TRUTH]
        return float(present.mean()) if present.size else None

    def of_classes(self) -> list[float | None]:
        """The average precision of each class over all thresholds; None without ground truth."""
        return [float(one) if one > NO_TRUTH else None for one in self.precision.mean(axis=(0, 2))]


def precision_recall(
    predictions: Detections,
    truth: Detections,
    matches: Matches,
    classes: Sequence[str],
    *,
    most: int = MOST_PREDICTIONS,
) -> Curves:
    """Computes the curves of each class.

    Args:
        predictions: each with a confidence
        truth: the ground truth; crowds do not count, nor do predictions on them
        matches: who was matched to whom, class by class
        classes: the classes
        most: how many predictions of a class count in an image, the most confident first
    """
    levels = matches.truth_of.shape[0]
    precision = np.full((levels, len(classes), RECALLS.size), NO_TRUTH)
    confidence = precision.copy()
    recall = np.full((levels, len(classes)), NO_TRUTH)
    totals = np.bincount(_numbers(truth.label[~truth.crowd], classes), minlength=len(classes))
    for number, rows in enumerate(_ranked(predictions, matches.rank < most, classes)):
        total = totals[number]
        if not total:
            continue
        right, counted = _counted(matches.truth_of[:, rows], truth.crowd)
        reached = right / total
        exact = right / np.maximum(counted, 1)
        exact = np.maximum.accumulate(exact[:, ::-1], axis=1)[:, ::-1]
        recall[:, number] = reached[:, -1] if rows.size else 0.0
        precision[:, number] = confidence[:, number] = 0.0
        for level in range(levels):
            at = np.searchsorted(reached[level], RECALLS, side="left")
            inside = at < rows.size
            precision[level, number, inside] = exact[level, at[inside]]
            confidence[level, number, inside] = predictions.confidence[rows[at[inside]]]
    return Curves(precision, confidence, recall)


def _counted(truth_of: Integers, crowd: NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """How many of the first predictions are right, and how many count, at each threshold."""
    hit = truth_of >= 0
    if not crowd.any():
        return hit.cumsum(axis=1, dtype=np.int64), np.arange(1, hit.shape[1] + 1)
    right = (hit & ~crowd[truth_of]).cumsum(axis=1, dtype=np.int64)
    return right, right + (~hit).cumsum(axis=1, dtype=np.int64)


def _ranked(
    predictions: Detections, counted: NDArray[np.bool_], classes: Sequence[str]
) -> list[NDArray[np.int64]]:
    """The rows of each class that count, the most confident first, ties in stored order."""
    order = np.flatnonzero(counted)
    order = order[np.argsort(-predictions.confidence[order], kind="stable")]
    number = _numbers(predictions.label[order], classes)
    order = order[np.argsort(number, kind="stable")]
    ends = np.cumsum(np.bincount(number, minlength=len(classes)))
    return np.split(order, ends[: len(classes)])[: len(classes)]


def _numbers(
    labels: NDArray[np.object_], classes: Sequence[str]
) -> NDArray[np.unsignedinteger[Any]]:
    """The number of the class of each label; that of none behind all others."""
    number = {name: place for place, name in enumerate(classes)}
    values = map(number.get, labels.tolist(), repeat(len(classes)))
    return np.fromiter(values, np.min_scalar_type(len(classes)), len(labels))
