"""Objects that the model sees where nothing is labelled.

The evidence is how sure the model is, calibrated, and how alone the prediction is, with ``o`` the
largest IoU with a label, or with a prediction of which it may be a copy:

    x = sure * (1 - o).

ObjectLab's overlooked score asks for confidence and distance in the same way. Planted errors:
every label that the model sees is taken away, so that its prediction stands alone.
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
    Booleans = NDArray[np.bool_]


def find_missing(scene: Scene, generator: np.random.Generator) -> list[Suspects]:  # noqa: ARG001 - every label can be taken away, none is drawn
    """Finds predictions whose label may be missing.

    Args:
        scene: labels and predictions
        generator: not needed
    """
    couple = scene.couple
    coupled = np.zeros(len(scene.predictions), dtype=bool)
    coupled[couple[couple >= 0]] = True
    own = np.full(len(scene.predictions), -1, dtype=np.int64)
    own[couple[couple >= 0]] = np.flatnonzero(couple >= 0)
    pairs = scene.pairs.only(own[scene.pairs.one] != scene.pairs.other)
    to_labels = largest(pairs.iou, pairs.one, len(scene.predictions))
    alone = 1 - np.maximum(to_labels, _as_copy(scene, coupled))
    evidence = scene.sure * alone
    rows = np.flatnonzero(~coupled & ~scene.on_crowd & (to_labels < SAME_PLACE))
    seen = couple[couple >= 0]
    seen = seen[scene.couple_iou[couple >= 0] >= SAME_PLACE]
    found = posterior(evidence[rows], evidence[seen])
    return [
        Suspects(
            type=ErrorType.MISSING,
            row=rows,
            said=found,
            prediction=rows,
            instead=scene.predictions.label[rows].tolist(),
        )
    ]


def _as_copy(scene: Scene, coupled: Booleans) -> Floats:
    """How far each prediction overlaps a better one: one with a label, or a surer one."""
    found = scene.predictions
    pairs = overlapping(found, found, least=NEAR)
    rank = np.lexsort((found.confidence, coupled)).argsort()
    better = pairs.only(rank[pairs.other] > rank[pairs.one])
    return largest(better.iou, better.one, len(found))
