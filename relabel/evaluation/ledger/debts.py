"""Evaluations that were to be made again and could not be, in the collection ``relabel_debts``.

One is owed until it is made: by trying again, at a later pull, or anew by somebody. They are found
by the id of the evaluation's run, as the entries are.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo

from ..storing.kept import kept_version, living_runs, run_ids
from .entries import Cost

if TYPE_CHECKING:
    from collections.abc import Mapping

    import fiftyone as fo
    from bson import ObjectId
    from pymongo.collection import Collection


@dataclass(frozen=True)
class PullCost:
    """A pull whose cost an entry is to count.

    Args:
        id: tells it from every other pull
        round_key: its round
        number: its number in its round, 0 if there is nothing of it to undo
        cost: what it cost
    """

    id: str
    round_key: str
    number: int
    cost: Cost


@dataclass(frozen=True)
class Debt:
    """What is to become an entry of an evaluation.

    Args:
        eval_key: the evaluation
        at: when it was to be made
        cause: see :class:`.entries.Entry`, as of ``round_key``, ``pull`` and ``suspicions``
        round_key: the round whose labels came back last, or were taken back
        pull: the number of that pull
        rounds: all rounds that it has not measured yet, oldest first
        pulls: those whose cost it has not counted yet
        suspicions: what became of the suspicions about labels
        in_any_case: whether there is to be an entry even if no label has changed
        message: why it could not be made
        advice: what the user can do
    """

    eval_key: str
    at: datetime
    cause: str
    round_key: str
    pull: int
    rounds: tuple[str, ...]
    pulls: tuple[PullCost, ...]
    suspicions: tuple[Mapping[str, Any], ...]
    in_any_case: bool
    message: str = ""
    advice: str = ""

    def without(self, round_key: str, number: int) -> Debt:
        """The same when a pull was taken back, which cannot be measured any more."""
        pulls = [one for one in self.pulls if (one.round_key, one.number) != (round_key, number)]
        if len(pulls) == len(self.pulls):
            return self
        return replace(self, pulls=tuple(pulls), in_any_case=bool(pulls))


def owe(run_id: ObjectId, debt: Debt, version: str) -> None:
    """Notes what an evaluation owes, in place of what it owed before.

    Args:
        run_id: the evaluation
        debt: what it owes
        version: the version of what is kept of it; once that is another, it was made after all
    """
    document = asdict(debt)
    del document["eval_key"]
    document["version"] = version
    _debts().replace_one({"_id": run_id}, document, upsert=True)


def forget_debt(run_id: ObjectId) -> None:
    """Notes that an evaluation owes nothing any more."""
    _debts().delete_one({"_id": run_id})


def load_debts(dataset: fo.Dataset) -> dict[ObjectId, Debt]:
    """What the evaluations of a dataset owe, by run; quick."""
    keys = {run_id: key for key, run_id in run_ids(dataset).items()}
    found = _debts().find({"_id": {"$in": list(keys)}})
    return {
        document["_id"]: _debt(document, keys[document["_id"]])
        for document in found
        if document["version"] == kept_version(document["_id"])
    }


def forget_debts_of_gone_runs() -> None:
    """Deletes what evaluations owed that are gone."""
    ids = _debts().distinct("_id")
    _debts().delete_many({"_id": {"$in": list(set(ids) - living_runs(ids))}})


def _debt(document: Mapping[str, Any], eval_key: str) -> Debt:
    values = {name: value for name, value in document.items() if name not in ("_id", "version")}
    values["at"] = values["at"].replace(tzinfo=UTC)
    values["rounds"] = tuple(values["rounds"])
    values["pulls"] = tuple(
        PullCost(**{**one, "cost": Cost(**one["cost"])}) for one in values["pulls"]
    )
    values["suspicions"] = tuple(values["suspicions"])
    return Debt(eval_key=eval_key, **values)


def _debts() -> Collection[dict[str, Any]]:
    return foo.get_db_conn()["relabel_debts"]
