"""Runs evaluations again whose labels have changed, and writes what that did to the score."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from ...errors import RelabelError
from ..detections import evaluate_detections
from ..storing.kept import load_kept, run_ids
from ..storing.stored_run import know_runs
from .contrast import contrast
from .entries import (
    UNDO,
    Cost,
    Entry,
    add_entry,
    counted_pulls,
    forget_entries_of_gone_runs,
    is_standing,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import fiftyone as fo
    from bson import ObjectId
    from fiftyone.core.collections import SampleCollection

    from ..matching.outcome import Outcome
    from ..matching.tables import Detections
    from ..storing.kept import Kept

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pulled:
    """A pull whose cost is to be counted, once by each evaluation.

    Args:
        id: tells it from every other pull
        cost: what it cost
        sample_ids: the samples that it brought back, changed or not
    """

    id: str
    cost: Cost
    sample_ids: Collection[str]


@dataclass(frozen=True)
class Occasion:
    """Why evaluations run again.

    Args:
        cause: ``pull`` or ``undo``
        round_key: the round
        fields: the fields whose labels may have changed
        sample_ids: the samples whose labels may have changed
        pulls: the pulls that brought them back
        suspicions: what became of the suspicions about labels, see :class:`Entry`
        pull: the number of the pull that was made or taken back, see :class:`Entry`
    """

    cause: str
    round_key: str
    fields: Collection[str]
    sample_ids: Collection[str]
    pulls: Sequence[Pulled] = ()
    suspicions: Sequence[Mapping[str, Any]] = ()
    pull: int = 0


def evaluate_again(dataset: fo.Dataset, occasion: Occasion) -> list[Entry]:
    """Runs the evaluations again that the changed labels are part of, or the finished samples.

    A round that annotators were done with is listed even where they found nothing to change: that
    it changed nothing is what it did, and it had its cost. So is the undoing of such a pull. What
    an evaluation has counted of it before, in a process that came no further, it does not again.

    Each runs on the samples that it was made on, with its own options, whatever its view would
    show today. One that cannot run any more is left as it is.

    Args:
        dataset: the dataset
        occasion: why

    Returns:
        what was written to the ledger
    """
    entries = []
    now = datetime.now(UTC).replace(microsecond=0)
    touched = set(occasion.sample_ids)
    for eval_key, run_id in run_ids(dataset).items():
        kept = load_kept(run_id, even_interrupted=True)
        if kept is None or not set(kept.comparison.fields) & set(occasion.fields):
            continue
        samples = set(kept.outcome.sample_ids)
        pulls = _not_counted(run_id, occasion)
        is_listed = any(not samples.isdisjoint(one.sample_ids) for one in pulls)
        in_any_case = is_listed or _is_taken_back(run_id, occasion)
        if touched.isdisjoint(samples) and not in_any_case:
            continue
        try:
            now_due = replace(occasion, pulls=pulls)
            entry = _again(dataset, eval_key, kept, now_due, now, in_any_case=in_any_case)
        except RelabelError as error:  # e.g. the field of its predictions is gone
            logger.warning("'%s' could not be evaluated again: %s", eval_key, error)
            continue
        if entry:
            add_entry(run_id, entry)
            entries.append(entry)
    forget_entries_of_gone_runs()
    return entries


def _not_counted(run_id: ObjectId, occasion: Occasion) -> list[Pulled]:
    counted = counted_pulls(run_id)
    return [one for one in occasion.pulls if one.id not in counted]


def _is_taken_back(run_id: ObjectId, occasion: Occasion) -> bool:
    """Whether this undoes a pull that an evaluation has listed."""
    return occasion.cause == UNDO and is_standing(run_id, occasion.round_key, occasion.pull)


def _again(
    dataset: fo.Dataset,
    eval_key: str,
    kept: Kept,
    occasion: Occasion,
    now: datetime,
    *,
    in_any_case: bool,
) -> Entry | None:
    comparison = kept.comparison
    done = evaluate_detections(
        _split(dataset, eval_key, kept.outcome),
        *comparison.fields,
        eval_key=eval_key,
        options=comparison.options,
        written=occasion.sample_ids,
    )
    after = done.outcome
    # Of an evaluation that was interrupted all images are matched again, changed or not.
    changed = _differing(kept.outcome, after)
    if not changed and not in_any_case:
        return None
    found = contrast(kept.outcome, after, changed, comparison.options)
    return Entry(
        eval_key=eval_key,
        at=now,
        cause=occasion.cause,
        round_key=occasion.round_key,
        split=_digest(*sorted(after.sample_ids)),
        predictions=_labels(after.found),
        samples=done.score.samples,
        before=found.before,
        after=found.after,
        difference=found.difference,
        cost=sum((one.cost for one in occasion.pulls), Cost()),
        sample_ids=changed,
        mended=found.mended,
        by_class=found.by_class,
        by_error=found.by_error,
        suspicions=tuple(occasion.suspicions),
        pull=occasion.pull,
        counted=tuple(one.id for one in occasion.pulls),
    )


def _differing(before: Outcome, after: Outcome) -> tuple[str, ...]:
    """The samples whose labels are not as they were."""
    known = dict(zip(before.sample_ids, before.digest.tolist(), strict=True))
    pairs = zip(after.sample_ids, after.digest.tolist(), strict=True)
    return tuple(sample_id for sample_id, digest in pairs if known.get(sample_id) != digest)


def _split(dataset: fo.Dataset, eval_key: str, outcome: Outcome) -> SampleCollection:
    if not dataset.has_evaluation(eval_key):  # another process has made it, or given it its name
        know_runs(dataset, eval_key)
    view = dataset.load_evaluation_view(eval_key)
    if view.values("id") == list(outcome.sample_ids):
        return view
    present = set(dataset.select(list(outcome.sample_ids)).values("id"))
    return dataset.select([one for one in outcome.sample_ids if one in present], ordered=True)


def _labels(table: Detections) -> str:
    return _digest(
        *map(str, table.label),
        table.box.tobytes().hex(),
        table.confidence.tobytes().hex(),
        table.crowd.tobytes().hex(),
    )


def _digest(*parts: str) -> str:
    return blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
