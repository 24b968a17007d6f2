"""How unsure a model is of its predictions on each sample, for active learning.

The three measures of one prediction are those of Settles, "Active learning literature survey"
(University of Wisconsin-Madison, 2009), each scaled to [0, 1]: 0 is certain, 1 could be any class.
How those of an image's boxes are put together is from Brust et al., "Active learning for deep
object detection" (VISAPP 2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fiftyone as fo
import numpy as np

from ..errors import PredictionsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LOGITS, CONFIDENCE = "the scores of all classes", "confidence alone, as of two classes"
_EPSILON = 1e-12


@dataclass(frozen=True)
class Uncertainty:
    """How unsure a model is.

    Args:
        scores: sample -> how unsure, in [0, 1]; with ``sum`` it may be more. Samples without
            predictions have none
        used: what it was computed from
        missing: how many samples have no predictions that say how sure they are
    """

    scores: dict[str, float]
    used: str
    missing: int


def entropy(probabilities: Floats) -> Floats:
    """The entropy of each row, over that of a uniform one.

    Args:
        probabilities: ``[N, C]``, each row adds up to 1
    """
    logs = np.log(np.maximum(probabilities, _EPSILON))
    scores: Floats = -(probabilities * logs).sum(axis=1) / np.log(probabilities.shape[1])
    return np.clip(scores, 0.0, 1.0)


def margin(probabilities: Floats) -> Floats:
    """How near the second class comes to the first: 1 less the difference."""
    two = np.partition(probabilities, -2, axis=1)[:, -2:]
    scores: Floats = 1.0 - (two[:, 1] - two[:, 0])
    return scores


def least_confidence(probabilities: Floats) -> Floats:
    """What the first class lacks to 1, over what it lacks at most."""
    count = probabilities.shape[1]
    scores: Floats = (1.0 - probabilities.max(axis=1)) * count / (count - 1)
    return scores


MEASURES: dict[str, Callable[[Floats], Floats]] = {
    "entropy": entropy,
    "margin": margin,
    "least_confidence": least_confidence,
}
POOLS: dict[str, Callable[[Floats], Any]] = {"max": np.max, "mean": np.mean, "sum": np.sum}


def uncertainty(
    samples: SampleCollection, field: str, measure: str = "entropy", pool: str = "max"
) -> Uncertainty:
    """Measures how unsure a model is of its predictions on each sample.

    From the logits of all classes where predictions have them. Where they only have a confidence
    c, or logits that are no numbers, they are taken for predictions of two classes, with c and
    1 - c; all three measures then put the samples in the same order.

    Args:
        samples: the samples
        field: predictions of type ``Classification`` or ``Detections``
        measure: one of `MEASURES`
        pool: one of `POOLS`: how those of an image's boxes are put together. An image in which
            nothing was found is 0

    Raises:
        PredictionsError: if the predictions do not say how sure they are
    """
    of_boxes = require_predictions(samples, field) is fo.Detections
    root = f"{field}.detections" if of_boxes else field
    ids = samples.values("id")
    found = _read(samples, root, of_boxes=of_boxes)
    scores: dict[str, float] = {}
    with_logits = False
    for key, labels in zip(ids, found, strict=True):
        if labels is None:
            continue
        rows = [row for row in (_probabilities(*label) for label in labels) if row is not None]
        if labels and not rows:
            continue
        with_logits |= any(_finite(logits) is not None for logits, _ in labels)
        each = np.array([MEASURES[measure](row[np.newaxis])[0] for row in rows])
        scores[key] = float(POOLS[pool](each)) if len(each) else 0.0
    if not any(scores.values()) and not any(found):
        raise PredictionsError(f"'{field}' holds no predictions here.", "Apply a model first.")
    if not scores:
        raise PredictionsError(
            f"The predictions in '{field}' have neither logits nor a confidence.",
            "Apply the model again with them, or compare two fields.",
        )
    return Uncertainty(scores, LOGITS if with_logits else CONFIDENCE, len(ids) - len(scores))


def require_predictions(samples: SampleCollection, field: str | None) -> type:
    """Checks that a field holds predictions of a type that can be measured.

    Returns:
        the type

    Raises:
        PredictionsError: if it does not
    """
    known = prediction_fields(samples)
    if not field or field not in known:
        advice = f"Choose one of: {', '.join(known)}." if known else "Apply a model first."
        raise PredictionsError(
            f"'{field or ''}' is no field of classifications or detections.", advice
        )
    found: type = samples.get_field(field).document_type
    return found


def prediction_fields(samples: SampleCollection) -> list[str]:
    """The fields that can hold predictions."""
    return list(samples.get_field_schema(embedded_doc_type=(fo.Classification, fo.Detections)))


def require_measure(measure: str, pool: str) -> None:
    """Checks the names of a measure and of a way to put boxes together.

    Raises:
        PredictionsError: if there is no such
    """
    for name, known in ((measure, MEASURES), (pool, POOLS)):
        if name not in known:
            raise PredictionsError(f"There is no '{name}'.", f"Use one of: {', '.join(known)}.")


def _read(samples: SampleCollection, root: str, *, of_boxes: bool) -> list[Any]:
    """For each sample its labels as pairs of logits and confidence; None if it has no value."""
    has_logits = samples.has_field(f"{root}.logits")
    paths = [f"{root}._id", f"{root}.confidence", *([f"{root}.logits"] * has_logits)]
    ids, confidences, *logits = samples.values(paths)
    logits = logits[0] if logits else [None] * len(ids)
    if not of_boxes:
        return [
            None if key is None else [(scores, confidence)]
            for key, scores, confidence in zip(ids, logits, confidences, strict=True)
        ]
    return [
        None
        if keys is None
        else list(zip(_filled(scores, keys), _filled(confidence, keys), strict=True))
        for keys, scores, confidence in zip(ids, logits, confidences, strict=True)
    ]


def _filled(column: Iterable[Any] | None, keys: list[Any]) -> list[Any]:
    return list(column) if column is not None else [None] * len(keys)


def _probabilities(logits: Any, confidence: float | None) -> Floats | None:
    scores = _finite(logits)
    if scores is not None:
        raised = np.exp(scores - scores.max())
        shares: Floats = raised / raised.sum()
        return shares
    if confidence is None or not 0 <= confidence <= 1:
        return None
    return np.array([confidence, 1.0 - confidence])


def _finite(logits: Any) -> Floats | None:
    """The scores of all classes; None if there are not two, or one is no number or endless.

    A class that is ruled out may have minus infinity.
    """
    if logits is None or np.size(logits) < 2:
        return None
    scores = np.asarray(logits, dtype=np.float64).ravel()
    return scores if np.isfinite(scores.max()) else None
