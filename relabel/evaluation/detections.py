"""Evaluates detections as COCO does, as a FiftyOne evaluation run.

Everything is read at once and written at once; what is in between are arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fiftyone as fo
import fiftyone.utils.eval.coco as fouec
import numpy as np

from .errors import EvaluationError
from .marks import marks_of, write_marks
from .matching import match
from .precision import RECALLS, precision_recall
from .tables import read_detections

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

    from ..compute.images import Progress
    from .marks import Marks
    from .precision import Curves
    from .tables import Detections

IOUS = [x / 100 for x in range(50, 100, 5)]
"""The thresholds of COCO's mean average precision."""

_STEPS = 4
_CROWD = "iscrowd"
_IMPOSSIBLE = "negative size"
_NOT_NUMBERS = "not four finite numbers"
_UNSURE = "no confidence"


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
        EvaluationError: if the key cannot be used, no prediction has a confidence, or labels were
            added or removed meanwhile
    """
    dataset = view._dataset  # noqa: SLF001 - no public name
    require_eval_key(dataset, eval_key)
    tell = progress or _silent
    tell(0, _STEPS)
    sample_ids, (found, truth) = read_detections(view, [predictions, ground_truth], crowd=_CROWD)
    _require_confidences(found, predictions)
    invalid = [
        *_invalid(found, predictions, sample_ids, ranked=True),
        *_invalid(truth, ground_truth, sample_ids),
    ]
    found, truth = found.only(_is_valid(found, ranked=True)), truth.only(_is_valid(truth))
    tell(1, _STEPS)

    by_class = match(found, truth, [*IOUS, iou], classwise=True)
    classes = sorted({str(name) for name in (*found.label, *truth.label)})
    curves = precision_recall(found, truth, by_class.levels(len(IOUS)), classes)
    chosen = by_class if classwise else match(found, truth, [iou], classwise=False)
    marks = marks_of(found, truth, chosen.truth_of[-1], chosen.iou_of[-1])
    tell(2, _STEPS)

    config = fouec.COCOEvaluationConfig(
        predictions, ground_truth, iou=iou, classwise=classwise, iscrowd=_CROWD, compute_mAP=True
    )
    method = config.build()
    method.register_run(view, eval_key)
    method.register_samples(view, eval_key)
    marked = {predictions: (found, marks[0]), ground_truth: (truth, marks[1])}
    write_marks(dataset, eval_key, sample_ids, marked, predictions=predictions)
    tell(3, _STEPS)
    results = fouec.COCODetectionResults(
        view,
        config,
        eval_key,
        _pairs(found, truth, chosen.truth_of[-1], marks),
        curves.precision,
        RECALLS,
        IOUS,
        classes,
        recall_sweep=curves.recall,
        thresholds=curves.confidence,
        backend=method,
    )
    method.save_run_results(view, eval_key, results)
    method.add_fields_to_sidebar_group(view, eval_key, omit_fields=(predictions, ground_truth))
    tell(_STEPS, _STEPS)
    return _score(eval_key, curves, marks, len(sample_ids), invalid)


def _score(
    eval_key: str,
    curves: Curves,
    marks: tuple[Marks, Marks],
    samples: int,
    invalid: Sequence[InvalidLabel],
) -> DetectionScore:
    of_predictions, of_truth = marks
    return DetectionScore(
        eval_key=eval_key,
        map=curves.average(),
        ap50=curves.average(IOUS.index(0.5)),
        samples=samples,
        true_positives=of_predictions.kind.count("tp"),
        false_positives=of_predictions.kind.count("fp"),
        false_negatives=of_truth.kind.count("fn"),
        invalid=tuple(invalid),
    )


def _pairs(
    found: Detections,
    truth: Detections,
    truth_of: NDArray[np.int64],
    marks: tuple[Marks, Marks],
) -> list[tuple[Any, ...]]:
    """The matches as FiftyOne keeps them; crowds and predictions on them are left out."""
    of_predictions, of_truth = marks
    confidence = found.confidence.tolist()
    pairs: list[tuple[Any, ...]] = []
    for row, (kind, column) in enumerate(zip(of_predictions.kind, truth_of.tolist(), strict=True)):
        if kind is None:
            continue
        label, sure, own_id = found.label[row], confidence[row], found.ids[row]
        if column < 0:
            pairs.append((None, label, None, sure, None, own_id))
        else:
            iou = of_predictions.iou[row]
            pairs.append((truth.label[column], label, iou, sure, truth.ids[column], own_id))
    missed = (
        (truth.label[row], None, None, None, truth.ids[row], None)
        for row, (kind, partner) in enumerate(zip(of_truth.kind, of_truth.match, strict=True))
        if kind == "fn" and not partner
    )
    return [*pairs, *missed]


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
    """Finds the labels whose box cannot be evaluated.

    Args:
        view: the samples
        fields: fields of type ``Detections``
    """
    sample_ids, tables = read_detections(view, fields, crowd=_CROWD)
    return [
        bad
        for field, table in zip(fields, tables, strict=True)
        for bad in _invalid(table, field, sample_ids)
    ]


def _is_valid(labels: Detections, *, ranked: bool = False) -> NDArray[np.bool_]:
    box = labels.box
    unfit: NDArray[np.bool_] = np.any(~np.isfinite(box), axis=1)
    unfit |= np.any(box[:, 2:] < 0, axis=1)
    if ranked:
        unfit |= np.isnan(labels.confidence)
    return ~unfit


def _invalid(
    labels: Detections, field: str, sample_ids: Sequence[str], *, ranked: bool = False
) -> Iterator[InvalidLabel]:
    for row in np.flatnonzero(~_is_valid(labels, ranked=ranked)).tolist():
        box = labels.box[row]
        finite = np.isfinite(box).all()
        reason = _NOT_NUMBERS if not finite else _IMPOSSIBLE if (box[2:] < 0).any() else _UNSURE
        yield InvalidLabel(sample_ids[labels.image[row]], labels.ids[row], field, reason)


def _require_confidences(found: Detections, predictions: str) -> None:
    if len(found) and np.isnan(found.confidence).all():
        raise EvaluationError(
            f"The {len(found)} labels of '{predictions}' have no confidence.",
            "Choose a field of predictions; only those can be ranked.",
        )


def _silent(done: int, total: int) -> None:
    """Tells nobody."""


def detection_evaluations(dataset: fo.Dataset) -> Iterator[str]:
    """The names of the dataset's evaluation runs of detections."""
    for key in dataset.list_evaluations():
        if dataset.get_evaluation_info(key).config.type == "detection":
            yield key
