"""Runs evaluations again whose labels have changed, and writes what that did to the score."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from ..detections import evaluate_detections
from ..kept import load_kept, run_ids
from ..scores import classes_of, curves_of
from .bootstrap import difference_interval
from .entries import Cost, Entry, Found, add_entry, forget_entries_of_gone_runs
from .error_kinds import count_errors

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import fiftyone as fo
    from fiftyone.core.collections import SampleCollection

    from ..detections import Evaluation
    from ..kept import Kept
    from ..options import EvaluationOptions
    from ..outcome import Outcome
    from ..tables import Detections


@dataclass(frozen=True)
class Occasion:
    """Why evaluations run again.

    Args:
        cause: ``pull`` or ``undo``
        round_key: the round
        fields: the fields whose labels may have changed
        sample_ids: the samples whose labels may have changed
        cost: what the round cost
        suspicions: what became of the suspicions about labels, see :class:`Entry`
    """

    cause: str
    round_key: str
    fields: Collection[str]
    sample_ids: Collection[str]
    cost: Cost = field(default_factory=Cost)
    suspicions: Sequence[Mapping[str, Any]] = ()


def evaluate_again(dataset: fo.Dataset, occasion: Occasion) -> list[Entry]:
    """Runs the evaluations again that the changed labels are part of.

    Each runs on the samples that it was made on, with its own options, whatever its view would
    show today.

    Args:
        dataset: the dataset
        occasion: why

    Returns:
        what was written to the ledger
    """
    entries = []
    touched = set(occasion.sample_ids)
    for eval_key, run_id in run_ids(dataset).items():
        kept = load_kept(run_id)
        if kept is None or not set(kept.comparison.fields) & set(occasion.fields):
            continue
        if touched.isdisjoint(kept.outcome.sample_ids):
            continue
        entry = _again(dataset, eval_key, kept, occasion)
        if entry:
            add_entry(run_id, entry)
            entries.append(entry)
    forget_entries_of_gone_runs()
    return entries


def _again(dataset: fo.Dataset, eval_key: str, kept: Kept, occasion: Occasion) -> Entry | None:
    comparison = kept.comparison
    done = evaluate_detections(
        _split(dataset, eval_key, kept.outcome),
        *comparison.fields,
        eval_key=eval_key,
        options=comparison.options,
    )
    if not done.changed:
        return None
    before, after = kept.outcome, done.outcome
    return Entry(
        eval_key=eval_key,
        at=datetime.now(UTC).replace(microsecond=0),
        cause=occasion.cause,
        round_key=occasion.round_key,
        split=_digest(*sorted(after.sample_ids)),
        predictions=_predictions(after.found),
        samples=done.score.samples,
        before=_found(before, comparison.options),
        after=_found(after, comparison.options),
        difference=difference_interval(before, after, comparison.options),
        cost=occasion.cost,
        sample_ids=done.changed,
        yardstick=_yardstick(done, before),
        suspicions=tuple(occasion.suspicions),
    )


def _split(dataset: fo.Dataset, eval_key: str, outcome: Outcome) -> SampleCollection:
    view = dataset.load_evaluation_view(eval_key)
    if view.values("id") == list(outcome.sample_ids):
        return view
    present = set(dataset.select(list(outcome.sample_ids)).values("id"))
    return dataset.select([one for one in outcome.sample_ids if one in present], ordered=True)


def _found(outcome: Outcome, options: EvaluationOptions) -> Found:
    classes = classes_of(outcome, options)
    curves = curves_of(outcome, options, classes)
    halves = [level for level, limit in enumerate(options.iou_threshs) if abs(limit - 0.5) < 1e-9]
    return Found(
        map=curves.average(),
        ap50=curves.average(halves[0]) if halves else None,
        by_class=dict(zip(classes, curves.of_classes(), strict=True)),
        errors={str(kind): count for kind, count in count_errors(outcome, options).items()},
    )


def _yardstick(done: Evaluation, before: Outcome) -> int:
    """On how many of the changed samples the ground truth has."""
    old = {sample_id: image for image, sample_id in enumerate(before.sample_ids)}
    new = {sample_id: image for image, sample_id in enumerate(done.outcome.sample_ids)}
    return sum(
        _truth(before, old.get(sample_id)) != _truth(done.outcome, new[sample_id])
        for sample_id in done.changed
    )


def _truth(outcome: Outcome, image: int | None) -> str:
    if image is None:
        return ""
    one = outcome.take(np.array([image]))
    return _labels(one.truth)


def _predictions(found: Detections) -> str:
    return _labels(found)


def _labels(table: Detections) -> str:
    return _digest(
        *map(str, table.label),
        table.box.tobytes().hex(),
        table.confidence.tobytes().hex(),
        table.crowd.tobytes().hex(),
    )


def _digest(*parts: str) -> str:
    return blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
