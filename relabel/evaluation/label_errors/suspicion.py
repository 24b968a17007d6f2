"""What may be wrong with a label."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from .posterior import Posterior


class ErrorType(StrEnum):
    """What may be wrong with a label."""

    WRONG_CLASS = "wrong class"
    BAD_BOX = "bad box"
    MISSING = "missing"
    DUPLICATE = "duplicate"
    SPURIOUS = "spurious"
    ATTRIBUTE = "attribute"


@dataclass(frozen=True)
class Suspects:
    """The labels that one kind of error may have.

    Args:
        type: the kind of error
        row: of each suspect, the row of the label, or of the prediction if the label is missing
        said: how likely each is wrong
        prediction: the row of the prediction that speaks against the label, or -1
        instead: what the label should be: a class, the value of an attribute, or None
        attribute: the attribute whose value is doubted, or None
        twin: the row of the label that each stands beside for one object, if they do
    """

    type: ErrorType
    row: NDArray[np.int64]
    said: Posterior
    prediction: NDArray[np.int64]
    instead: Sequence[Any]
    attribute: str | None = None
    twin: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return self.row.size
