"""Where two models, or a model and annotators, do not say the same of a sample."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import fiftyone as fo
import numpy as np
from scipy.optimize import linear_sum_assignment

from ..errors import PredictionsError
from .uncertainty import Uncertainty, prediction_fields, require_predictions

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEAST_IOU = 0.5


def disagreement(samples: SampleCollection, first: str, second: str) -> Uncertainty:
    """Measures how much two fields of predictions differ on each sample, in [0, 1].

    Of classifications: 1 where the classes differ, else the difference of the confidences. Of
    detections: boxes of both are paired so that they overlap most in all (Kuhn, "The Hungarian
    method for the assignment problem", 1955), from an IoU of .5 on. The IoU of the pairs of one
    class, over the number of pairs and of boxes in none, is how far both agree; that from 1 is
    the score.

    Args:
        samples: the samples
        first: predictions of type ``Classification`` or ``Detections``
        second: others of the same type

    Raises:
        PredictionsError: if the fields are not of one such type, or the same
    """
    kind = require_two(samples, first, second)
    ids = samples.values("id")
    read = _read_boxes if kind is fo.Detections else _read_classes
    compare = _boxes_differ if kind is fo.Detections else _classes_differ
    scores = {
        key: compare(one, other)
        for key, one, other in zip(ids, read(samples, first), read(samples, second), strict=True)
        if one is not None and other is not None
    }
    if not scores:
        raise PredictionsError(
            f"No sample has both '{first}' and '{second}'.", "Apply both models to these samples."
        )
    return Uncertainty(scores, f"{first} and {second}", len(ids) - len(scores))


def require_two(samples: SampleCollection, first: str | None, second: str | None) -> type:
    """Checks that two fields can be compared.

    Returns:
        their type

    Raises:
        PredictionsError: if they cannot
    """
    kind = require_predictions(samples, first)
    if require_predictions(samples, second) is not kind:
        raise PredictionsError(
            f"'{first}' and '{second}' hold labels of different types.", "Choose two of one type."
        )
    if first == second:
        raise PredictionsError(f"'{first}' agrees with itself.", "Choose two different fields.")
    return kind


def comparable_fields(samples: SampleCollection, field: str | None) -> list[str]:
    """The fields of predictions that are of the type of one, without it."""
    known = prediction_fields(samples)
    if field not in known:
        return []
    kind = require_predictions(samples, field)
    return [name for name in known if name != field and require_predictions(samples, name) is kind]


def require_comparable_fields(samples: SampleCollection, field: str | None) -> list[str]:
    """Checks that there is something that predictions can be compared with.

    Returns:
        the fields

    Raises:
        PredictionsError: if there is nothing
    """
    kind = require_predictions(samples, field)
    found = comparable_fields(samples, field)
    if not found:
        raise PredictionsError(
            f"No other field is of the type of '{field}', {kind.__name__}.",
            "Apply another model, or choose another measure.",
        )
    return found


def _read_classes(samples: SampleCollection, field: str) -> list[Any]:
    columns = samples.values([f"{field}.label", f"{field}.confidence"])
    return [
        None if label is None else (label, confidence)
        for label, confidence in zip(*columns, strict=True)
    ]


def _read_boxes(samples: SampleCollection, field: str) -> list[Any]:
    root = f"{field}.detections"
    columns = samples.values([f"{root}.label", f"{root}.bounding_box"])
    return [
        None if labels is None else (np.array(labels, dtype=object), _boxes(boxes))
        for labels, boxes in zip(*columns, strict=True)
    ]


def _boxes(boxes: Any) -> Floats:
    """The boxes, ``[N, 4]``; one that is none, or not of numbers, overlaps with nothing."""
    found = np.zeros((len(boxes), 4))
    for row, box in zip(found, boxes, strict=True):
        if box is not None and len(box) == 4 and np.isfinite(box).all():
            row[:] = box
    return found


def _classes_differ(one: tuple[str, float | None], other: tuple[str, float | None]) -> float:
    if one[0] != other[0]:
        return 1.0
    if one[1] is None or other[1] is None:
        return 0.0
    apart = abs(one[1] - other[1])
    return 0.0 if math.isnan(apart) else min(apart, 1.0)


def _boxes_differ(one: tuple[Any, Floats], other: tuple[Any, Floats]) -> float:
    (labels, boxes), (other_labels, other_boxes) = one, other
    if not len(labels) or not len(other_labels):
        return float(len(labels) != len(other_labels))
    overlap = _overlaps(boxes, other_boxes)
    overlap[overlap < LEAST_IOU] = 0.0
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    paired = overlap[rows, columns] > 0
    same_class = labels[rows] == other_labels[columns]
    agreed = overlap[rows, columns][paired & same_class].sum()
    parts = len(labels) + len(other_labels) - int(paired.sum())
    return float(1.0 - agreed / parts)


def _overlaps(boxes: Floats, others: Floats) -> Floats:
    """The intersection over union of each box with each other, ``[N, M]``."""
    corner, other_corner = boxes[:, None, :2], others[None, :, :2]
    end, other_end = corner + boxes[:, None, 2:], other_corner + others[None, :, 2:]
    sides = np.minimum(end, other_end) - np.maximum(corner, other_corner)
    shared = np.maximum(sides, 0).prod(axis=2)
    areas, other_areas = boxes[:, 2:].prod(axis=1), others[:, 2:].prod(axis=1)
    union = areas[:, None] + other_areas[None] - shared
    ratio: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ratio
