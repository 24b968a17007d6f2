"""How often a prediction of some confidence is right, measured on the data at hand.

A detector's confidence means something else for every detector. What counts here is its order
alone: of predictions at least as sure, how many did the labels agree with? That is isotonic
regression (Zadrozny and Elkan 2002, "Transforming classifier scores into accurate multiclass
probability estimates"), so that any rising distortion of the confidences gives the same result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.isotonic import IsotonicRegression

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_OF_ALL = 50
"""As many predictions of a class as it takes until its own figures weigh half."""


def calibrated(confidence: Floats, label: NDArray[np.object_], right: NDArray[np.bool_]) -> Floats:
    """The share of right predictions at the confidence of each, for its class.

    A class of few predictions leans on all classes: with ``n`` of its own, its curve weighs
    ``n / (n + 50)``.

    Args:
        confidence: of each prediction, of shape ``(n,)``
        label: its class
        right: whether the labels agree with it

    Returns:
        in (0, 1), of shape ``(n,)``, rising with the confidence within a class
    """
    share = _isotonic(confidence, right)
    number = np.unique(label.astype(str), return_inverse=True)[1]
    ends = np.cumsum(np.bincount(number))
    for rows in np.split(np.argsort(number, kind="stable"), ends[:-1]):
        weight = rows.size / (rows.size + _OF_ALL)
        share[rows] += weight * (_isotonic(confidence[rows], right[rows]) - share[rows])
    # Never sure: half a right and half a wrong one are added.
    return (share * confidence.size + 0.5) / (confidence.size + 1)


def _isotonic(confidence: Floats, right: NDArray[np.bool_]) -> Floats:
    if not confidence.size:
        return np.zeros(0)
    ranks = np.unique(confidence, return_inverse=True)[1]  # even one that is infinite has a rank
    found: Floats = IsotonicRegression().fit_transform(ranks, right.astype(float))
    return found
