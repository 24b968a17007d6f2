"""Which prediction is which ground truth, as COCO's evaluation decides it.

Within a group, a class of an image, predictions choose in the order of their confidence: each
takes the free ground truth that it overlaps most, from a threshold on; of equal overlaps the last
in stored order. Only where none is left it may lie on a crowd, as any number of them can.
This is ``COCOeval.evaluateImg`` of pycocotools
(https://github.com/cocodataset/cocoapi/blob/master/PythonAPI/pycocotools/cocoeval.py), for all
images and thresholds at once: the first predictions of all groups choose together, then the
second, and so on.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from .tables import Detections

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Overlap = Callable[[Integers, Integers], Floats]

_NEARLY_ONE = 1 - 1e-10  # from pycocotools: a threshold of one would let nothing match
_PAIRS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Matches:
    """Who was matched to whom, for each threshold.

    Args:
        truth_of: of shape ``(thresholds, predictions)``, the row of the ground truth, or -1
        iou_of: of the same shape, how far both overlap; 0 where nothing was matched
        rank: the place of each prediction in its group by confidence, from 0
    """

    truth_of: NDArray[np.integer[Any]]
    iou_of: Floats
    rank: NDArray[np.integer[Any]]

    def levels(self, count: int) -> Matches:
        """Those of the first thresholds."""
        return Matches(self.truth_of[:count], self.iou_of[:count], self.rank)


def match(
    predictions: Detections,
    truth: Detections,
    thresholds: Sequence[float],
    *,
    classwise: bool,
    overlap: Overlap | None = None,
) -> Matches:
    """Matches predictions to ground truth.

    Args:
        predictions: each with a confidence
        truth: the ground truth
        thresholds: from which IoU on a match counts, one or more
        classwise: whether only labels of one class match. Without it, any do; on a crowd, only
            predictions of its class
        overlap: tells how far rows of predictions and rows of the ground truth overlap, pair by
            pair; that of their boxes if None
    """
    overlap = overlap or _of_boxes(predictions, truth)
    group_of_prediction, group_of_truth = _groups(predictions, truth, classwise=classwise)
    rank = _ranks(group_of_prediction, -predictions.confidence)
    limits = np.minimum(np.asarray(thresholds, dtype=float), _NEARLY_ONE)
    pairs = _overlapping(
        truth.crowd, group_of_prediction, group_of_truth, overlap, least=limits.min(initial=1.0)
    )
    if not classwise:
        row, column, iou = pairs
        allowed = ~truth.crowd[column] | (predictions.label[row] == truth.label[column])
        pairs = (row[allowed], column[allowed], iou[allowed])
    return _choose(pairs, rank, truth.crowd, limits)


def _groups(
    predictions: Detections, truth: Detections, *, classwise: bool
) -> tuple[Integers, Integers]:
    if not classwise:
        return predictions.image, truth.image
    labels = np.concatenate((predictions.label, truth.label)).astype(str)
    names, number = np.unique(labels, return_inverse=True)
    image = np.concatenate((predictions.image, truth.image))
    group = image * max(len(names), 1) + number
    return group[: len(predictions)], group[len(predictions) :]


def _ranks(group: Integers, key: Floats) -> Integers:
    """The place of each row in its group, in ascending order of a key, ties in stored order."""
    order = np.lexsort((np.arange(group.size), key, group))
    ordered = group[order]
    first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    start = np.repeat(first, np.diff(np.append(first, ordered.size)))
    rank = np.empty(group.size, dtype=np.int64)
    rank[order] = np.arange(group.size) - start
    return rank


def _of_boxes(predictions: Detections, truth: Detections) -> Overlap:
    return lambda rows, columns: box_iou(
        predictions.box[rows], truth.box[columns], truth.crowd[columns]
    )


def _overlapping(
    crowd: NDArray[np.bool_],
    group_of_prediction: Integers,
    group_of_truth: Integers,
    overlap: Overlap,
    *,
    least: float,
) -> tuple[Integers, Integers, Floats]:
    """The pairs of one group that overlap enough, crowds last: rows, and IoU."""
    order = np.lexsort((np.arange(crowd.size), crowd, group_of_truth))
    ordered = group_of_truth[order]
    begin = np.searchsorted(ordered, group_of_prediction, side="left")
    count = np.searchsorted(ordered, group_of_prediction, side="right") - begin
    parts = []
    ends = np.cumsum(count)
    for rows in _bounded(ends):
        row = np.repeat(np.arange(rows.start, rows.stop), count[rows])
        offset = np.arange(row.size) - np.repeat(ends[rows] - count[rows], count[rows])
        offset += ends[rows.start] - count[rows.start] if row.size else 0
        column = order[begin[row] + offset]
        iou = overlap(row, column)
        kept = iou >= least
        parts.append((row[kept], column[kept], iou[kept]))
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    rows_, columns, ious = (np.concatenate(items) for items in zip(*parts, strict=True))
    return rows_, columns, ious


def _bounded(ends: Integers) -> list[slice]:
    """Cuts predictions into stretches of not too many pairs."""
    if not ends.size:
        return []
    borders = np.arange(_PAIRS_AT_ONCE, ends[-1], _PAIRS_AT_ONCE)
    cuts = [0, *np.unique(np.searchsorted(ends, borders)).tolist(), ends.size]
    return [slice(start, stop) for start, stop in pairwise(cuts) if start < stop]


def box_iou(one: Floats, other: Floats, crowd: NDArray[np.bool_]) -> Floats:
    """Intersection over union of boxes, row by row; on a crowd, over the first box alone.

    Args:
        one: left, top, width, height, of shape ``(n, 4)``
        other: of the same shape
        crowd: whether the other stands for a crowd, of shape ``(n,)``
    """
    width = np.minimum(one[:, 0] + one[:, 2], other[:, 0] + other[:, 2])
    width -= np.maximum(one[:, 0], other[:, 0])
    height = np.minimum(one[:, 1] + one[:, 3], other[:, 1] + other[:, 3])
    height -= np.maximum(one[:, 1], other[:, 1])
    shared = np.maximum(height, 0) * np.maximum(width, 0)
    area = one[:, 3] * one[:, 2]
    union = np.where(crowd, area, area + other[:, 3] * other[:, 2] - shared)
    ratio = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    capped: Floats = np.minimum(ratio, 1.0)
    return capped


def _choose(
    pairs: tuple[Integers, Integers, Floats],
    rank: Integers,
    crowd: NDArray[np.bool_],
    limits: Floats,
) -> Matches:
    row, column, iou = pairs
    truth_of = np.full((limits.size, rank.size), -1, dtype=np.int64)
    iou_of = np.zeros((limits.size, rank.size))
    free = np.ones((limits.size, crowd.size), dtype=bool)
    by_rank = np.lexsort((np.arange(row.size), row, rank[row]))
    row, column, iou = row[by_rank], column[by_rank], iou[by_rank]
    turns = np.flatnonzero(np.concatenate(([True], np.diff(rank[row]) != 0)))
    for start, stop in zip(turns, [*turns[1:], row.size], strict=True):
        if start == stop:
            continue
        here = slice(start, stop)
        first = np.flatnonzero(np.concatenate(([True], np.diff(row[here]) != 0)))
        chooser = np.repeat(np.arange(first.size), np.diff([*first, stop - start]))
        on_crowd = crowd[column[here]]
        allowed = (free[:, column[here]] | on_crowd) & (iou[here] >= limits[:, None])
        taken = _last_largest(iou[here], allowed & ~on_crowd, chooser, first)
        if on_crowd.any():
            alone = taken[:, chooser] < 0
            crowded = _last_largest(iou[here], allowed & on_crowd & alone, chooser, first)
            taken = np.maximum(taken, crowded)
        level, who = np.nonzero(taken >= 0)
        pair = start + taken[level, who]
        truth_of[level, row[pair]] = column[pair]
        iou_of[level, row[pair]] = iou[pair]
        free[level, column[pair]] = False
    return Matches(truth_of, iou_of, rank)


def _last_largest(
    iou: Floats, allowed: NDArray[np.bool_], chooser: Integers, first: Integers
) -> Integers:
    """Of each chooser's pairs, the last of those that overlap most; -1 where none is allowed."""
    worth = np.where(allowed, iou, -1.0)
    best = np.maximum.reduceat(worth, first, axis=1)
    place = np.where(allowed & (worth == best[:, chooser]), np.arange(iou.size), -1)
    taken: Integers = np.maximum.reduceat(place, first, axis=1)
    return taken
