"""Labels that stand twice for one object.

The evidence is how far a label overlaps a better one of its class, unless the model sees an object
of its own for it: with ``sure`` that of the prediction that is about the label and no other, or 0,

    x = IoU * (1 - sure).

Of two labels the better is the one that the model sees, then the one it overlaps more, then the
earlier. Planted errors: a copy of every label that overlaps it by an IoU of .5 to .95; a second
prediction at the place, of a model that sees things twice, then speaks for the copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .pairs import overlapping
from .posterior import posterior
from .scene import NEAR, SAME_PLACE, largest
from .suspicion import ErrorType, Suspects

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .scene import Scene

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

_PLANTED_IOU = (SAME_PLACE, 0.95)


def find_duplicate(scene: Scene, generator: np.random.Generator) -> list[Suspects]:
    """Finds labels of objects that have a better label.

    Args:
        scene: labels and predictions
        generator: decides which errors are planted
    """
    rows = np.flatnonzero(~scene.truth.crowd)
    sure = np.append(scene.sure, 0.0)[scene.couple]  # of the couple -1 the last, 0
    overlap, twin = _better(scene, sure)
    given = overlap * (1 - sure)
    copies = generator.uniform(*_PLANTED_IOU, rows.size)
    found = posterior(given[rows], copies * (1 - _second(scene)[rows]))
    kept = given[rows] > 0
    count = int(kept.sum())
    return [
        Suspects(
            type=ErrorType.DUPLICATE,
            row=rows[kept],
            said=found.only(kept),
            prediction=np.full(count, -1),
            instead=[None] * count,
            twin=twin[rows[kept]],
        )
    ]


def _better(scene: Scene, sure: Floats) -> tuple[Floats, Integers]:
    """How far each label overlaps a better one at most, and the row of that one, or -1."""
    truth = scene.truth
    pairs = overlapping(truth, truth, least=NEAR)
    pairs = pairs.only(
        (scene.class_of_label[pairs.one] == scene.class_of_label[pairs.other])
        & ~truth.crowd[pairs.one]
        & ~truth.crowd[pairs.other]
    )
    rank = np.lexsort((-np.arange(len(truth)), sure * scene.couple_iou)).argsort()
    better = pairs.only(rank[pairs.other] > rank[pairs.one])
    twin = np.full(len(truth), -1, dtype=np.int64)
    order = np.argsort(better.iou, kind="stable")
    twin[better.one[order]] = better.other[order]  # of several the last, the largest, stays
    return largest(better.iou, better.one, len(truth)), twin


def _second(scene: Scene) -> Floats:
    """How sure the model is of a second object of its class at the place of each label."""
    pairs = scene.pairs
    second = pairs.iou >= SAME_PLACE
    second &= scene.couple[pairs.other] != pairs.one
    second &= scene.class_of_label[pairs.other] == scene.class_of_prediction[pairs.one]
    pairs = pairs.only(second)
    return largest(scene.sure[pairs.one], pairs.other, len(scene.truth))
