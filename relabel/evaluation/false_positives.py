"""Finds confident predictions without ground truth: where a label is most likely missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .detections import detection_evaluations
from .errors import EvaluationError

if TYPE_CHECKING:
    import fiftyone as fo
    from fiftyone.core.collections import SampleCollection


@dataclass(frozen=True)
class FalsePositive:
    """A prediction that evaluation matched with nothing.

    Args:
        sample_id: the sample that holds it
        label_id: the prediction
        label: its class
        confidence: its confidence, in [0, 1]
    """

    sample_id: str
    label_id: str
    label: str
    confidence: float


@dataclass(frozen=True)
class FalsePositives:
    """What was found, the most confident first.

    Args:
        eval_key: the evaluation that marked them
        field: the field of the predictions
        labels: the predictions
        sample_ids: their samples, each once, ordered by its most confident one
    """

    eval_key: str
    field: str
    labels: tuple[FalsePositive, ...]
    sample_ids: tuple[str, ...]

    def view(self, dataset: fo.Dataset) -> SampleCollection:
        """The samples, in order: whole images with all their labels.

        Not patches: sending those to be annotated would leave the ground truth behind.
        """
        return dataset.select(list(self.sample_ids), ordered=True)


def find_false_positives(
    view: SampleCollection, eval_key: str, *, confidence: float = 0.8
) -> FalsePositives:
    """Finds the predictions that an evaluation marked false though the model was sure.

    Args:
        view: where to look
        eval_key: the evaluation run
        confidence: the least confidence

    Returns:
        what was found, the most confident first

    Raises:
        EvaluationError: if there is no such evaluation of detections
    """
    dataset = view._dataset  # noqa: SLF001
    require_evaluation(dataset, eval_key)
    field = dataset.get_evaluation_info(eval_key).config.pred_field
    labels = sorted(
        _confident_false(view, field, eval_key, confidence),
        key=lambda found: (-found.confidence, found.sample_id, found.label_id),
    )
    return FalsePositives(
        eval_key=eval_key,
        field=field,
        labels=tuple(labels),
        sample_ids=tuple(dict.fromkeys(found.sample_id for found in labels)),
    )


def require_evaluation(dataset: fo.Dataset, eval_key: str | None) -> str:
    """Checks that a dataset has an evaluation of detections.

    Returns:
        its name

    Raises:
        EvaluationError: if it has not
    """
    known = list(detection_evaluations(dataset))
    if not known:
        raise EvaluationError(
            "This dataset has no evaluation of detections.", "Evaluate detections first."
        )
    if not eval_key or eval_key not in known:
        raise EvaluationError(
            f"There is no evaluation '{eval_key}'." if eval_key else "No evaluation is chosen.",
            f"Choose one of: {', '.join(known)}.",
        )
    return eval_key


def _confident_false(
    view: SampleCollection, field: str, eval_key: str, confidence: float
) -> list[FalsePositive]:
    path = f"{field}.detections"
    columns = view.values(
        [
            "id",
            f"{path}.id",
            f"{path}.label",
            f"{path}.confidence",
            f"{path}.{eval_key}",
        ]
    )
    found = []
    for sample_id, ids, names, confidences, verdicts in zip(*columns, strict=True):
        rows = zip(ids or [], names or [], confidences or [], verdicts or [], strict=True)
        for label_id, name, sureness, verdict in rows:
            if verdict == "fp" and sureness is not None and sureness >= confidence:
                found.append(FalsePositive(sample_id, label_id, name, float(sureness)))
    return found
