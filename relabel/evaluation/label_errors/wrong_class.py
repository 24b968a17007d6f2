"""Labels that the model sees, but as something else.

The evidence is the swap score of ObjectLab (Tkachenko et al. 2023, "ObjectLab: Automated Diagnosis
of Mislabeled Images in Object Detection Data") with the class of the label on the other side: with
``s(k)`` the largest calibrated confidence in class ``k``, times the IoU, of the predictions at the
place of a label of class ``y``,

    x = max over k != y of s(k)  -  s(y).

A second choice of the model that agrees with the label thus speaks for the label. Planted errors:
every label gets another class, each as often as the labels have it (the class-conditional noise of
Northcutt et al. 2021, "Confident Learning", without assuming which classes are confused).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .planting import others_drawn
from .posterior import posterior
from .scene import SAME_PLACE
from .suspicion import ErrorType, Suspects

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .scene import Scene

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


def find_wrong_class(scene: Scene, generator: np.random.Generator) -> list[Suspects]:
    """Finds labels whose class may be wrong.

    Args:
        scene: labels and predictions
        generator: decides which errors are planted
    """
    rows = np.flatnonzero(~scene.truth.crowd)
    seen, prediction = _seen_as(scene)
    own = scene.class_of_label
    given, instead = _evidence(seen, own)
    planted, _ = _evidence(seen[rows], others_drawn(own[rows], generator))
    found = posterior(given[rows], planted)
    kept = given[rows] > 0
    suspects = rows[kept]
    return [
        Suspects(
            type=ErrorType.WRONG_CLASS,
            row=suspects,
            said=found.only(kept),
            prediction=prediction[suspects, instead[suspects]],
            instead=scene.classes[instead[suspects]].tolist(),
        )
    ]


def _seen_as(scene: Scene) -> tuple[Floats, Integers]:
    """How surely each label is seen as each class, and by which prediction."""
    pairs = scene.pairs.only(scene.pairs.iou >= SAME_PLACE)
    worth = scene.sure[pairs.one] * pairs.iou
    order = np.argsort(worth, kind="stable")
    label, name = pairs.other[order], scene.class_of_prediction[pairs.one[order]]
    seen = np.zeros((len(scene.truth), scene.classes.size))
    by = np.full(seen.shape, -1, dtype=np.int64)
    seen[label, name] = worth[order]  # of several the last, the largest, stays
    by[label, name] = pairs.one[order]
    return seen, by


def _evidence(seen: Floats, own: Integers) -> tuple[Floats, Integers]:
    label = np.arange(own.size)
    others = seen.copy()
    others[label, own] = -1.0
    best = others.argmax(axis=1) if others.size else np.zeros(own.size, dtype=np.int64)
    return others[label, best] - seen[label, own], best
