"""Evaluates detections as COCO does, as a FiftyOne evaluation run.

Labels are read some hundred samples at a time, matched as arrays, and kept beside the run; the
next evaluation under the same key matches the images again whose labels have changed. Nothing is
written before all is computed, and what was written is taken back if writing fails.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import fiftyone as fo

from .changes import Written, match_changed
from .errors import EvaluationError
from .fields import require_detections, require_predictions
from .matching.options import Comparison, EvaluationOptions
from .matching.reading import UNKNOWN, read_stamps
from .matching.validity import UNRANKED, require_confidences
from .scoring.results import make_results
from .scoring.scores import DetectionScore, classes_of, curves_of, marked, score_of
from .storing.kept import (
    Draft,
    Kept,
    Seen,
    begin_writing,
    draft_kept,
    end_writing,
    forget_orphans,
    load_kept,
    run_ids,
    save_kept,
)
from .storing.mark_writer import MarkWriter
from .storing.stored_run import (
    begin_run,
    delete_unused,
    know_runs,
    require_fields,
    save_run,
    stages_of,
    write_results,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from concurrent.futures import Executor, Future

    import numpy as np
    from bson import ObjectId
    from fiftyone.core.collections import SampleCollection
    from fiftyone.utils.eval.coco import COCODetectionResults
    from numpy.typing import NDArray

    from ..compute.inference.images import Progress
    from .changes import Matched
    from .matching.outcome import Outcome
    from .scoring.marks import Marked
    from .scoring.precision import Curves


@dataclass(frozen=True)
class Evaluation:
    """An evaluation.

    Args:
        score: how well predictions fit the ground truth
        outcome: who was matched to whom
        changed: the samples whose labels have changed since the evaluation that this one replaces,
            if that was of the same fields and options; else all
    """

    score: DetectionScore
    outcome: Outcome
    changed: tuple[str, ...]


def evaluate_detections(
    view: SampleCollection,
    predictions: str,
    ground_truth: str,
    *,
    eval_key: str,
    options: EvaluationOptions | None = None,
    written: Collection[str] | None = None,
    progress: Progress | None = None,
    before_writing: Callable[[], None] | None = None,
    on_matched: Callable[[Outcome], None] | None = None,
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
        written: the samples that were written since the last time, if that is known: then the
            labels of others are not even read, unless FiftyOne has written them as well
            (``last_modified_at``). Others may have written past FiftyOne, which only None, that
            reads all labels, can tell
        progress: called with how many samples are done and how many there are. It may raise to
            cancel: then all stays as it was
        before_writing: called once, right before anything is written; may raise to cancel
        on_matched: called once with who was matched to whom, before anything is written

    Returns:
        the score, and what it is made of

    Raises:
        EvaluationError: if the key cannot be used, a field holds something else, no prediction has
            a confidence, or labels were added or removed meanwhile
    """
    options = options or EvaluationOptions()
    dataset = view._dataset  # noqa: SLF001 - no public name
    know_runs(dataset, eval_key)
    require_eval_key(dataset, eval_key)
    comparison = Comparison(predictions, ground_truth, options)
    require_detections(dataset, comparison.fields)
    replaced = run_ids(dataset).get(eval_key)
    if replaced:
        require_fields(dataset, eval_key, comparison.config)
    with ThreadPoolExecutor(max_workers=1) as aside:
        since = Written(written, aside.submit(read_stamps, view)) if written is not None else None
        kept = load_kept(replaced) if replaced else None
        if kept and kept.comparison != comparison:
            kept = None
        matched = match_changed(view, comparison, kept, since, progress)
        outcome, changed = matched.pieces.outcome, matched.changed
        _require_something(outcome, predictions)

        classes = classes_of(outcome, options)
        curves = curves_of(outcome, options, classes)
        sides = marked(outcome, comparison)
        if on_matched:
            on_matched(outcome)
        if before_writing:
            before_writing()
        _save(
            view,
            eval_key,
            _Sums(replaced, matched, kept, comparison, classes, curves, sides),
            aside,
        )
    if progress:
        progress(len(outcome), len(outcome))
    score = score_of(
        eval_key,
        outcome,
        options,
        curves=curves,
        marks=(sides[0].marks, sides[1].marks),
        classes=classes,
        matched=len(changed),
    )
    ids = tuple(outcome.sample_ids[image] for image in changed)
    return Evaluation(score, outcome, ids)


