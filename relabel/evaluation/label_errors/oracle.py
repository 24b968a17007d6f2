"""What the score would be if the suspicions of one kind were all right, and all fixed.

TIDE's oracle mends the predictions; this one mends the labels, as the suspicions say. It is the
most that a kind of error can cost: where the model is wrong, and not the label, there is nothing
to gain.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..matching.matching import match
from ..matching.options import IOUS
from ..matching.tables import Detections
from ..scoring.precision import precision_recall
from .suspicion import ErrorType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .ranking import Suspicion
    from .scene import Scene


def mean_average_precision(predictions: Detections, truth: Detections) -> float | None:
    """COCO's mean average precision over IoU .50:.95; None without ground truth.

    Args:
        predictions: each with a confidence
        truth: the ground truth
    """
    classes = sorted({str(name) for name in (*predictions.label, *truth.label)})
    matches = match(predictions, truth, IOUS, classwise=True)
    return precision_recall(predictions, truth, matches, classes).average()


def fixed(scene: Scene, suspicions: Sequence[Suspicion]) -> Detections:
    """The labels as they would be if suspicions were right, and the labels fixed.

    Args:
        scene: labels and predictions
        suspicions: at most one of each label
    """
    truth = replace(
        scene.truth,
        label=scene.truth.label.copy(),
        box=scene.truth.box.copy(),
        crowd=scene.truth.crowd.copy(),
    )
    kept = np.ones(len(truth), dtype=bool)
    added = []
    for one in suspicions:
        if one.label is None:
            added.append(one.prediction)
        elif one.type in (ErrorType.DUPLICATE, ErrorType.SPURIOUS):
            kept[one.label] = False
        elif one.type is ErrorType.WRONG_CLASS:
            truth.label[one.label] = one.instead
        elif one.type is ErrorType.BAD_BOX:
            truth.box[one.label] = scene.predictions.box[one.prediction]
        elif one.attribute == scene.crowd_attribute:
            truth.crowd[one.label] = one.instead
    chosen = np.zeros(len(scene.predictions), dtype=bool)
    chosen[[row for row in added if row is not None]] = True
    return _joined(truth.only(kept), scene.predictions.only(chosen))


def _joined(truth: Detections, added: Detections) -> Detections:
    order = np.argsort(np.concatenate((truth.image, added.image)), kind="stable")
    return Detections(
        ids=np.concatenate((truth.ids, added.ids))[order],
        image=np.concatenate((truth.image, added.image))[order],
        label=np.concatenate((truth.label, added.label))[order],
        box=np.concatenate((truth.box, added.box))[order],
        confidence=np.concatenate((truth.confidence, added.confidence))[order],
        crowd=np.concatenate((truth.crowd, added.crowd))[order],
    )
