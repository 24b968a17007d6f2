"""Labels that stand for a crowd and are not marked so, and the other way round.

A crowd has several objects in one box, and a model that finds objects finds them one by one. With
``single = max(sure * IoU)`` over all predictions, and ``inside`` the sum of ``sure`` over the
predictions that lie in the label and fill less than half of it,

    x = single             of labels that are marked as crowds,
    x = inside - single    of labels that are not.

Planted errors: the same of labels that are marked the other way, as if their mark were wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..matching.matching import box_iou
from .pairs import Boxes, overlapping
from .posterior import posterior
from .scene import largest
from .suspicion import ErrorType, Suspects

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .scene import Scene

    Floats = NDArray[np.float64]

_INSIDE = 0.9


def find_wrong_crowd(scene: Scene, generator: np.random.Generator) -> list[Suspects]:  # noqa: ARG001 - every mark can be turned, none is drawn
    """Finds labels whose mark as a crowd, ``iscrowd``, may be wrong.

    Args:
        scene: labels and predictions
        generator: not needed
    """
    single, inside = _support(scene)
    return [_of_mark(scene, single, mark=True), _of_mark(scene, inside - single, mark=False)]


def _of_mark(scene: Scene, evidence: Floats, *, mark: bool) -> Suspects:
    """The suspects among the labels of one mark."""
    of_mark = scene.truth.crowd == mark
    found = posterior(evidence[of_mark], evidence[~of_mark])
    kept = evidence[of_mark] > 0
    rows = np.flatnonzero(of_mark)[kept]
    return Suspects(
        type=ErrorType.ATTRIBUTE,
        row=rows,
        said=found.only(kept),
        prediction=np.full(rows.size, -1),
        instead=[not mark] * rows.size,
        attribute=scene.crowd_attribute,
    )


def _support(scene: Scene) -> tuple[Floats, Floats]:
    """How sure the model is of one object the size of each label, and of objects within it."""
    truth, found = scene.truth, scene.predictions
    as_crowds = Boxes(truth.image, truth.box, np.ones(len(truth), dtype=bool))
    pairs = overlapping(found, as_crowds, least=1e-9)
    one, other = found.box[pairs.one], truth.box[pairs.other]
    iou = box_iou(one, other, np.zeros(pairs.iou.size, dtype=bool))
    sure = scene.sure[pairs.one]
    small = one[:, 2] * one[:, 3] < 0.5 * other[:, 2] * other[:, 3]
    within = small & (pairs.iou >= _INSIDE)
    inside = np.bincount(pairs.other[within], sure[within], len(truth)).astype(float)
    return largest(sure * iou, pairs.other, len(truth)), inside