@dataclass(frozen=True)
class _Sums:
    """What was found, what it amounts to, and which run it replaces."""

    replaced: ObjectId | None
    matched: Matched
    kept: Kept | None
    comparison: Comparison
    classes: Sequence[str]
    curves: Curves
    sides: tuple[Marked, Marked]


def _save(view: SampleCollection, eval_key: str, sums: _Sums, aside: Executor) -> None:
    """Writes the run, the marks, and what is kept; takes all back that was written if that fails.

    The results, which take longest, are written aside.
    """
    matched, kept, comparison = sums.matched, sums.kept, sums.comparison
    dataset = view._dataset  # noqa: SLF001 - no public name
    method = comparison.config.build()
    run_id = begin_run(view, eval_key, method, dynamic=comparison.options.dynamic)
    writer = MarkWriter(dataset, eval_key, comparison.fields)
    torn = begin_writing(run_id)

    def results_aside() -> tuple[COCODetectionResults, Future[ObjectId]]:
        results, text = make_results(
            view,
            eval_key,
            comparison.options,
            method=method,
            curves=sums.curves,
            classes=sums.classes,
            sides=sums.sides,
        )
        return results, aside.submit(write_results, text)

    file: Future[ObjectId] | None = None
    draft: Draft | None = None
    try:
        if not comparison.options.custom_metrics:
            results, file = results_aside()
        stamps = _write_marks(
            writer, matched, kept, sums.sides, replaced=sums.replaced is not None
        )
        if file is None:  # metrics of others may look at the marks
            results, file = results_aside()
        seen = Seen(stages_of(view), stamps)
        now = Kept(comparison, matched.pieces, seen, kept.file if kept else None)
        draft = draft_kept(run_id, now)
        unused = save_run(view, eval_key, run_id, results, file.result())
    except BaseException:
        if sums.replaced is None:
            dataset.delete_evaluation(eval_key)
        else:
            writer.take_back()
            if not torn:
                end_writing(run_id)
        if draft:
            draft.discard()
        if file:
            delete_unused(file.result())
        raise
    gone = aside.submit(delete_unused, unused)
    save_kept(run_id, draft, sums.curves.average())
    forget_orphans()
    gone.result()


def _require_something(outcome: Outcome, predictions: str) -> None:
    require_predictions(len(outcome), int((~outcome.predicted).sum()), predictions)
    unranked = sum(bad.reason == UNRANKED for bad in outcome.invalid)
    require_confidences(len(outcome.found), unranked, predictions)
    if not len(outcome.found) and not len(outcome.truth):
        raise EvaluationError(
            "There is nothing to evaluate: no prediction, and no ground truth.",
            "Choose samples with labels.",
        )


def _write_marks(
    writer: MarkWriter,
    matched: Matched,
    kept: Kept | None,
    sides: Sequence[Marked],
    *,
    replaced: bool,
) -> NDArray[np.int64]:
    """Writes what is new. Of a run whose marks are not known, all are written, or removed.

    Returns:
        when each sample was last written, since its labels were read by nobody but us
    """
    sample_ids = matched.pieces.outcome.sample_ids
    here = set(sample_ids)
    if kept:
        writer.clear([one for one in kept.pieces.sample_ids if one not in here])
    elif replaced:
        writer.clear([one for one in writer.marked_samples() if one not in here])
    changed = matched.changed
    written = writer.write(sample_ids, changed, sides)
    stamps = matched.stamps.copy()
    for image in changed:
        before, after = written[sample_ids[image]]
        stamps[image] = after if before == stamps[image] else UNKNOWN
    return stamps


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
