"""What follows a pull: the same evaluation again, and what became of suspicions about labels."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from .annotation import (
    expect_following,
    list_rounds,
    note_followed,
    note_unfollowed,
    report_owed,
    rounds_owed,
    samples_of_round,
)
from .annotation.planning.effort import label_seconds, total_minutes
from .errors import RelabelError, Unforeseen
from .evaluation.label_errors.runs import label_error_runs
from .evaluation.label_errors.settling import (
    outcomes_by_round,
    settle_suspicions,
    unsettle_suspicions,
)
from .evaluation.ledger.debts import load_debts
from .evaluation.ledger.entries import PULL, UNDO, Cost
from .evaluation.ledger.recording import Occasion, Pulled, evaluate_again, evaluate_owed
from .evaluation.storing.kept import run_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import fiftyone as fo

    from .annotation import PullReport, Round, UndoReport
    from .cvat import CvatClient
    from .evaluation.ledger.entries import Entry

logger = logging.getLogger(__name__)


def after_pull(dataset: fo.Dataset, report: PullReport) -> list[Entry]:
    """Settles suspicions and evaluates again what a pull has changed.

    Args:
        dataset: the dataset
        report: what the pull did

    Returns:
        what was written to the ledger, one entry for each evaluation
    """
    pulls = [report.id, *(one.pull.id for one in report.caught_up)]
    return _followed(
        dataset, report.key, lambda record: _after_pull(dataset, report, record), pulls
    )


def _after_pull(dataset: fo.Dataset, report: PullReport, record: Round | None) -> list[Entry]:
    owed = samples_of_round(record.id) if record and report.owed else []
    if owed:  # a process died before this, after a pull or after the undoing of one
        unsettle_suspicions(dataset, report.key)
    # What annotators left as it is tells as much of a suspicion as what they changed.
    looked_at = {*report.sample_ids, *report.finished, *report.earlier}
    if not looked_at and not owed:
        return evaluate_owed(dataset, report.key)
    sent = samples_of_round(record.id) if record and label_error_runs(dataset) else []
    settled = settle_suspicions(
        dataset,
        looked_at,
        round_key=report.key,
        fields=_fields(record) if record else None,
        sent=sent,
        pull=report.latest,
    )
    occasion = Occasion(
        cause=PULL,
        round_key=report.key,
        pull=report.latest,
        fields=_fields(record),
        sample_ids={*report.sample_ids, *owed},
        pulls=_pulls(record, report),
        suspicions=[{**asdict(one), "precision": one.precision} for one in settled],
    )
    return evaluate_again(dataset, occasion)


def after_undo(dataset: fo.Dataset, report: UndoReport) -> list[Entry]:
    """Evaluates again what the undoing of a pull has changed.

    Args:
        dataset: the dataset
        report: what was undone

    Returns:
        what was written to the ledger, one entry for each evaluation
    """
    return _followed(dataset, report.key, lambda record: _after_undo(dataset, report, record))


def _after_undo(dataset: fo.Dataset, report: UndoReport, record: Round | None) -> list[Entry]:
    unsettle_suspicions(dataset, report.key, report.number, report.sample_ids)
    owed = samples_of_round(record.id) if record and report.owed else []
    occasion = Occasion(
        cause=UNDO,
        round_key=report.key,
        pull=report.number,
        fields=_fields(record),
        sample_ids={*report.sample_ids, *owed},
    )
    return evaluate_again(dataset, occasion)


@dataclass(frozen=True)
class Unmeasured:
    """A score that is not there yet, though a round brought something back.

    Args:
        rounds: the rounds whose labels it is to measure
        eval_key: the evaluation that could not be made again; None if none was begun
        message: what is not there, and why
        advice: what the user can do
    """

    rounds: tuple[str, ...]
    eval_key: str | None
    message: str
    advice: str


def unmeasured(dataset: fo.Dataset) -> list[Unmeasured]:
    """The scores that are not there yet after pulls, and after the undoing of pulls; quick."""
    found = [
        Unmeasured(
            debt.rounds,
            debt.eval_key,
            f"'{debt.eval_key}' could not be evaluated again after {', '.join(debt.rounds)}: "
            f"{debt.message}",
            debt.advice,
        )
        for debt in load_debts(dataset).values()
    ]
    owed = rounds_owed(dataset)
    if owed and (run_ids(dataset) or label_error_runs(dataset)):
        for key, reason in owed.items():
            why = reason or "The process that was to do it ended before, or did not begin."
            message = f"What {key} brought back was not evaluated again: {why}"
            advice = "Try again in the Improvement panel; the next pull of the round does, too."
            found.append(Unmeasured((key,), None, message, advice))
    return found


def try_again(
    dataset: fo.Dataset, connected: Callable[[], CvatClient], round_key: str | None = None
) -> list[Entry]:
    """Tries again to do what is still to follow pulls, see :func:`unmeasured`.

    Args:
        dataset: the dataset
        connected: connects to the server that has the rounds, which knows what annotators are
            done with; called only if that is asked
        round_key: the round that it is to follow, or None for all

    Returns:
        what was written to the ledger

    Raises:
        CvatError: if the server is asked and does not answer
    """
    entries = evaluate_owed(dataset, round_key)
    for key in rounds_owed(dataset):
        if round_key in (None, key):
            entries += after_pull(dataset, report_owed(dataset, key, connected()))
    return entries


def describe_unmeasured(dataset: fo.Dataset, key: str) -> list[str]:
    """What could not be evaluated again after a round, each with the reason and what to do."""
    return [f"{one.message} {one.advice}" for one in unmeasured(dataset) if key in one.rounds]


def describe_outcome(entries: list[Entry], missing: Sequence[str]) -> str:
    """What was evaluated again, and what could not be; "none" without any."""
    return "; ".join(filter(None, [describe(entries), *missing])) or "none"


def describe(entries: list[Entry]) -> str:
    """What the evaluations say, in a sentence; empty without any."""
    parts = []
    for entry in entries:
        before, after = entry.before.map, entry.after.map
        if before is not None and after is not None:
            parts.append(f"{entry.eval_key}: mAP {before:.3f} -> {after:.3f}")
    return ", ".join(parts)


def describe_suspicions(dataset: fo.Dataset, key: str) -> str:
    """What became of the suspicions in a round, in a sentence; empty without any."""
    told = [
        by_round[key][-1]
        for by_round in (outcomes_by_round(dataset, queue) for queue in label_error_runs(dataset))
        if key in by_round
    ]
    if not told:
        return ""
    fixed, wrong = sum(one.fixed for one in told), sum(one.model_wrong for one in told)
    left = sum(one.left for one in told)
    precision = f", precision {fixed / (fixed + wrong):.0%}" if fixed + wrong else ""
    mended = "1 label" if fixed == 1 else f"{fixed:,} labels"
    return f"{mended} mended, the model wrong {wrong:,} times, {left:,} left{precision}"


def _followed(
    dataset: fo.Dataset,
    key: str,
    work: Callable[[Round | None], list[Entry]],
    pulls: Sequence[str] = (),
) -> list[Entry]:
    """Does what follows a pull, which must not fail because of it: it is done already.

    What could not be done stays owed.
    """
    record = None
    try:
        record = next((one for one in list_rounds(dataset) if one.key == key), None)
        is_owed = record is not None and bool(record.unfollowed or record.unlisted)
        if record and is_owed:
            expect_following(record.id)
        entries = work(record)
        if record and is_owed:
            note_followed(record, pulls)
    except Exception as error:
        logger.exception("What was pulled could not be evaluated again")
        if record:
            with contextlib.suppress(Exception):  # the database perhaps is what fails
                note_unfollowed(record.id, _said_of(error))
        return []
    return entries


def _said_of(error: Exception) -> str:
    return error.message if isinstance(error, RelabelError) else Unforeseen(error).message


def _fields(record: Round | None) -> list[str]:
    return [field.name for field in record.fields] if record else []


def _pulls(record: Round | None, report: PullReport) -> list[Pulled]:
    """What a pull cost, and those that it catches up with."""
    pulls = [
        Pulled(pull.id, _cost(record, pull.labels, pull.images), one.sample_ids, pull.number)
        for one in report.caught_up
        for pull in [one.pull]
    ]
    if report.id:
        own = _cost(record, report.changed, len(report.newly))
        pulls.append(Pulled(report.id, own, report.newly, report.number))
    return pulls


def _cost(record: Round | None, changed: int, finished: int) -> Cost:
    """What a pull cost: of the work on its round as much as it brought back newly finished.

    Args:
        record: the round
        changed: how many labels the pull changed
        finished: how many samples annotators were newly done with
    """
    if record and record.request and record.fields and finished:
        seconds = label_seconds(record.fields[0], record.labels, record.images, record.request)
        minutes = total_minutes(seconds, record.images, 0, record.request)
        share = min(1.0, finished / max(1, record.images))
        return Cost(changed, minutes * share)
    return Cost(changed)
