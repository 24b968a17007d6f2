"""Keeps with a queue what became of its suspicions, round by round."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from bson import ObjectId

from ..matching.tables import box_of
from .outcomes import LabelNow, Outcome, TypeOutcome, Verdict, judge, summarize
from .runs import (
    REPLACED,
    label_error_runs,
    load_label_errors,
    load_outcomes,
    read_queue,
    store_outcomes,
)
from .suspicion import ErrorType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import fiftyone as fo

    from .queue import LabelError, LabelErrors

_MENDED = frozenset({Verdict.FIXED, Verdict.FIXED_OTHERWISE})
_NOT_ATTRIBUTES = frozenset({"_id", "_cls", "label", "bounding_box", "mask", "confidence"})


def settle_suspicions(
    dataset: fo.Dataset,
    sample_ids: Collection[str],
    *,
    round_key: str,
    fields: Collection[str] | None = None,
    sent: Collection[str] = (),
    pull: int = 0,
) -> tuple[TypeOutcome, ...]:
    """Says what became of the suspicions about samples that a round brought back.

    What is known of other samples of the round stays; of these, it is replaced. A label that
    another round has mended, since the queue was made, is no merit of this one.

    Args:
        dataset: the dataset
        sample_ids: the samples that people have gone through
        round_key: the round
        fields: the fields of labels that people have gone through, or None for all
        sent: all samples of the round: what did not come back yet is left
        pull: the number of the pull that brought them back, 0 if there is nothing of it to undo

    Returns:
        what became of the suspicions about the samples, and which are left in the round, of all
        queues, type by type
    """
    settled: list[tuple[ErrorType, Verdict]] = []
    for key in label_error_runs(dataset):
        queue, known = read_queue(dataset, key), load_outcomes(dataset, key)
        if fields is not None and queue.ground_truth not in fields:
            continue
        out = set(sent) - set(sample_ids) - _looked_at(known, round_key)
        mended = _mended_elsewhere(known, round_key)
        open_ = [error for error in queue.errors if _subject(error) not in mended]
        errors = [error for error in open_ if error.sample_id in sample_ids]
        left = [error for error in open_ if error.sample_id in out]
        if not errors and not left:
            continue
        labels = _labels_now(dataset, queue, [error.sample_id for error in errors])
        found = judge(errors, labels, sample_ids) + [Outcome(one, Verdict.LEFT) for one in left]
        told = out.union(sample_ids)
        kept = [row for row in known if row["round"] != round_key or row["sample_id"] not in told]
        rows = [_row(outcome, round_key, pull) for outcome in found]
        store_outcomes(dataset, key, [*kept, *rows])
        settled += map(_verdict, rows)
    return summarize(settled)


def unsettle_suspicions(
    dataset: fo.Dataset,
    round_key: str,
    pull: int | None = None,
    sample_ids: Collection[str] = (),
) -> None:
    """Forgets what became of suspicions in a round, when a pull of it is undone.

    Args:
        dataset: the dataset
        round_key: the round
        pull: the number of the pull; None forgets what all pulls of the round told
        sample_ids: the samples whose labels it restores: whatever was told of them is forgotten
    """
    for key in label_error_runs(dataset):
        rows = load_outcomes(dataset, key)
        kept = [
            row
            for row in rows
            if row["round"] != round_key
            or not (_is_of(row, pull) or row["sample_id"] in sample_ids)
        ]
        if len(kept) < len(rows):
            store_outcomes(dataset, key, kept)


def open_suspicions(dataset: fo.Dataset, key: str) -> list[LabelError]:
    """The suspicions of a queue of which no round has made anything yet, in its order.

    Args:
        dataset: the dataset
        key: the queue

    Raises:
        EvaluationError: if there is no such queue
    """
    errors = load_label_errors(dataset, key).errors
    settled = _subjects(
        row for row in load_outcomes(dataset, key) if row["verdict"] != Verdict.LEFT
    )
    return [error for error in errors if _subject(error) not in settled]


def outcomes_by_round(dataset: fo.Dataset, key: str) -> dict[str, tuple[TypeOutcome, ...]]:
    """What became of the suspicions of a queue in each round, type by type.

    Args:
        dataset: the dataset
        key: the queue

    Raises:
        EvaluationError: if there is no such queue
    """
    by_round: dict[str, list[tuple[ErrorType, Verdict]]] = defaultdict(list)
    for row in load_outcomes(dataset, key):
        by_round[row["round"]].append(_verdict(row))
    return {round_key: summarize(outcomes) for round_key, outcomes in by_round.items()}


def settled_samples(
    dataset: fo.Dataset,
    round_key: str,
    verdicts: Collection[Verdict],
    error_type: ErrorType | None = None,
    pull: int | None = None,
) -> list[str]:
    """The samples of suspicions, of all queues, of which a round made something.

    Args:
        dataset: the dataset
        round_key: the round
        verdicts: what became of them
        error_type: of which type they are, or None for all
        pull: the number of the pull that told, or None for all
    """
    found: dict[str, None] = {}
    for key in label_error_runs(dataset):
        for row in load_outcomes(dataset, key):
            own_type, verdict = _verdict(row)
            is_meant = row["round"] == round_key and verdict in verdicts
            if is_meant and _is_of(row, pull) and error_type in (None, own_type):
                found[row["sample_id"]] = None
    return list(found)


def _looked_at(rows: list[dict[str, Any]], round_key: str) -> set[str]:
    """The samples that a round has brought back."""
    of_round = (row for row in rows if row["round"] == round_key)
    return {row["sample_id"] for row in of_round if row["verdict"] != Verdict.LEFT}


def _mended_elsewhere(rows: list[dict[str, Any]], round_key: str) -> set[tuple[str, ...]]:
    """The suspicions of this queue that other rounds mended."""
    others = (row for row in rows if row["round"] != round_key)
    return _subjects(row for row in others if row["verdict"] in _MENDED)


def _subjects(rows: Iterable[dict[str, Any]]) -> set[tuple[str, ...]]:
    """What rows are about, but for those of a queue that this one has replaced."""
    return {
        (row["sample_id"], row["label_id"], row["type"]) for row in rows if not row.get(REPLACED)
    }


def _subject(error: LabelError) -> tuple[str, ...]:
    return error.sample_id, error.label_id or error.prediction_id or "", str(error.type)


def _is_of(row: dict[str, Any], pull: int | None) -> bool:
    """Whether a pull told this; those of before had no numbers."""
    return pull is None or row.get("pull", pull) == pull


def _row(outcome: Outcome, round_key: str, pull: int) -> dict[str, Any]:
    error = outcome.error
    return {
        "round": round_key,
        "pull": pull,
        "sample_id": error.sample_id,
        "label_id": error.label_id or error.prediction_id,
        "type": str(error.type),
        "verdict": str(outcome.verdict),
    }


def _verdict(row: dict[str, Any]) -> tuple[ErrorType, Verdict]:
    return ErrorType(row["type"]), Verdict(row["verdict"])


def _labels_now(
    dataset: fo.Dataset, queue: LabelErrors, sample_ids: Collection[str]
) -> dict[str, list[LabelNow]]:
    path = f"{queue.ground_truth}.detections"
    found = dataset._sample_collection.find(  # noqa: SLF001 - FiftyOne would load the samples
        {"_id": {"$in": [ObjectId(sample_id) for sample_id in sample_ids]}}, {path: 1}
    )
    return {
        str(document["_id"]): [
            _label_now(label)
            for label in (document.get(queue.ground_truth) or {}).get("detections") or ()
        ]
        for document in found
    }


def _label_now(label: dict[str, Any]) -> LabelNow:
    return LabelNow(
        id=str(label["_id"]),
        label=label.get("label"),
        box=tuple(box_of(label.get("bounding_box"))),
        attributes={name: label[name] for name in label.keys() - _NOT_ATTRIBUTES},
    )
