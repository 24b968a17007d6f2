"""The entries of the ledger, in the collection ``relabel_ledger`` of FiftyOne's database.

They are found by the id of the evaluation's run, so that renaming it keeps them, and are forgotten
when the run is gone.
"""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo

from ..kept import run_ids
from .bootstrap import Interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import fiftyone as fo
    from bson import ObjectId
    from pymongo.collection import Collection

PULL, UNDO = "pull", "undo"


@dataclass(frozen=True)
class Cost:
    """What a round cost.

    Args:
        labels: how many labels it changed
        minutes: how long annotators took, as estimated; None if that is not known
    """

    labels: int = 0
    minutes: float | None = None


@dataclass(frozen=True)
class Found:
    """A score, and what it is made of.

    Args:
        map: mean average precision, or None without ground truth
        ap50: the same at IoU .50
        by_class: class -> average precision, or None
        errors: type of error -> how many the model makes
    """

    map: float | None
    ap50: float | None
    by_class: Mapping[str, float | None]
    errors: Mapping[str, int]


@dataclass(frozen=True)
class Entry:
    """One time that an evaluation ran again.

    Args:
        eval_key: the evaluation
        at: when, UTC
        cause: ``pull`` or ``undo``
        round_key: the round whose labels came back, or were taken back
        split: what tells whether it was measured on the same samples
        predictions: what tells whether it was measured on the same predictions
        samples: how many samples it is measured on
        before: the score before
        after: the score after
        difference: where the difference lies with a confidence of 95 %, or None
        cost: what the round cost
        sample_ids: the samples whose labels have changed
        yardstick: on how many of the samples that the score is measured on the ground truth itself
            has changed
        suspicions: what became of the suspicions about labels: ``type``, ``fixed``,
            ``model_wrong``, ``left``, ``precision``
    """

    eval_key: str
    at: datetime
    cause: str
    round_key: str
    split: str
    predictions: str
    samples: int
    before: Found
    after: Found
    difference: Interval | None
    cost: Cost
    sample_ids: tuple[str, ...]
    yardstick: int
    suspicions: tuple[Mapping[str, Any], ...] = field(default=())

    @property
    def gain(self) -> float | None:
        """By how much the score has risen."""
        if self.before.map is None or self.after.map is None:
            return None
        return self.after.map - self.before.map


def add_entry(run_id: ObjectId, entry: Entry) -> None:
    """Writes an entry of an evaluation."""
    document = asdict(entry)
    del document["eval_key"]
    for side in ("before", "after"):
        # A class may have a dot in its name, which a key of MongoDB may not.
        document[side]["by_class"] = list(document[side]["by_class"].items())
    _ledger().insert_one({"run_id": run_id, **document})


def load_entries(dataset: fo.Dataset, eval_key: str | None = None) -> list[Entry]:
    """The entries of a dataset, oldest first.

    Args:
        dataset: the dataset
        eval_key: one of its evaluations; None for all
    """
    keys = {run_id: key for key, run_id in run_ids(dataset).items() if eval_key in (None, key)}
    found = _ledger().find({"run_id": {"$in": list(keys)}}).sort("_id", 1)
    return [_entry(document, keys[document["run_id"]]) for document in found]


def forget_entries_of_gone_runs() -> None:
    """Deletes the entries of evaluations that are gone."""
    ids = _ledger().distinct("run_id")
    runs = foo.get_db_conn()["runs"]
    alive = {one["_id"] for one in runs.find({"_id": {"$in": ids}}, {"_id": 1})}
    _ledger().delete_many({"run_id": {"$in": list(set(ids) - alive)}})


def as_csv(entries: Sequence[Entry]) -> str:
    """The entries as a table: one line for all classes, then one for each class."""
    with io.StringIO(newline="") as file:
        table = csv.writer(file)
        table.writerow(_COLUMNS)
        for entry in entries:
            table.writerows(_rows(entry))
        return file.getvalue()


_COLUMNS = (
    "evaluation",
    "at",
    "cause",
    "round",
    "class",
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
)


def _rows(entry: Entry) -> list[list[Any]]:
    head = [entry.eval_key, entry.at.isoformat(), entry.cause, entry.round_key]
    interval = entry.difference
    ends = [interval.low, interval.high] if interval else [None, None]
    cost = [entry.samples, len(entry.sample_ids), entry.cost.labels, entry.cost.minutes]
    scores = [entry.before.map, entry.after.map, entry.gain]
    rows = [[*head, "", *scores, *ends, *cost, entry.yardstick]]
    names = {**entry.before.by_class, **entry.after.by_class}
    for name in sorted(names):
        old, new = entry.before.by_class.get(name), entry.after.by_class.get(name)
        gain = None if old is None or new is None else new - old
        rows.append([*head, name, old, new, gain, None, None, *cost, entry.yardstick])
    return rows


def _entry(document: Mapping[str, Any], eval_key: str) -> Entry:
    values = {name: value for name, value in document.items() if name not in ("_id", "run_id")}
    for side in ("before", "after"):
        by_class = dict(values[side]["by_class"])
        values[side] = Found(**{**values[side], "by_class": by_class})
    values["difference"] = Interval(**values["difference"]) if values["difference"] else None
    values["cost"] = Cost(**values["cost"])
    values["at"] = values["at"].replace(tzinfo=UTC)
    values["sample_ids"] = tuple(values["sample_ids"])
    values["suspicions"] = tuple(values["suspicions"])
    return Entry(eval_key=eval_key, **values)


def _ledger() -> Collection[dict[str, Any]]:
    return foo.get_db_conn()["relabel_ledger"]
