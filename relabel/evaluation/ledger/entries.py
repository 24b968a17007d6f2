"""The entries of the ledger, in the collection ``relabel_ledger`` of FiftyOne's database.

They are found by the id of the evaluation's run, so that renaming it keeps them, and are forgotten
when the run is gone.
"""

from __future__ import annotations

from array import array
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo

from ..storing.kept import living_runs, run_ids
from .bootstrap import Interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import fiftyone as fo
    from bson import ObjectId
    from pymongo.collection import Collection

PULL, UNDO = "pull", "undo"
_PLACE = "I"
"""The type of a place in an array: 4 bytes without a sign."""
_ID_DIGITS = 24
_DRAFT = "draft"
_WRITTEN = {_DRAFT: {"$exists": False}}


@dataclass(frozen=True)
class Cost:
    """What a round cost.

    Args:
        labels: how many labels it changed
        minutes: how long annotators took, as estimated; None if that is not known
    """

    labels: int = 0
    minutes: float | None = None

    def __add__(self, other: Cost) -> Cost:
        known = [one.minutes for one in (self, other) if one.minutes is not None]
        return Cost(self.labels + other.labels, sum(known) if known else None)


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
class Change:
    """How one figure has changed: the average precision of a class, or a number of errors.

    Args:
        difference: where the difference lies with a confidence of 95 %, or None
        places: which of the changed samples are behind it, by their place in
            :attr:`Entry.sample_ids`
    """

    difference: Interval | None = None
    places: tuple[int, ...] = ()


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
        mended: the changed samples of which the ground truth itself has changed, by their place in
            ``sample_ids``
        by_class: class -> how its average precision has changed
        by_error: type of error -> how their number has changed
        suspicions: what became of the suspicions about labels: ``type``, ``fixed``,
            ``model_wrong``, ``left``, ``precision``
        pull: the number of the pull in its round, the same where it is taken back; 0 if it is not
            known, or there is nothing of it to undo
        counted: the ids of the pulls whose cost it counts
        caught_up: the rounds before ``round_key`` that it measures as well, oldest first: it could
            not be made after each, and the labels as they were in between are gone
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
    mended: tuple[int, ...] = ()
    by_class: Mapping[str, Change] = field(default_factory=dict)
    by_error: Mapping[str, Change] = field(default_factory=dict)
    suspicions: tuple[Mapping[str, Any], ...] = field(default=())
    pull: int = 0
    counted: tuple[str, ...] = ()
    caught_up: tuple[str, ...] = ()

    @property
    def gain(self) -> float | None:
        """By how much the score has risen."""
        if self.before.map is None or self.after.map is None:
            return None
        return self.after.map - self.before.map

    @property
    def yardstick(self) -> int:
        """On how many of the samples that are scored the ground truth itself has changed."""
        return len(self.mended)

    def samples_at(self, places: Sequence[int]) -> list[str]:
        """The changed samples at some places, e.g. those behind a :class:`Change`."""
        return [self.sample_ids[place] for place in places]


def draft_entry(run_id: ObjectId, entry: Entry, version: str) -> None:
    """Writes an entry that comes to hold with the evaluation that it is about.

    So that it is not lost to a process that dies between the two.

    Args:
        run_id: the evaluation
        entry: the entry, which nobody sees before :func:`settle_drafts`
        version: the version of what is kept of the evaluation still
    """
    document = asdict(entry)
    del document["eval_key"]
    # Packed, so that a document of MongoDB, 16 MB at most, holds a round of 500,000 images.
    document["sample_ids"] = bytes.fromhex("".join(entry.sample_ids))
    document["mended"] = _packed(entry.mended)
    for table in (document["by_class"], document["by_error"]):
        for change in table.values():
            change["places"] = _packed(change["places"])
    for table, name in _tables(document):
        # A class may have a dot in its name, which a key of MongoDB may not.
        table[name] = list(table[name].items())
    _ledger().insert_one({"run_id": run_id, **document, _DRAFT: version})


def settle_drafts(run_id: ObjectId, version: str) -> None:
    """Has drafts hold whose evaluation was kept since, and deletes the others.

    Args:
        run_id: the evaluation
        version: the version of what is kept of it now
    """
    _ledger().delete_many({"run_id": run_id, _DRAFT: version})
    _ledger().update_many({"run_id": run_id, _DRAFT: {"$exists": True}}, {"$unset": {_DRAFT: 1}})


