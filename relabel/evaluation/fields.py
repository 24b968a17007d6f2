"""Which fields can be evaluated, and whether there is something in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fiftyone as fo

from .errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Sequence


def require_detections(dataset: fo.Dataset, fields: Sequence[str]) -> None:
    """Checks that fields hold ``Detections``, and that they are several.

    Args:
        dataset: the dataset
        fields: their names

    Raises:
        EvaluationError: if one does not, or is named twice
    """
    known = dataset.get_field_schema(embedded_doc_type=fo.Detections)
    advice = f"Choose from: {', '.join(known)}." if known else "Apply a model first."
    for field in fields:
        if field not in known:
            there = dataset.get_field(field) is not None
            problem = "is not of type Detections" if there else "is no field of the dataset"
            raise EvaluationError(f"'{field}' {problem}.", advice)
    if len(set(fields)) < len(fields):
        raise EvaluationError(f"'{fields[0]}' cannot be compared with itself.", advice)


def require_predictions(samples: int, unpredicted: int, predictions: str) -> None:
    """Checks that some samples have predictions, be they none.

    Args:
        samples: how many there are
        unpredicted: how many have no predictions
        predictions: their field

    Raises:
        EvaluationError: if none has
    """
    if samples and unpredicted == samples:
        raise EvaluationError(
            f"None of the {samples:,} samples has predictions in '{predictions}'.",
            "Apply a model to them first.",
        )
