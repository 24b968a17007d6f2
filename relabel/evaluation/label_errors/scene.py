"""Labels and predictions beside each other: who lies on whom, and how much each is worth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..matching.options import CROWD
from .calibration import calibrated
from .pairs import Pairs, overlapping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..matching.tables import Detections

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Booleans = NDArray[np.bool_]

NEAR = 0.1
"""From which IoU on two boxes have to do with each other; TIDE's background threshold."""
SAME_PLACE = 0.5
"""From which IoU on two boxes are about one object; TIDE's foreground threshold."""


@dataclass(frozen=True)
class AttributeValues:
    """The values of an attribute.

    Args:
        name: the attribute
        of_labels: the value of each label, or None
        of_predictions: the value of each prediction, or None
    """

    name: str
    of_labels: NDArray[np.object_]
    of_predictions: NDArray[np.object_]


@dataclass(frozen=True)
class Scene:
    """The labels of some images and what a model says of the images.

    Thresholds are those of TIDE (Bolya et al. 2020, "TIDE: A General Toolbox for Identifying
    Object Detection Errors").

    Args:
        truth: the labels
        predictions: the predictions, each with a confidence
        pairs: prediction and label, wherever they overlap by :data:`NEAR`
        sure: how often a prediction like each is right, in (0, 1), see :mod:`.calibration`
        attributes: the attributes that labels and predictions both have
        crowd_attribute: the attribute that says that a label stands for a crowd
    """

    truth: Detections
    predictions: Detections
    pairs: Pairs
    sure: Floats
    attributes: Sequence[AttributeValues] = ()
    crowd_attribute: str = CROWD

    @cached_property
    def couple(self) -> Integers:
        """The row of the prediction that is about each label, or -1.

        Of the predictions near a label the one that is surest and overlaps most, if no other
        label overlaps the prediction more. Crowds have none.
        """
        pairs = self.pairs.only(~self.truth.crowd[self.pairs.other])
        worth = pairs.iou * self.sure[pairs.one]
        of_label = _best(worth, pairs.other, len(self.truth))
        of_prediction = _best(pairs.iou, pairs.one, len(self.predictions))
        partner = np.full(len(self.truth), -1, dtype=np.int64)
        mutual = of_label >= 0
        mutual[mutual] = of_prediction[pairs.one[of_label[mutual]]] == of_label[mutual]
        partner[mutual] = pairs.one[of_label[mutual]]
        return partner

    @cached_property
    def couple_iou(self) -> Floats:
        """How far each label and its couple overlap; 0 without one."""
        found = np.zeros(len(self.truth))
        ours = self.couple[self.pairs.other] == self.pairs.one
        found[self.pairs.other[ours]] = self.pairs.iou[ours]
        return found

    @cached_property
    def classes(self) -> NDArray[np.str_]:
        """The names of all classes, sorted."""
        names: NDArray[np.str_] = np.unique(self._names)
        return names

    @cached_property
    def class_of_label(self) -> Integers:
        """The number of the class of each label."""
        return np.searchsorted(self.classes, self._names[: len(self.truth)])

    @cached_property
    def class_of_prediction(self) -> Integers:
        """The number of the class of each prediction."""
        return np.searchsorted(self.classes, self._names[len(self.truth) :])

    @property
    def _names(self) -> NDArray[np.str_]:
        names: NDArray[np.str_] = np.concatenate(
            (self.truth.label, self.predictions.label)
        ).astype(str)
        return names

    @cached_property
    def on_crowd(self) -> Booleans:
        """Whether each prediction lies, by half of its area, on a crowd."""
        found = np.zeros(len(self.predictions), dtype=bool)
        crowded = self.truth.crowd[self.pairs.other] & (self.pairs.iou >= SAME_PLACE)
        found[self.pairs.one[crowded]] = True
        return found

    @cached_property
    def size_of_label(self) -> Integers:
        """Which third of the labels each belongs to by area: 0, 1 or 2."""
        return thirds(self.truth.box[:, 2] * self.truth.box[:, 3])


def look(
    truth: Detections,
    predictions: Detections,
    attributes: Sequence[AttributeValues] = (),
    *,
    crowd: str = CROWD,
) -> Scene:
    """Puts labels and predictions beside each other.

    Args:
        truth: the labels; crowds neither confirm nor refute a prediction
        predictions: the predictions, each with a confidence
        attributes: the attributes that labels and predictions both have
        crowd: the attribute that says that a label stands for a crowd
    """
    pairs = overlapping(predictions, truth, least=NEAR)
    agree = pairs.iou >= SAME_PLACE
    agree &= predictions.label[pairs.one] == truth.label[pairs.other]
    right = np.zeros(len(predictions), dtype=bool)
    right[pairs.one[agree]] = True
    sure = calibrated(predictions.confidence, predictions.label, right)
    return Scene(truth, predictions, pairs, sure, attributes, crowd)


def thirds(values: Floats) -> Integers:
    """Which third of all values each belongs to: 0, 1 or 2."""
    if not values.size:
        return np.zeros(0, dtype=np.int64)
    return np.searchsorted(np.quantile(values, [1 / 3, 2 / 3]), values).astype(np.int64)


def largest(values: Floats, group: Integers, groups: int) -> Floats:
    """The largest value of each group; 0 for an empty one."""
    found = np.zeros(groups)
    np.maximum.at(found, group, values)
    return found


def _best(values: Floats, group: Integers, groups: int) -> Integers:
    """The place of the largest value of each group, or -1."""
    found = np.full(groups, -1, dtype=np.int64)
    order = np.argsort(values, kind="stable")
    found[group[order]] = order  # of several the last, the largest, stays
    return found
