"""Finds label errors in a dataset, marks them, and keeps them as a run."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import fiftyone as fo

from ..detections import detection_evaluations
from ..fields import require_detections
from ..matching.options import CROWD
from .marks import ERROR, INSTEAD, SCORE, clear_marks, write_marks
from .oracle import fixed, mean_average_precision
from .queue import LabelError, LabelErrors, TypeSummary
from .ranking import rank
from .reading import read_scene
from .runs import DEFAULT_KEY, require_run_key, store_label_errors
from .saved_view import save_queue_view
from .suspicion import ErrorType

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from fiftyone.core.collections import SampleCollection

    from ...compute.inference.images import Progress
    from .ranking import Suspicion
    from .reading import Read

LEAST_PROBABILITY = 0.2
"""Below, about one of ten suspicions is right."""

_NO_ATTRIBUTES = frozenset({"label", "mask_path", ERROR, INSTEAD})


def find_label_errors(
    view: SampleCollection,
    predictions: str,
    ground_truth: str,
    *,
    key: str = DEFAULT_KEY,
    types: Collection[ErrorType] = tuple(ErrorType),
    classes: Collection[str] = (),
    least: float = LEAST_PROBABILITY,
    most: int | None = None,
    iscrowd: str | None = None,
    progress: Progress | None = None,
    before_writing: Callable[[], None] | None = None,
) -> LabelErrors:
    """Finds labels that are probably wrong, marks them, and keeps the queue as a run.

    A run of that name is replaced, and so are the marks on the labels of both fields. The images
    are a saved view of that name, worst first.

    Args:
        view: the samples
        predictions: the field of the predictions, each with a confidence. The fainter the
            predictions that it holds, the better
        ground_truth: the field of the labels
        key: the name of the run
        types: the types of errors to look for
        classes: of which classes; none means all. What a model does is learnt from all classes
        least: the least probability
        most: how many errors at most, or None for all
        iscrowd: the attribute that says whether a label stands for a crowd; None for
            :func:`crowd_attribute`
        progress: called with how many steps are done and how many there are; nothing is written
            before the last step
        before_writing: called once, right before anything is written; may raise to cancel

    Returns:
        the queue

    Raises:
        EvaluationError: if the key cannot be used, a field holds something else, no sample has
            predictions, or none of them has a confidence
    """
    dataset = view._dataset  # noqa: SLF001 - no public name
    require_run_key(dataset, key)
    require_detections(dataset, (predictions, ground_truth))
    tell = _Steps(progress, len(types) + 3)
    tell.next()
    crowd = iscrowd or crowd_attribute(dataset, predictions, ground_truth)
    attributes = shared_attributes(dataset, predictions, ground_truth, crowd)
    read = read_scene(view, predictions, ground_truth, attributes, crowd=crowd)
    ranked = rank(read.scene, types, told=lambda _: tell.next())
    chosen = [one for one in ranked if one.probability >= least and _is_of(one, read, classes)]
    chosen = chosen[:most]
    tell.next()
    queue = LabelErrors(
        key=key,
        ground_truth=ground_truth,
        predictions=predictions,
        errors=tuple(_as_error(one, read) for one in chosen),
        map_now=mean_average_precision(read.scene.predictions, read.scene.truth),
        summaries=tuple(_summaries(read, chosen, types)),
        invalid=read.invalid,
        unpredicted=read.unpredicted,
    )
    tell.next()
    if before_writing:
        before_writing()
    store_label_errors(view, queue)
    clear_marks(dataset, (ground_truth, predictions))
    write_marks(dataset, _marks(queue))
    save_queue_view(dataset, queue)
    tell.next()
    return queue


def crowd_attribute(dataset: fo.Dataset, predictions: str, ground_truth: str) -> str:
    """The attribute that marks a crowd in the last evaluation of two fields, else ``iscrowd``."""
    infos = map(dataset.get_evaluation_info, detection_evaluations(dataset))
    of_both = [
        info
        for info in infos
        if (info.config.pred_field, info.config.gt_field) == (predictions, ground_truth)
    ]
    last = max(of_both, key=lambda info: info.timestamp, default=None)
    return getattr(last and last.config, "iscrowd", None) or CROWD


def shared_attributes(
    dataset: fo.Dataset, predictions: str, ground_truth: str, crowd: str = CROWD
) -> list[str]:
    """The texts and switches that the labels of both fields have beside class and crowd."""
    left_by_runs = {f"{key}{end}" for key in dataset.list_evaluations() for end in ("", "_id")}
    names = []
    for one in (predictions, ground_truth):
        schema = dataset.get_field(f"{one}.detections").field.get_field_schema()
        kinds = (fo.StringField, fo.BooleanField)
        names.append({name for name, kind in schema.items() if isinstance(kind, kinds)})
    return sorted((names[0] & names[1]) - _NO_ATTRIBUTES - {crowd} - left_by_runs)


class _Steps:
    """Counts steps, and tells how many are done."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, -1

    def next(self) -> None:
        self._done += 1
        if self._progress:
            self._progress(self._done, self._total)


def _is_of(one: Suspicion, read: Read, classes: Collection[str]) -> bool:
    own = read.scene.truth.label[one.label] if one.label is not None else None
    return not classes or own in classes or one.instead in classes


def _as_error(one: Suspicion, read: Read) -> LabelError:
    truth, found = read.scene.truth, read.scene.predictions
    table, row = (found, one.prediction) if one.label is None else (truth, one.label)
    left, top, width, height = table.box[row].tolist()
    return LabelError(
        type=one.type,
        probability=one.probability,
        sample_id=read.sample_ids[one.image],
        label_id=None if one.label is None else truth.ids[one.label],
        prediction_id=None if one.prediction is None else found.ids[one.prediction],
        label=str(table.label[row]),
        box=(left, top, width, height),
        instead=one.instead,
        attribute=one.attribute,
        value=_value(one, read),
        twin_id=None if one.twin is None else truth.ids[one.twin],
    )


def _value(one: Suspicion, read: Read) -> Any:
    """The value of the attribute that is doubted."""
    scene = read.scene
    if one.attribute == scene.crowd_attribute:
        return bool(scene.truth.crowd[one.label])
    values = (each for each in scene.attributes if each.name == one.attribute)
    return next((each.of_labels[one.label] for each in values), None)


def _summaries(
    read: Read, chosen: Sequence[Suspicion], types: Collection[ErrorType]
) -> Iterable[TypeSummary]:
    by_type = defaultdict(list)
    for one in chosen:
        by_type[one.type].append(one)
    for kind in ErrorType:
        if kind in types:
            truth = fixed(read.scene, by_type[kind])
            yield TypeSummary(
                type=kind,
                count=len(by_type[kind]),
                expected=sum(one.probability for one in by_type[kind]),
                map_fixed=mean_average_precision(read.scene.predictions, truth),
            )


def _marks(queue: LabelErrors) -> dict[tuple[str, str, str], dict[str, Any]]:
    marks = {}
    for error in queue.errors:
        label_id = error.label_id or error.prediction_id
        place = queue.ground_truth if error.label_id else queue.predictions
        if label_id:
            marks[error.sample_id, place, label_id] = {
                ERROR: str(error.type),
                SCORE: error.probability,
                INSTEAD: _in_words(error),
            }
    return marks


def _in_words(error: LabelError) -> str | None:
    if error.attribute:
        return f"{error.attribute}: {error.instead}"
    return None if error.instead is None else str(error.instead)