def load_entries(dataset: fo.Dataset, eval_key: str | None = None) -> list[Entry]:
    """The entries of a dataset, oldest first.

    Args:
        dataset: the dataset
        eval_key: one of its evaluations; None for all
    """
    keys = {run_id: key for key, run_id in run_ids(dataset).items() if eval_key in (None, key)}
    found = _ledger().find({"run_id": {"$in": list(keys)}, **_WRITTEN}).sort("_id", 1)
    return [_entry(document, keys[document["run_id"]]) for document in found]


def is_standing(run_id: ObjectId, round_key: str, pull: int) -> bool:
    """Whether a pull has an entry of an evaluation, and was not taken back since.

    Args:
        run_id: the evaluation
        round_key: the round
        pull: the number of the pull in its round
    """
    query = {"run_id": run_id, "round_key": round_key, "pull": pull, **_WRITTEN}
    newest = _ledger().find_one(query, {"cause": 1}, sort=[("_id", -1)])
    return newest is not None and newest["cause"] == PULL


def counted_pulls(run_id: ObjectId) -> set[str]:
    """The ids of the pulls whose cost an entry of an evaluation counts."""
    return set(_ledger().distinct("counted", {"run_id": run_id, **_WRITTEN}))


def count_entries(dataset: fo.Dataset, eval_key: str | None = None) -> int:
    """How many entries :func:`load_entries` would find; quick."""
    wanted = [run_id for key, run_id in run_ids(dataset).items() if eval_key in (None, key)]
    count: int = _ledger().count_documents({"run_id": {"$in": wanted}, **_WRITTEN})
    return count


def ledger_version(dataset: fo.Dataset) -> str:
    """What differs whenever the entries of a dataset do; quick, however many there are."""
    ids = list(run_ids(dataset).values())
    query = {"run_id": {"$in": ids}, **_WRITTEN}
    newest = _ledger().find_one(query, {"_id": 1}, sort=[("_id", -1)])
    return str(newest["_id"]) if newest else ""


def forget_entries_of_gone_runs() -> None:
    """Deletes the entries of evaluations that are gone."""
    ids = _ledger().distinct("run_id")
    _ledger().delete_many({"run_id": {"$in": list(set(ids) - living_runs(ids))}})


def _tables(document: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Where a document has a value for each class, or for each type of error."""
    whole = [(document, name) for name in ("by_class", "by_error")]
    return [*whole, (document["before"], "by_class"), (document["after"], "by_class")]


def _entry(document: Mapping[str, Any], eval_key: str) -> Entry:
    values = {name: value for name, value in document.items() if name not in ("_id", "run_id")}
    for name in ("by_class", "by_error"):
        values[name] = {key: _change(change) for key, change in values[name]}
    for side in ("before", "after"):
        by_class = dict(values[side]["by_class"])
        values[side] = Found(**{**values[side], "by_class": by_class})
    values["difference"] = _interval(values["difference"])
    values["cost"] = Cost(**values["cost"])
    values["at"] = values["at"].replace(tzinfo=UTC)
    values["sample_ids"] = _ids(values["sample_ids"])
    values["mended"] = _unpacked(values["mended"])
    values["suspicions"] = tuple(values["suspicions"])
    for name in ("counted", "caught_up"):
        values[name] = tuple(values.get(name, ()))
    return Entry(eval_key=eval_key, **values)


def _change(document: Mapping[str, Any]) -> Change:
    return Change(_interval(document["difference"]), _unpacked(document["places"]))


def _interval(document: Mapping[str, float] | None) -> Interval | None:
    return Interval(**document) if document else None


def _packed(places: Sequence[int]) -> bytes:
    return array(_PLACE, places).tobytes()


def _unpacked(packed: bytes) -> tuple[int, ...]:
    return tuple(array(_PLACE, packed))


def _ids(packed: bytes) -> tuple[str, ...]:
    text = packed.hex()
    return tuple(text[start : start + _ID_DIGITS] for start in range(0, len(text), _ID_DIGITS))


def _ledger() -> Collection[dict[str, Any]]:
    return foo.get_db_conn()["relabel_ledger"]
