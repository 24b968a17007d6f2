"""Evaluates detections as COCO does, as a FiftyOne evaluation run.

Labels are read some hundred samples at a time, matched as arrays, and kept beside the run; the
next evaluation under the same key matches the images again whose labels have changed. Nothing is
written before all is computed, and what was written is taken back if writing fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fiftyone as fo
import fiftyone.utils.eval.coco as fouec
import numpy as np

from .errors import EvaluationError
from .kept import (
    Kept,
    begin_writing,
    end_writing,
    forget_orphans,
    load_kept,
    run_ids,
    save_kept,
)
from .marks import MarkWriter
from .options import Comparison, EvaluationOptions
from .outcome import empty, fields_of, joined, leaves_of, match_images
from .precision import RECALLS
from .reading import digests, read_raw
from .scores import DetectionScore, classes_of, curves_of, marked, score_of
from .stored_run import begin_run, require_fields, save_run
from .validity import UNRANKED, require_confidences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bson import ObjectId
    from fiftyone.core.collections import SampleCollection

    from ..compute.images import Progress
    from .marks import Marked
    from .outcome import Outcome

_WRITING = 0.2
"""About how much of the time goes into writing, as a share of the reading."""


@dataclass(frozen=True)
class Evaluation:
    """An evaluation, and the one before it under the same key.

    Args:
        score: how well predictions fit the ground truth
        outcome: who was matched to whom
        before: the same of the evaluation that this one replaces, if it was of the same fields
            and options
        changed: the samples whose labels have changed since
    """

    score: DetectionScore
    outcome: Outcome
    before: Outcome | None
    changed: tuple[str, ...]


def evaluate_detections(
    view: SampleCollection,
    predictions: str,
    ground_truth: str,
    *,
    eval_key: str,
    options: EvaluationOptions | None = None,
    progress: Progress | None = None,
    before_writing: Callable[[], None] | None = None,
) -> Evaluation:
    """Evaluates predictions against ground truth, as COCO does.

    Ground truth that stands for a crowd neither counts as missed nor makes a prediction on it
    false. Labels that cannot be evaluated, and samples that the model has not seen, are left out
    and named.

    Args:
        view: the samples to evaluate, e.g. one split
        predictions: the field of the predictions, each with a confidence
        ground_truth: the field of the ground truth
        eval_key: the name of the run; a run of that name is replaced, and only the images that
            have changed since are matched again
        options: how to match
        progress: called with how many samples are done and how many there are. It may raise to
            cancel: then all stays as it was
        before_writing: called once, right before anything is written; may raise to cancel

    Returns:
        the score, and what it is made of

    Raises:
        EvaluationError: if the key cannot be used, no prediction has a confidence, or labels were
            added or removed meanwhile
    """
    options = options or EvaluationOptions()
    dataset = view._dataset  # noqa: SLF001 - no public name
    require_eval_key(dataset, eval_key)
    comparison = Comparison(predictions, ground_truth, options)
    config = comparison.config
    require_fields(dataset, eval_key, config)
    replaced = run_ids(dataset).get(eval_key)
    kept = load_kept(replaced) if replaced else None
    before = kept.outcome if kept and kept.comparison == comparison else None
    outcome, changed = _match(view, comparison, before, progress)
    _require_something(outcome, predictions)

    classes = classes_of(outcome, options)
    curves = curves_of(outcome, options, classes)
    sides = marked(outcome, comparison)
    method = config.build()
    if before_writing:
        before_writing()
    run_id = begin_run(view, eval_key, method)
    writer = MarkWriter(dataset, eval_key, comparison.fields)
    begin_writing(run_id)
    try:
        _write_marks(writer, outcome, before, changed, sides, replaced=replaced is not None)
        results = fouec.COCODetectionResults(
            view,
            config,
            eval_key,
            _pairs(outcome, sides),
            curves.precision,
            RECALLS,
            list(options.iou_threshs),
            classes,
            recall_sweep=curves.recall,
            thresholds=curves.confidence,
            missing=options.missing,
            backend=method,
        )
        method.compute_custom_metrics(view, eval_key, results)
        save_run(view, eval_key, run_id, results)
    except BaseException:
        _take_back(dataset, eval_key, writer, run_id, replaced)
        raise
    save_kept(run_id, Kept(comparison, outcome), curves.average())
    forget_orphans()
    if progress:
        progress(len(outcome), len(outcome))
    score = score_of(
        eval_key,
        outcome,
        options,
        curves=curves,
        marks=(sides[0].marks, sides[1].marks),
        matched=len(changed),
    )
    ids = tuple(outcome.sample_ids[image] for image in changed)
    return Evaluation(score, outcome, before, ids)


def _match(
    view: SampleCollection,
    comparison: Comparison,
    before: Outcome | None,
    progress: Progress | None,
) -> tuple[Outcome, list[int]]:
    """Matches the images that are not as they were.

    Returns:
        the outcome of all images, and the numbers of those that were matched
    """
    total = view.count() if progress else 0
    known = dict(zip(before.sample_ids, before.digest.tolist(), strict=True)) if before else {}
    place = {sample_id: number for number, sample_id in enumerate(known)}
    parts = [before or empty(comparison.options)]
    size, done = len(parts[0]), 0
    order: list[int] = []
    changed: list[int] = []
    leaves, others = leaves_of(comparison.options), fields_of(comparison.options)
    for raw in read_raw(view, comparison.fields, leaves, others):
        if progress:
            progress(done, round(total * (1 + _WRITING)))
        new: list[bytes] = []
        for document, digest in zip(raw, digests(raw).tolist(), strict=True):
            sample_id = _id_of(document)
            if known.get(sample_id) == digest:
                order.append(place[sample_id])
            else:
                changed.append(len(order))
                order.append(size + len(new))
                new.append(document)
        if new:
            parts.append(match_images(new, comparison))
            size += len(new)
        done += len(raw)
    return joined(parts).take(np.array(order, dtype=np.int64)), changed


def _id_of(document: bytes) -> str:
    """The id of a document of BSON; MongoDB puts it first, behind 9 bytes."""
    return document[9:21].hex()


def _require_something(outcome: Outcome, predictions: str) -> None:
    if len(outcome) and not outcome.predicted.any():
        raise EvaluationError(
            f"None of the {len(outcome):,} samples has predictions in '{predictions}'.",
            "Apply a model to them first.",
        )
    unranked = sum(bad.reason == UNRANKED for bad in outcome.invalid)
    require_confidences(len(outcome.found), unranked, predictions)
    if not len(outcome.found) and not len(outcome.truth):
        raise EvaluationError(
            "There is nothing to evaluate: no prediction, and no ground truth.",
            "Choose samples with labels.",
        )


def _write_marks(
    writer: MarkWriter,
    outcome: Outcome,
    before: Outcome | None,
    changed: Sequence[int],
    sides: Sequence[Marked],
    *,
    replaced: bool,
) -> None:
    """Writes what is new. Of a run whose marks are not known, all are written, or removed."""
    here = set(outcome.sample_ids)
    if before is not None:
        gone = [sample_id for sample_id in before.sample_ids if sample_id not in here]
        writer.clear(gone)
    elif replaced:
        writer.clear([one for one in writer.marked_samples() if one not in here])
    writer.write(outcome.sample_ids, changed, sides)


def _take_back(
    dataset: fo.Dataset,
    eval_key: str,
    writer: MarkWriter,
    run_id: ObjectId,
    replaced: ObjectId | None,
) -> None:
    if replaced is None:
        dataset.delete_evaluation(eval_key)
    else:
        writer.take_back()
        end_writing(run_id)


def _pairs(outcome: Outcome, sides: Sequence[Marked]) -> list[tuple[Any, ...]]:
    """The matches as FiftyOne keeps them; crowds and predictions on them are left out."""
    found, truth = outcome.found, outcome.truth
    of_found, of_truth = (side.marks for side in sides)
    columns = outcome.truth_rows(outcome.chosen).tolist()
    confidence = found.confidence.tolist()
    pairs: list[tuple[Any, ...]] = []
    for row, (kind, column) in enumerate(zip(of_found.kind, columns, strict=True)):
        if kind is None:
            continue
        label, sure, own_id = found.label[row], confidence[row], found.ids[row]
        if column < 0:
            pairs.append((None, label, None, sure, None, own_id))
        else:
            iou = of_found.iou[row]
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


def detection_evaluations(dataset: fo.Dataset) -> Iterator[str]:
    """The names of the dataset's evaluation runs of detections."""
    for key in dataset.list_evaluations():
        if dataset.get_evaluation_info(key).config.type == "detection":
            yield key
