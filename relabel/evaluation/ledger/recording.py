"""Runs evaluations again whose labels have changed, and writes what that did to the score."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from bson import ObjectId

from ...errors import RelabelError, Unforeseen
from ..detections import evaluate_detections
from ..storing.kept import kept_version, load_kept, run_ids
from ..storing.stored_run import know_runs
from .contrast import contrast
from .debts import (
    Debt,
    PullCost,
    forget_debt,
    forget_debts_of_gone_runs,
    load_debts,
    owe,
)
from .entries import (
    UNDO,
    Cost,
    Entry,
    counted_pulls,
    draft_entry,
    forget_entries_of_gone_runs,
    is_standing,
    settle_drafts,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import fiftyone as fo
    from fiftyone.core.collections import SampleCollection

    from ..matching.outcome import Outcome
    from ..matching.tables import Detections
    from ..storing.kept import Kept

logger = logging.getLogger(__name__)
_LOOKED_AT = 50
"""Labels; one is enough, but it may have been deleted."""


@dataclass(frozen=True)
class Pulled:
    """A pull whose cost is to be counted, once by each evaluation.

    Args:
        id: tells it from every other pull
        cost: what it cost
        sample_ids: the samples that it brought back, changed or not
        number: its number in its round, 0 if there is nothing of it to undo
    """

    id: str
    cost: Cost
    sample_ids: Collection[str]
    number: int = 0


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
    show today. One that cannot run is left as it is, and owes its entry: see :mod:`.debts`.

    Args:
        dataset: the dataset
        occasion: why

    Returns:
        what was written to the ledger
    """

    def due(run_id: ObjectId, eval_key: str, kept: Kept, before: Debt | None) -> Debt | None:
        debt = _due(dataset, run_id, eval_key, kept, occasion)
        if before is None:
            return debt
        if occasion.cause == UNDO:
            before = before.without(occasion.round_key, occasion.pull)
        if debt:
            return _together(before, debt)
        return before if occasion.round_key in before.rounds else None

    return _evaluate_due(dataset, due, written=occasion.sample_ids)


def evaluate_owed(dataset: fo.Dataset, round_key: str | None = None) -> list[Entry]:
    """Tries again to run the evaluations that owe an entry.

    Args:
        dataset: the dataset
        round_key: a round that they have not measured yet, or None for all

    Returns:
        what was written to the ledger
    """

    def due(_run_id: ObjectId, _eval_key: str, _kept: Kept, before: Debt | None) -> Debt | None:
        return before if before and round_key in (None, *before.rounds) else None

    return _evaluate_due(dataset, due, written=None) if load_debts(dataset) else []


def _evaluate_due(
    dataset: fo.Dataset,
    due: Callable[[ObjectId, str, Kept, Debt | None], Debt | None],
    written: Collection[str] | None,
) -> list[Entry]:
    """Runs those evaluations again that are due. One that fails does not hinder the others."""
    entries, unread = [], []
    before = load_debts(dataset)
    for eval_key, run_id in run_ids(dataset).items():
        try:
            kept = load_kept(run_id, even_interrupted=True)
            if kept is None:
                continue
            settle_drafts(run_id, kept.version)
            debt = due(run_id, eval_key, kept, before.get(run_id))
        except Exception as error:
            logger.exception("Nobody knows whether '%s' is to be evaluated again", eval_key)
            unread.append(error)
            continue
        if debt:
            # What was owed is of samples that nobody names any more.
            written_now = None if run_id in before else written
            entry = _pay(dataset, run_id, kept, debt, written_now)
            entries += [entry] if entry else []
    forget_entries_of_gone_runs()
    forget_debts_of_gone_runs()
    if unread:
        raise unread[0]
    return entries


def _pay(
    dataset: fo.Dataset,
    run_id: ObjectId,
    kept: Kept,
    debt: Debt,
    written: Collection[str] | None,
) -> Entry | None:
    """Runs an evaluation again, or notes why it cannot."""
    try:
        entry = _again(dataset, run_id, kept, debt, written)
    except RelabelError as error:  # e.g. the field of its predictions is gone
        logger.warning("'%s' could not be evaluated again: %s", debt.eval_key, error)
        advice = (
            "Put that right and try again in the Improvement panel; or evaluate anew to see what "
            f"the round did, and delete '{debt.eval_key}' if it is not needed any more."
        )
        owe(run_id, replace(debt, message=error.message, advice=advice), kept.version)
    except Exception as error:
        logger.exception("'%s' could not be evaluated again", debt.eval_key)
        message, advice = Unforeseen(error).message, "Try again in the Improvement panel. "
        advice += Unforeseen(error).advice
        owe(run_id, replace(debt, message=message, advice=advice), kept.version)
    else:
        forget_debt(run_id)
        return entry
    return None


