"""Attributes of which the model says something else.

Only for models that predict attributes. The evidence is that of a wrong class, of one prediction:

    x = sure * IoU   where the values differ,   -sure * IoU   where they agree.

Planted errors: every label gets another value, each as often as the labels have it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .planting import others_drawn
from .posterior import posterior
from .suspicion import ErrorType, Suspects

if TYPE_CHECKING:
    from .scene import AttributeValues, Scene


def find_wrong_attribute(scene: Scene, generator: np.random.Generator) -> list[Suspects]:
    """Finds labels whose attributes may be wrong.

    Args:
        scene: labels and predictions
        generator: decides which errors are planted
    """
    return [_of_attribute(scene, values, generator) for values in scene.attributes]


def _of_attribute(
    scene: Scene, values: AttributeValues, generator: np.random.Generator
) -> Suspects:
    rows = np.flatnonzero(scene.couple >= 0)
    theirs = values.of_predictions[scene.couple[rows]]
    known = np.array([value is not None for value in theirs], dtype=bool)
    known &= np.array([value is not None for value in values.of_labels[rows]], dtype=bool)
    rows, theirs = rows[known], theirs[known].astype(str)
    ours = values.of_labels[rows].astype(str)
    prediction = scene.couple[rows]
    worth = scene.sure[prediction] * scene.couple_iou[rows]
    given = np.where(ours != theirs, worth, -worth)
    planted = np.where(others_drawn(ours, generator) != theirs, worth, -worth)
    found = posterior(given, planted)
    kept = given > 0
    return Suspects(
        type=ErrorType.ATTRIBUTE,
        row=rows[kept],
        said=found.only(kept),
        prediction=prediction[kept],
        instead=values.of_predictions[prediction[kept]].tolist(),
        attribute=values.name,
    )
