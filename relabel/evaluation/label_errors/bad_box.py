"""Boxes that are further from the model's than the model's are from boxes usually.

How well a model places boxes depends on the model, on how sure it is, and on the size of the
object. The evidence is how unusual the overlap of a label with the prediction of its class is, as
a robust z-score (Iglewicz and Hoaglin 1993) among the labels of about its size and sureness:

    r = log(1 - IoU),    x = (r - median(r)) / MAD(r).

ObjectLab's badloc score is the overlap alone. Planted errors: every box has its edges moved until
it overlaps its former place by an IoU of .3 to .8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..matching.matching import box_iou
from .planting import moved_boxes
from .posterior import posterior
from .scene import thirds
from .suspicion import ErrorType, Suspects

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .scene import Scene

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

_PLANTED_IOU = (0.3, 0.8)
_CLOSE = 1e-3  # of 1 - IoU: no annotator is more exact, and no logarithm is infinite


def find_bad_box(scene: Scene, generator: np.random.Generator) -> list[Suspects]:
    """Finds labels whose box may be badly placed.

    Args:
        scene: labels and predictions
        generator: decides which errors are planted
    """
    prediction = scene.couple
    rows = np.flatnonzero(prediction >= 0)
    same = scene.class_of_label[rows] == scene.class_of_prediction[prediction[rows]]
    rows = rows[same]
    prediction = prediction[rows]
    kind = 3 * scene.size_of_label[rows] + thirds(scene.sure[prediction])
    usual = scene.couple_iou[rows]
    moved = moved_boxes(scene.truth.box[rows], _PLANTED_IOU, generator)
    nobody = np.zeros(rows.size, dtype=bool)
    planted = box_iou(moved, scene.predictions.box[prediction], nobody)
    center, spread = _spread(_residual(usual), kind)
    given = (_residual(usual) - center[kind]) / spread[kind]
    found = posterior(given, (_residual(planted) - center[kind]) / spread[kind])
    kept = given > 0
    return [
        Suspects(
            type=ErrorType.BAD_BOX,
            row=rows[kept],
            said=found.only(kept),
            prediction=prediction[kept],
            instead=[None] * int(kept.sum()),
        )
    ]


def _residual(iou: Floats) -> Floats:
    residual: Floats = np.log(np.maximum(1 - iou, _CLOSE))
    return residual


def _spread(residual: Floats, kind: Integers) -> tuple[Floats, Floats]:
    """Median and median absolute deviation of the residuals of each kind."""
    center, spread = np.zeros(9), np.ones(9)
    for number in np.unique(kind):
        own = residual[kind == number]
        center[number] = np.median(own)
        spread[number] = max(float(np.median(np.abs(own - center[number]))), _CLOSE)
    return center, spread