def _due(
    dataset: fo.Dataset, run_id: ObjectId, eval_key: str, kept: Kept, occasion: Occasion
) -> Debt | None:
    """What an evaluation is to write to the ledger; None if it is not about what was touched."""
    samples = set(kept.outcome.sample_ids)
    counted = counted_pulls(run_id)
    pulls = [one for one in occasion.pulls if one.id not in counted]
    is_listed = any(not samples.isdisjoint(one.sample_ids) for one in pulls)
    in_any_case = is_listed or _is_taken_back(run_id, occasion)
    if samples.isdisjoint(occasion.sample_ids) and not in_any_case:
        return None
    if not _is_of(dataset, kept, occasion):
        return None
    return _of(eval_key, replace(occasion, pulls=pulls), in_any_case=in_any_case)


def _of(eval_key: str, occasion: Occasion, *, in_any_case: bool = False) -> Debt:
    pulls = (PullCost(one.id, occasion.round_key, one.number, one.cost) for one in occasion.pulls)
    return Debt(
        eval_key=eval_key,
        at=datetime.now(UTC).replace(microsecond=0),
        cause=occasion.cause,
        round_key=occasion.round_key,
        pull=occasion.pull,
        rounds=(occasion.round_key,),
        pulls=tuple(pulls),
        suspicions=tuple(occasion.suspicions),
        in_any_case=in_any_case,
    )


def _together(before: Debt, now: Debt) -> Debt:
    """What was owed before, and what has come to it."""
    known = {one.id for one in before.pulls}
    return replace(
        now,
        rounds=tuple(dict.fromkeys((*before.rounds, *now.rounds))),
        pulls=(*before.pulls, *(one for one in now.pulls if one.id not in known)),
        suspicions=now.suspicions or before.suspicions,
        in_any_case=now.in_any_case or bool(before.pulls),
    )


def _is_of(dataset: fo.Dataset, kept: Kept, occasion: Occasion) -> bool:
    """Whether an evaluation is of labels that may have changed, whatever their field is called."""
    comparison = kept.comparison
    if set(comparison.fields) & set(occasion.fields):
        return True
    if dataset.has_field(comparison.ground_truth):
        return False
    truth = kept.outcome.truth
    ids = [ObjectId(one) for one in truth.ids[:_LOOKED_AT]]
    samples = {kept.outcome.sample_ids[image] for image in truth.image[:_LOOKED_AT]}
    query: dict[str, Any] = {"_id": {"$in": list(map(ObjectId, samples))}}
    places = [{f"{name}.detections._id": {"$in": ids}} for name in occasion.fields]
    found = dataset._sample_collection.find_one({**query, "$or": places}) if places else None  # noqa: SLF001
    return found is not None


def _is_taken_back(run_id: ObjectId, occasion: Occasion) -> bool:
    """Whether this undoes a pull that an evaluation has listed."""
    return occasion.cause == UNDO and is_standing(run_id, occasion.round_key, occasion.pull)


def _again(
    dataset: fo.Dataset,
    run_id: ObjectId,
    kept: Kept,
    debt: Debt,
    written: Collection[str] | None,
) -> Entry | None:
    """Runs an evaluation again. Its entry is written before it, and comes to hold with it."""
    comparison, entry = kept.comparison, None

    def draft(after: Outcome) -> None:
        nonlocal entry
        # Of an evaluation that was interrupted all images are matched again, changed or not.
        changed = _differing(kept.outcome, after)
        if changed or debt.in_any_case:
            entry = _entry(kept, after, changed, debt)
            draft_entry(run_id, entry, kept.version)

    try:
        evaluate_detections(
            _split(dataset, debt.eval_key, kept.outcome),
            *comparison.fields,
            eval_key=debt.eval_key,
            options=comparison.options,
            written=written,
            on_matched=draft,
        )
    finally:
        settle_drafts(run_id, kept_version(run_id))
    return entry


def _entry(kept: Kept, after: Outcome, changed: Sequence[str], debt: Debt) -> Entry:
    found = contrast(kept.outcome, after, changed, kept.comparison.options)
    return Entry(
        eval_key=debt.eval_key,
        at=debt.at,
        cause=debt.cause,
        round_key=debt.round_key,
        split=_digest(*sorted(after.sample_ids)),
        predictions=_labels(after.found),
        samples=int(after.predicted.sum()),
        before=found.before,
        after=found.after,
        difference=found.difference,
        cost=sum((one.cost for one in debt.pulls), Cost()),
        sample_ids=tuple(changed),
        mended=found.mended,
        by_class=found.by_class,
        by_error=found.by_error,
        suspicions=debt.suspicions,
        pull=debt.pull,
        counted=tuple(one.id for one in debt.pulls),
        caught_up=tuple(key for key in debt.rounds if key != debt.round_key),
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
