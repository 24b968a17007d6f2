"""Labels of which the model sees nothing at all.

A model that misses an object mostly still has some faint prediction near it. The evidence is how
little support a label has among *all* predictions, however unsure and of whatever class, beside
what labels of its size usually have:

    support = max over predictions of sure * IoU,    x = usual(size) - support.

Planted errors: the boxes of labels of other images, where nothing is labelled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .pairs import Boxes, overlapping
from .posterior import posterior
from .scene import NEAR, largest
from .suspicion import ErrorType, Suspects

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..matching.tables import Detections
    from .scene import Scene

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


def find_spurious(scene: Scene, generator: np.random.Generator) -> list[Suspects]:
    """Finds labels that may be on nothing.

    Args:
        scene: labels and predictions
        generator: decides which errors are planted
    """
    truth = scene.truth
    rows = np.flatnonzero(~truth.crowd)
    pairs = scene.pairs
    support = largest(scene.sure[pairs.one] * pairs.iou, pairs.other, len(truth))
    size = scene.size_of_label
    usual = np.array([_median(support[rows][size[rows] == third]) for third in range(3)])
    planted, origin = _elsewhere(truth, generator)
    planted_pairs = overlapping(scene.predictions, planted, least=NEAR)
    planted_support = largest(
        scene.sure[planted_pairs.one] * planted_pairs.iou, planted_pairs.other, origin.size
    )
    given = usual[size[rows]] - support[rows]
    found = posterior(given, usual[size[origin]] - planted_support)
    kept = given > 0
    return [
        Suspects(
            type=ErrorType.SPURIOUS,
            row=rows[kept],
            said=found.only(kept),
            prediction=np.full(int(kept.sum()), -1),
            instead=[None] * int(kept.sum()),
        )
    ]


def _median(values: Floats) -> float:
    return float(np.median(values)) if values.size else 0.0


def _elsewhere(truth: Detections, generator: np.random.Generator) -> tuple[Boxes, Integers]:
    """Boxes of labels in other images, and whose they are; none near a label there."""
    origin = generator.permutation(np.flatnonzero(~truth.crowd))
    image = np.sort(generator.permutation(truth.image)[: origin.size])
    moved = Boxes(image, truth.box[origin], np.zeros(origin.size, dtype=bool))
    free = np.ones(origin.size, dtype=bool)
    free[overlapping(moved, truth, least=NEAR).one] = False
    return Boxes(image[free], moved.box[free], moved.crowd[free]), origin[free]
