"""What became of suspicions once people have looked at them: was it the label, or the model?

A suspicion says what is wrong with a label. After a round the labels are compared with those that
the queue was made from: a label that was changed in the way that was suspected was wrong; one that
somebody looked at and left as it was shows a mistake of the model.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from ..matching.matching import box_iou
from .suspicion import ErrorType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from .queue import LabelError

_SAME_PLACE = 0.5
_MOVED = 1e-6
"""By how much of the image a box has to change to have been moved: floats travel exactly."""


class Verdict(StrEnum):
    """What became of a suspicion."""

    FIXED = "fixed"
    """The label was wrong in the way that was suspected, and is mended."""

    FIXED_OTHERWISE = "fixed otherwise"
    """The label was wrong in another way."""

    MODEL_WRONG = "model wrong"
    """Somebody looked, and left the label as it is."""

    LEFT = "left"
    """Nobody has looked yet."""


@dataclass(frozen=True)
class LabelNow:
    """A label as it is now.

    Args:
        id: its id
        label: its class
        box: left, top, width, height, relative to the image
        attributes: its attributes
    """

    id: str
    label: str | None
    box: tuple[float, ...]
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What became of a suspicion.

    Args:
        error: the suspicion
        verdict: what became of it
    """

    error: LabelError
    verdict: Verdict


@dataclass(frozen=True)
class TypeOutcome:
    """What became of the suspicions of one type.

    Args:
        type: the type, or None for all of them
        fixed: how many labels were wrong and are mended, in whatever way
        model_wrong: how many labels were right
        left: how many nobody has looked at
    """

    type: ErrorType | None
    fixed: int
    model_wrong: int
    left: int

    @property
    def precision(self) -> float | None:
        """The share of suspicions that were right, of those looked at; None before any was."""
        seen = self.fixed + self.model_wrong
        return self.fixed / seen if seen else None


def judge(
    errors: Iterable[LabelError],
    labels: Mapping[str, Sequence[LabelNow]],
    looked_at: Collection[str],
) -> list[Outcome]:
    """Says what became of each suspicion.

    Args:
        errors: the suspicions, as they were found
        labels: the labels as they are now, by sample; nobody knows of samples that are not there
        looked_at: the samples that people have gone through
    """
    return [Outcome(error, _verdict(error, labels, looked_at)) for error in errors]


def summarize(verdicts: Iterable[tuple[ErrorType, Verdict]]) -> tuple[TypeOutcome, ...]:
    """Counts what became of suspicions, type by type; the last is of all of them."""
    counts: dict[ErrorType | None, Counter[Verdict]] = defaultdict(Counter)
    for own_type, verdict in verdicts:
        for kind in (own_type, None):
            counts[kind][verdict] += 1
    return tuple(
        TypeOutcome(
            type=kind,
            fixed=counts[kind][Verdict.FIXED] + counts[kind][Verdict.FIXED_OTHERWISE],
            model_wrong=counts[kind][Verdict.MODEL_WRONG],
            left=counts[kind][Verdict.LEFT],
        )
        for kind in (*ErrorType, None)
        if counts[kind] or kind is None
    )


def _verdict(
    error: LabelError, labels: Mapping[str, Sequence[LabelNow]], looked_at: Collection[str]
) -> Verdict:
    if error.sample_id not in labels:
        return Verdict.LEFT
    if error.label_id is None:
        changed, as_said = _missing_changes(error, labels[error.sample_id])
    else:
        there = {label.id: label for label in labels[error.sample_id]}
        own = there.get(error.label_id)
        if own is not None and error.twin_id is not None and error.twin_id not in there:
            return Verdict.FIXED  # of two labels of one object either may go
        changed, as_said = _changes(error, own)
    if changed:
        return Verdict.FIXED if as_said else Verdict.FIXED_OTHERWISE
    return Verdict.MODEL_WRONG if error.sample_id in looked_at else Verdict.LEFT


def _missing_changes(error: LabelError, labels: Sequence[LabelNow]) -> tuple[bool, bool]:
    """Whether there is a label now where one was missing, and whether it has the class."""
    there = [label for label in labels if _overlap(error.box, label.box) >= _SAME_PLACE]
    return bool(there), any(label.label == error.instead for label in there)


def _changes(error: LabelError, now: LabelNow | None) -> tuple[bool, bool]:
    """Whether a label was changed, and whether in the way that was suspected."""
    if now is None:
        return True, error.type in (ErrorType.DUPLICATE, ErrorType.SPURIOUS)
    # Not a comparison the other way round: a box that is none any more is of NaN.
    moved = not np.abs(np.subtract(error.box, now.box)).max() <= _MOVED
    renamed = now.label != error.label
    value = now.attributes.get(error.attribute or "")
    turned = error.attribute is not None and value == error.instead
    known = error.attribute is not None and error.value is not None
    otherwise = known and (value or None) != (error.value or None)  # a switch that is off, or none
    as_said = {
        ErrorType.WRONG_CLASS: renamed,
        ErrorType.BAD_BOX: moved,
        ErrorType.ATTRIBUTE: turned,
    }
    return moved or renamed or turned or otherwise, as_said.get(error.type, False)


def _overlap(one: Sequence[float], other: Sequence[float]) -> float:
    boxes = np.array([one, other], dtype=float)
    return float(box_iou(boxes[:1], boxes[1:], np.zeros(1, dtype=bool))[0])
