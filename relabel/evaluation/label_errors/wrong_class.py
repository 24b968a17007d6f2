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

from dataclasses import dataclass
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


@dataclass(frozen=True)
class _Seen:
    """How surely labels are seen as classes: what is not there is 0.

    Of each label and class there is one entry, in ascending order of both.

    Args:
        classes: how many classes there are
        place: the label of each entry times ``classes``, and its class
        worth: how surely the label is seen as the class
        prediction: by which prediction
        best: of each label the entry of largest worth, or -1
        second: of each label the next one, or -1
    """

    classes: int
    place: Integers
    worth: Floats
    prediction: Integers
    best: Integers
    second: Integers


def find_wrong_class(scene: Scene, generator: np.random.Generator) -> list[Suspects]:
    """Finds labels whose class may be wrong.

    Args:
        scene: labels and predictions
        generator: decides which errors are planted
    """
    rows = np.flatnonzero(~scene.truth.crowd)
    seen = _seen_as(scene)
    own = scene.class_of_label[rows]
    given, entry = _evidence(seen, rows, own)
    planted, _ = _evidence(seen, rows, others_drawn(own, generator))
    found = posterior(given, planted)
    kept = given > 0
    entry = entry[kept]
    return [
        Suspects(
            type=ErrorType.WRONG_CLASS,
            row=rows[kept],
            said=found.only(kept),
            prediction=seen.prediction[entry],
            instead=scene.classes[seen.place[entry] % max(seen.classes, 1)].tolist(),
        )
    ]


def _seen_as(scene: Scene) -> _Seen:
    pairs = scene.pairs.only(scene.pairs.iou >= SAME_PLACE)
    classes, labels = scene.classes.size, len(scene.truth)
    place = pairs.other * classes + scene.class_of_prediction[pairs.one]
    worth = scene.sure[pairs.one] * pairs.iou
    order = np.lexsort((worth, place))
    order = order[np.append(np.diff(place[order]) > 0, True)[: order.size]]  # the largest of each
    place, worth = place[order], worth[order]
    label = place // max(classes, 1)
    ranked = np.lexsort((-place, worth, label))  # of equal ones the first class
    ends = np.cumsum(np.bincount(label, minlength=labels))
    counts = np.diff(ends, prepend=0)
    entry_of = np.append(ranked, -1)
    return _Seen(
        classes=classes,
        place=place,
        worth=worth,
        prediction=pairs.one[order],
        best=entry_of[np.where(counts >= 1, ends - 1, -1)],
        second=entry_of[np.where(counts >= 2, ends - 2, -1)],
    )


def _evidence(seen: _Seen, label: Integers, own: Integers) -> tuple[Floats, Integers]:
    """What speaks against labels if they are of some classes, and the entry that does, or -1."""
    place, worth = np.append(seen.place, -1), np.append(seen.worth, 0.0)  # of entry -1: 0
    wanted = label * seen.classes + own
    found = np.searchsorted(seen.place, wanted)
    of_own = np.where(place[found] == wanted, worth[found], 0.0)
    best = seen.best[label]
    other = np.where(place[best] == wanted, seen.second[label], best)
    return worth[other] - of_own, other
