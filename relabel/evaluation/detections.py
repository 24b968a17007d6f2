"""Evaluates detections as COCO does, as a FiftyOne evaluation run.

A first form on FiftyOne's own evaluation: its figures agree with pycocotools, its time does not
(some 25 ms per image; the tracking of documents costs most of it).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fiftyone as fo
import numpy as np

from .errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fiftyone.core.collections import SampleCollection

    from ..compute.images import Progress

_PASSES = 2  # FiftyOne goes over the samples once to match, once for the sweep over IoUs
_IMPOSSIBLE = "negative size"
_NOT_NUMBERS = "not four finite numbers"


@dataclass(frozen=True)
class InvalidLabel:
    """A label that cannot be evaluated and was left out.

    Args:
        sample_id: the sample that holds it
        label_id: the label
        field: the label field
        reason: what is wrong with its box
    """

    sample_id: str
    label_id: str
    field: str
    reason: str


@dataclass(frozen=True)
class DetectionScore:
    """How well predictions fit the ground truth.

    Args:
        eval_key: the name of the evaluation run
        map: COCO's mean average precision over IoU .50:.95, in [0, 1]; None without ground truth
        ap50: the same at IoU .50
        samples: how many samples were evaluated
        true_positives: predictions matched at the run's IoU
        false_positives: predictions that matched nothing
        false_negatives: ground truth that nothing matched
        invalid: labels that could not be evaluated
    """

    eval_key: str
    map: float | None
    ap50: float | None
    samples: int
    true_positives: int
    false_positives: int
    false_negatives: int
    invalid: tuple[InvalidLabel, ...]


def evaluate_detections(
    view: SampleCollection,
    predictions: str,
    ground_truth: str,
    *,
    eval_key: str,
    iou: float = 0.5,
    classwise: bool = True,
    progress: Progress | None = None,
) -> DetectionScore:
    """Evaluates predictions against ground truth, as COCO does.

    Ground truth whose attribute ``iscrowd`` is true neither counts as missed nor makes a
    prediction on it false.

    Args:
        view: the samples to evaluate, e.g. one split
        predictions: the field of the predictions, each with a confidence
        ground_truth: the field of the ground truth
        eval_key: the name of the run; a run of that name is replaced
        iou: from which IoU on a prediction counts as true
        classwise: whether only labels of one class are matched. False links a prediction of the
            wrong class to what it lies on, but per-class figures are then skewed
        progress: called with how many steps are done and how many there are

    Returns:
        the score

    Raises:
        EvaluationError: if the key cannot be used, or a prediction has no confidence
    """
    require_eval_key(view._dataset, eval_key)  # noqa: SLF001
    invalid = find_invalid_labels(view, [predictions, ground_truth])
    valid_view = _without(view, invalid)
    _require_confidences(valid_view, predictions)
    results = valid_view.evaluate_detections(
        predictions,
        gt_field=ground_truth,
        eval_key=eval_key,
        method="coco",
        iou=iou,
        classwise=classwise,
        compute_mAP=True,
        progress=_as_fiftyone_progress(progress) if progress else False,
    )
    counts = _counts(valid_view, eval_key)
    return DetectionScore(
        eval_key=eval_key,
        map=_as_score(results.mAP()),
        ap50=_ap_at(results, 0.5),
        samples=valid_view.count(),
        true_positives=counts["tp"],
        false_positives=counts["fp"],
        false_negatives=counts["fn"],
        invalid=tuple(invalid),
    )


def require_eval_key(dataset: fo.Dataset, eval_key: str | None) -> str:
    """Checks that an evaluation run may have a name.

    Returns:
        the name

    Raises:
        EvaluationError: if it is not an identifier, or is taken by something else
    """
    if not eval_key or not eval_key.isidentifier():
        raise EvaluationError(
            f"'{eval_key or ''}' cannot name an evaluation.",
            "Use letters, digits and underscores, with a letter first, e.g. eval_before.",
        )
    if eval_key in fo.Detection._fields_ordered:  # noqa: SLF001
        raise EvaluationError(
            f"Every label has a field '{eval_key}'; the evaluation would overwrite it.",
            "Choose another name.",
        )
    if eval_key in dataset.list_evaluations():
        kind = dataset.get_evaluation_info(eval_key).config.type
        if kind != "detection":
            raise EvaluationError(
                f"'{eval_key}' is an evaluation of another kind ({kind}).", "Choose another name."
            )
    return eval_key


def find_invalid_labels(view: SampleCollection, fields: Sequence[str]) -> list[InvalidLabel]:
    """Finds the labels whose box cannot be evaluated; one of them would end the whole run.

    Args:
        view: the samples
        fields: fields of type ``Detections``
    """
    invalid = []
    for field in fields:
        sample_ids, label_ids, boxes = view.values(
            ["id", f"{field}.detections.id", f"{field}.detections.bounding_box"]
        )
        for sample_id, ids, sample_boxes in zip(sample_ids, label_ids, boxes, strict=True):
            for label_id, box in zip(ids or [], sample_boxes or [], strict=True):
                reason = _fault(box)
                if reason:
                    invalid.append(InvalidLabel(sample_id, label_id, field, reason))
    return invalid


def _fault(box: Sequence[float] | None) -> str | None:
    if box is None or len(box) != 4:
        return _NOT_NUMBERS
    if any(value is None or not math.isfinite(value) for value in box):
        return _NOT_NUMBERS
    return _IMPOSSIBLE if box[2] < 0 or box[3] < 0 else None


def _without(view: SampleCollection, invalid: Sequence[InvalidLabel]) -> SampleCollection:
    for field in sorted({label.field for label in invalid}):
        ids = [label.label_id for label in invalid if label.field == field]
        view = view.exclude_labels(ids=ids, fields=[field], omit_empty=False)
    return view


def _require_confidences(view: SampleCollection, predictions: str) -> None:
    path = f"{predictions}.detections"
    missing = view.count(f"{path}.id") - view.count(f"{path}.confidence")
    if missing:
        raise EvaluationError(
            f"{missing} labels of '{predictions}' have no confidence.",
            "Choose a field of predictions; only those can be ranked.",
        )


def _counts(view: SampleCollection, eval_key: str) -> Counter[str]:
    kinds = ("tp", "fp", "fn")
    sums = [view.sum(f"{eval_key}_{kind}") for kind in kinds]
    return Counter({kind: int(total or 0) for kind, total in zip(kinds, sums, strict=True)})


def _ap_at(results: Any, iou: float) -> float | None:
    at = int(np.argmin(np.abs(results.iou_threshs - iou)))
    if abs(results.iou_threshs[at] - iou) > 1e-6 or not results.precision.size:
        return None
    per_class = results.precision[at].mean(axis=1)
    present = per_class[per_class > -1]
    return float(present.mean()) if present.size else None


def _as_score(value: float) -> float | None:
    return float(value) if value >= 0 else None


def _as_fiftyone_progress(progress: Progress) -> Callable[[Any], None]:
    """Counts the steps of FiftyOne's passes, each of which has a progress bar of its own."""
    passes: dict[int, Any] = {}

    def on_step(bar: Any) -> None:
        passes.setdefault(id(bar), bar)  # kept, so that no other takes its id
        total = bar.total or 0
        progress((len(passes) - 1) * total + bar.iteration, _PASSES * total)

    return on_step


def detection_evaluations(dataset: fo.Dataset) -> Iterator[str]:
    """The names of the dataset's evaluation runs of detections."""
    for key in dataset.list_evaluations():
        if dataset.get_evaluation_info(key).config.type == "detection":
            yield key
