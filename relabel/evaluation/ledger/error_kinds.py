"""The errors of a model by type, as TIDE tells them apart.

Bolya et al. 2020, "TIDE: A General Toolbox for Identifying Object Detection Errors": a false
positive is a wrong class where it lies on ground truth of another class, badly placed where it
lies near some of its own, both where it lies near some of another, a duplicate where its ground
truth has a better prediction, else background; ground truth is missed where none of these explains
it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from ..label_errors.pairs import overlapping

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..matching.options import EvaluationOptions
    from ..matching.outcome import Outcome

    Booleans = NDArray[np.bool_]
    Integers = NDArray[np.int64]

_NEAR = 0.1


class ErrorKind(StrEnum):
    """What is wrong with a prediction, or with there being none."""

    WRONG_CLASS = "wrong class"
    BAD_BOX = "bad box"
    BOTH = "wrong class and bad box"
    DUPLICATE = "duplicate"
    BACKGROUND = "background"
    MISSED = "missed"


def errors_by_image(outcome: Outcome, options: EvaluationOptions) -> dict[ErrorKind, Integers]:
    """Counts the errors of each type in each image, at the IoU of the run.

    Args:
        outcome: who was matched to whom
        options: how

    Returns:
        type -> how many, of shape ``(images,)``
    """
    found, truth = outcome.found, outcome.truth
    within = _best(outcome, same_class=True)
    across = _best(outcome, same_class=False)
    columns = outcome.truth_rows(outcome.chosen)
    matched = columns >= 0
    right = matched.copy()
    right[matched] = found.label[matched] == truth.label[columns[matched]]
    on_crowd = matched.copy()
    on_crowd[matched] = truth.crowd[columns[matched]]
    open_ = ~right & ~on_crowd
    limit = options.iou
    counts: dict[ErrorKind, Integers] = {}
    rules = (
        (ErrorKind.DUPLICATE, within >= limit),
        (ErrorKind.WRONG_CLASS, across >= limit),
        (ErrorKind.BAD_BOX, within >= _NEAR),
        (ErrorKind.BOTH, across >= _NEAR),
        (ErrorKind.BACKGROUND, np.ones(len(found), dtype=bool)),
    )
    for kind, holds in rules:
        counts[kind] = np.bincount(found.image[open_ & holds], minlength=len(outcome))
        open_ &= ~holds
    hit = np.zeros(len(truth), dtype=bool)
    hit[columns[right]] = True
    missed = ~hit & ~truth.crowd & ~_explained(outcome, limit)
    counts[ErrorKind.MISSED] = np.bincount(truth.image[missed], minlength=len(outcome))
    return counts


def _best(outcome: Outcome, *, same_class: bool) -> NDArray[np.float64]:
    """How far each prediction overlaps ground truth of its class, or of another, at most."""
    found, truth = outcome.found, outcome.truth
    if not len(truth):
        return np.zeros(len(found))
    row, column, iou = _near(outcome)
    same = found.label[row] == truth.label[column]
    wanted = same if same_class else ~same
    best = np.zeros(len(found))
    np.maximum.at(best, row[wanted], iou[wanted])
    return best


def _explained(outcome: Outcome, limit: float) -> Booleans:
    """Ground truth that a prediction of another class, or one that is badly placed, is about."""
    found, truth = outcome.found, outcome.truth
    about = np.zeros(len(truth), dtype=bool)
    row, column, iou = _near(outcome)
    same = found.label[row] == truth.label[column]
    about[column[(~same & (iou >= limit)) | (same & (iou < limit))]] = True
    return about


def _near(
    outcome: Outcome,
) -> tuple[Integers, Integers, NDArray[np.float64]]:
    pairs = overlapping(outcome.found, outcome.truth, least=_NEAR)
    return pairs.one, pairs.other, pairs.iou
