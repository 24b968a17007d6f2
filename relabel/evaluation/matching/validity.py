"""Labels that cannot be evaluated: each is named, and the rest is evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from .tables import Detections

NEGATIVE_SIZE = "negative size"
NO_SIZE = "no size"
NOT_NUMBERS = "not four finite numbers"
OUTSIDE = "outside the image"
UNRANKED = "no confidence"
UNNAMED = "no class"
NO_MASK = "no mask that can be read"
UNKNOWN_CLASS = "a class that is not evaluated"


@dataclass(frozen=True)
class InvalidLabel:
    """A label that cannot be evaluated and was left out.

    Args:
        sample_id: the sample that holds it
        label_id: the label
        field: the label field
        reason: what is wrong with it
    """

    sample_id: str
    label_id: str
    field: str
    reason: str


def is_valid(labels: Detections, *, ranked: bool = False) -> NDArray[np.bool_]:
    """Which labels can be evaluated.

    Args:
        labels: labels
        ranked: whether each needs a confidence
    """
    valid: NDArray[np.bool_] = ~_any(_problems(labels, ranked=ranked))
    return valid


def invalid_labels(
    labels: Detections, field: str, sample_ids: Sequence[str], *, ranked: bool = False
) -> Iterator[InvalidLabel]:
    """The labels that cannot be evaluated, and why.

    Args:
        labels: labels
        field: their field
        sample_ids: the samples, which number the images
        ranked: whether each needs a confidence
    """
    problems = _problems(labels, ranked=ranked)
    for row in np.flatnonzero(_any(problems)).tolist():
        reason = next(reason for reason, rows in problems.items() if rows[row])
        yield InvalidLabel(sample_ids[labels.image[row]], labels.ids[row], field, reason)


def require_confidences(ranked: int, unranked: int, predictions: str) -> None:
    """Checks that some predictions can be ranked.

    Args:
        ranked: how many have a confidence
        unranked: how many have none
        predictions: their field

    Raises:
        EvaluationError: if none can
    """
    if unranked and not ranked:
        raise EvaluationError(
            f"The {unranked} labels of '{predictions}' have no confidence.",
            "Choose a field of predictions; only those can be ranked.",
        )


def _any(problems: dict[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.any(list(problems.values()), axis=0)
    return found


def _problems(labels: Detections, *, ranked: bool) -> dict[str, NDArray[np.bool_]]:
    box = labels.box
    with np.errstate(invalid="ignore"):
        beyond = (box[:, :2] >= 1).any(axis=1) | (box[:, :2] + box[:, 2:] <= 0).any(axis=1)
        beyond &= (box[:, 2:] > 0).all(axis=1)
    problems: dict[str, Any] = {
        NOT_NUMBERS: ~np.isfinite(box).all(axis=1),
        NEGATIVE_SIZE: (box[:, 2:] < 0).any(axis=1),
        NO_SIZE: (box[:, 2:] == 0).any(axis=1),
        OUTSIDE: beyond,
        UNNAMED: np.fromiter((name is None for name in labels.label), bool, len(labels)),
    }
    if ranked:
        problems[UNRANKED] = np.isnan(labels.confidence)
    return problems
