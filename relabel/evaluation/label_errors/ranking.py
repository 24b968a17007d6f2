"""All suspicions in one queue, the most probable first, and one of each label at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .registry import FINDERS
from .suspicion import ErrorType, Suspects

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from .scene import Scene

_SEED = 51


@dataclass(frozen=True)
class Suspicion:
    """A label that may be wrong.

    Args:
        type: what may be wrong
        probability: that it is, in [0, 1]
        image: the row of its image
        label: the row of the label, or None if it is missing
        prediction: the row of the prediction that speaks against it, or None
        instead: the class, or the value of the attribute, that it should have
        attribute: the attribute whose value is doubted, or None
        twin: the row of the label that it stands beside for one object, or None
    """

    type: ErrorType
    probability: float
    image: int
    label: int | None
    prediction: int | None
    instead: Any = None
    attribute: str | None = None
    twin: int | None = None


def rank(
    scene: Scene,
    types: Collection[ErrorType] = tuple(ErrorType),
    *,
    told: Callable[[ErrorType], None] | None = None,
) -> list[Suspicion]:
    """Ranks the suspicions about labels, the most probable first.

    Args:
        scene: labels and predictions
        types: the kinds of errors to look for
        told: called before each kind
    """
    generator = np.random.default_rng(_SEED)
    found: list[Suspects] = []
    for kind, finders in FINDERS.items():
        if kind in types:
            if told:
                told(kind)
            found += [suspects for finder in finders for suspects in finder(scene, generator)]
    return _one_of_each(scene, found)


def _one_of_each(scene: Scene, found: Sequence[Suspects]) -> list[Suspicion]:
    """The most probable suspicion of each label; missing labels have one each anyway."""
    if not found:
        return []
    which = np.repeat(np.arange(len(found)), [len(suspects) for suspects in found])
    place = np.concatenate([np.arange(len(suspects)) for suspects in found])
    row = np.concatenate([suspects.row for suspects in found])
    probability = np.concatenate([suspects.said.probability for suspects in found])
    strength = np.concatenate([suspects.said.strength for suspects in found])
    order = np.lexsort((row, which, -strength, -probability))
    missing = np.array([suspects.type is ErrorType.MISSING for suspects in found])[which]
    subject = np.where(missing, -1 - row, row)[order]
    first = np.sort(np.unique(subject, return_index=True)[1])
    return [
        _suspicion(scene, found[which[number]], int(place[number]))
        for number in order[first].tolist()
        if probability[number] > 0
    ]


def _suspicion(scene: Scene, suspects: Suspects, place: int) -> Suspicion:
    row, prediction = int(suspects.row[place]), int(suspects.prediction[place])
    missing = suspects.type is ErrorType.MISSING
    table = scene.predictions if missing else scene.truth
    return Suspicion(
        type=suspects.type,
        probability=float(suspects.said.probability[place]),
        image=int(table.image[row]),
        label=None if missing else row,
        prediction=prediction if prediction >= 0 else None,
        instead=suspects.instead[place],
        attribute=suspects.attribute,
        twin=None if suspects.twin is None else int(suspects.twin[place]),
    )
