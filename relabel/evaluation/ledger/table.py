"""The ledger as a table for other programs."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, NamedTuple

from .entries import Change

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .bootstrap import Interval
    from .entries import Entry

COLUMNS = (
    "evaluation",
    "at",
    "cause",
    "round",
    "measure",
    "name",
    "before",
    "after",
    "difference",
    "low",
    "high",
    "samples",
    "samples_changed",
    "labels_changed",
    "minutes",
    "yardstick_samples",
    "caught_up_rounds",
)

_OF_SUSPICIONS = {
    "label mended": "fixed",
    "model wrong": "model_wrong",
    "left": "left",
    "precision": "precision",
}


def as_csv(entries: Sequence[Entry]) -> str:
    """The entries as a table in CSV, with :data:`COLUMNS`.

    Of each entry there is one line for the mean average precision (measure ``mAP``), one for the
    average precision of each class (``AP``) and one for the number of errors of each type
    (``errors``). Of suspicions about labels, of each type and of all together, there is one for
    how many were right and are mended (``label mended``), how many were not (``model wrong``), how
    many nobody has looked at yet (``left``), and for the share of those looked at that were right
    (``precision``); the figure is in the column ``after``.
    """
    with io.StringIO(newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for entry in entries:
            table.writerows(_rows(entry))
        return file.getvalue()


def _rows(entry: Entry) -> Iterator[list[Any]]:
    head = [entry.eval_key, entry.at.isoformat(), entry.cause, entry.round_key]
    caught_up = " ".join(entry.caught_up)
    cost = [entry.cost.labels, entry.cost.minutes, entry.yardstick, caught_up]
    for measure, name, before, after, difference, changed in _figures(entry):
        gain = None if before is None or after is None else after - before
        ends = [difference.low, difference.high] if difference else [None, None]
        yield [*head, measure, name, before, after, gain, *ends, entry.samples, changed, *cost]


class _Figure(NamedTuple):
    measure: str
    name: str
    before: float | None
    after: float | None
    difference: Interval | None
    changed: int | None


def _figures(entry: Entry) -> Iterator[_Figure]:
    before, after = entry.before, entry.after
    samples = len(entry.sample_ids)
    yield _Figure("mAP", "", before.map, after.map, entry.difference, samples)
    tables = (
        ("AP", before.by_class, after.by_class, entry.by_class),
        ("errors", before.errors, after.errors, entry.by_error),
    )
    for measure, old, new, changes in tables:
        for name in sorted({*old, *new}):
            change = changes.get(name, Change())
            samples = len(change.places)
            yield _Figure(measure, name, old.get(name), new.get(name), change.difference, samples)
    for one in entry.suspicions:
        for measure, key in _OF_SUSPICIONS.items():
            yield _Figure(measure, one["type"] or "", None, one[key], None, None)
