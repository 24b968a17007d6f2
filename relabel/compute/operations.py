"""The delegated operations in FiftyOne's database: who claims one, how it ends, who runs it again.

FiftyOne's own service finds an operation and marks it afterwards, and lets a process that was
taken for lost overwrite what another made of its operation. Here each step is one conditional
write of one document: it names the state that it expects, and the executor that holds the claim.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo
from bson import ObjectId
from fiftyone.factory.repos.delegated_operation import MongoDelegatedOperationRepo
from fiftyone.operators.executor import ExecutionResult
from fiftyone.operators.executor import ExecutionRunState as State
from pymongo import ASCENDING, ReturnDocument
from pymongo.errors import PyMongoError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 2
TAKING_BACK_SECONDS = 60.0  # how long a cancelled operation may take back what it made
CLAIM = "relabel_claim"  # among what an operator is asked with: the claim under which it runs
LINK_PREFIX = "relabel:"
OURS = "relabel"  # what we note in a document of FiftyOne's
_TAKES_BACK = f"{OURS}.takes_back"
_TAKES_NOTHING_BACK = {"$unset": {_TAKES_BACK: ""}}
_TRIES = 120  # in each of which FiftyOne may wait half a minute for its database
_RETRY_SECONDS = 1.0
_wakes_nobody = threading.Event()
_OLDEST_FIRST = [("_id", ASCENDING)]


@dataclass(frozen=True)
class Claim:
    """An operation that one executor runs, and no other.

    Args:
        id: the operation's id
        operator: the URI of its operator
        target: the delegation target that it was queued for
        executor: the id of the executor
        attempt: counted from 1; more than that after a lost run
        first: the operation that the user asked for: this one, or the one that it repeats
    """

    id: ObjectId
    operator: str
    target: str | None
    executor: str
    attempt: int
    first: ObjectId = field(compare=False)

    @classmethod
    def from_json(cls, text: Mapping[str, Any]) -> Claim:
        """The claim that `to_json` described."""
        return cls(**{**text, "id": ObjectId(text["id"]), "first": ObjectId(text["first"])})

    def to_json(self) -> dict[str, Any]:
        """The claim, as another process can be told of it."""
        return {**asdict(self), "id": str(self.id), "first": str(self.first)}

    @property
    def link(self) -> str:
        """How FiftyOne's document names the executor."""
        return LINK_PREFIX + self.executor

    @property
    def held(self) -> dict[str, Any]:
        """Finds the operation as long as this claim holds."""
        attempts = f"{OURS}.attempts"
        return {
            "_id": self.id,
            "run_state": State.RUNNING,
            "run_link": self.link,
            attempts: self.attempt,
        }


@dataclass(frozen=True)
class Running:
    """An operation that is said to run.

    Args:
        claim: who runs it; its executor is "" where that is none of ours
        run_link: what the document says of who runs it
        seen: the last sign of life in the document
    """

    claim: Claim
    run_link: str
    seen: datetime


def claim_oldest(
    targets: Sequence[str | None], executor: str, *, shared: Sequence[str | None] = ()
) -> Claim | None:
    """Finds and claims, in one step, the operation that was asked for first.

    By its id, not its time of queueing: an operation that was handed back keeps its place.

    Args:
        targets: the delegation targets of the operations; None for those without
        executor: the id of the executor that asks
        shared: those of the targets that another executor takes, too: there, what the executor
            lost once is left to it

    Returns:
        the claim; None if nothing is queued
    """
    query: dict[str, Any] = {
        "run_state": State.QUEUED,
        "delegation_target": {"$in": list(targets)},
        "archived": {"$ne": True},
        "$or": [
            {f"{OURS}.lost_on": {"$ne": executor}},
            {"delegation_target": {"$nin": list(shared)}},
        ],
    }
    now = utc_now()
    found = collection().find_one_and_update(
        query,
        {
            "$set": {
                "run_state": State.RUNNING,
                "run_link": LINK_PREFIX + executor,
                "started_at": now,
                "updated_at": now,
                "monitored": True,
                "status": None,
            },
            "$inc": {f"{OURS}.attempts": 1},
        },
        sort=_OLDEST_FIRST,
        return_document=ReturnDocument.AFTER,
    )
    return None if found is None else _as_claim(found)


def holds(claim: Claim) -> bool:
    """Whether an operation was neither cancelled nor taken for lost since it was claimed."""
    return bool(collection().count_documents(claim.held, limit=1))


def begin_writing(claim: Claim) -> bool:
    """Notes that an operation writes its outcome from now on and can no longer be cancelled.

    Returns:
        whether the claim still held; if not, it must not write
    """
    noted = collection().update_one(claim.held, {"$set": {f"{OURS}.writing": True}})
    return bool(noted.matched_count)


def takes_back(claim: Claim) -> bool:
    """Notes that an operation, once it is cancelled, takes back what it made; that takes time.

    Returns:
        whether the claim still held
    """
    noted = collection().update_one(claim.held, {"$set": {_TAKES_BACK: claim.attempt}})
    return bool(noted.matched_count)


def is_taking_back(claim: Claim) -> bool:
    """Whether an operation, which was cancelled, takes back what it made.

    One that was taken for lost does not: another executor may have it, or it has failed.
    """
    return bool(collection().count_documents(_taking_back(claim), limit=1))


def took_back(claim: Claim) -> None:
    """Notes that an operation that was cancelled has taken back what it made."""
    collection().update_one(_taking_back(claim), _TAKES_NOTHING_BACK)


def keep(claim: Claim, log_tail: str | None = None) -> bool:
    """Shows that a claimed operation is being worked on.

    Args:
        claim: the claim
        log_tail: the last lines that the operation printed; None leaves what is there

    Returns:
        whether the claim still holds; if not, it was cancelled or taken for lost
    """
    news: dict[str, Any] = {"updated_at": utc_now()}
    if log_tail is not None:
        news["log_tail"] = log_tail
    return bool(collection().update_one(claim.held, {"$set": news}).matched_count)


def keep_log(claim: Claim, log_tail: str) -> None:
    """Keeps the last lines that an ended operation printed."""
    collection().update_one(
        {"_id": claim.id, "run_link": claim.link}, {"$set": {"log_tail": log_tail}}
    )


def complete(claim: Claim, result: ExecutionResult) -> bool:
    """Ends an operation with its result; returns whether the claim still held."""
    answer = result.to_json()
    schema = answer.pop("outputs_schema", None)
    news = {"run_state": State.COMPLETED, "result": answer, "completed_at": utc_now()}
    if schema:
        news["metadata.outputs_schema"] = schema
    return _end(claim, news)


def fail(claim: Claim, error: str) -> bool:
    """Ends an operation with a cause; returns whether the claim still held."""
    return _end(claim, failure(error))


def hand_back(claim: Claim) -> bool:
    """Queues an operation whose executor leaves; returns whether the claim still held."""
    news = {**_queued(), "$inc": {f"{OURS}.attempts": -1}, **_TAKES_NOTHING_BACK}
    return bool(collection().update_one(claim.held, news).matched_count)


def lose(claim: Claim, cause: str, seen: datetime | None = None) -> bool | None:
    """Queues a lost operation once more, for another executor; the second time it has failed.

    Args:
        claim: the claim of the executor that lost it
        cause: what happened; its last line is shown while it is queued
        seen: its last sign of life, if it is not lost should there be a later one

    Returns:
        True if it will run again, False if it has failed, None if the claim no longer held
    """
    if claim.attempt >= MOST_ATTEMPTS:
        news = failure(f"{cause}\nIt was tried {claim.attempt} times.")
        return False if _end(claim, news, seen) else None
    again = {**_queued(), "$addToSet": {f"{OURS}.lost_on": claim.executor}}
    note = "Queued again: " + cause.strip().splitlines()[-1]
    again["$set"]["status"] = {"progress": 0.0, "label": note, "updated_at": utc_now()}
    lost = collection().update_one({**claim.held, **_last_seen(seen)}, again)
    return True if lost.matched_count else None


def fail_foreign(run: Running, error: str) -> bool:
    """Ends what another program ran and lost; returns whether it still seemed to run."""
    unchanged = {"_id": run.claim.id, "run_state": State.RUNNING, **_last_seen(run.seen)}
    return bool(collection().update_one(unchanged, {"$set": failure(error)}).matched_count)


def running() -> list[Running]:
    """The operations that are said to run and are watched by whoever runs them."""
    found = collection().find({"run_state": State.RUNNING, "monitored": True})
    return [
        Running(_as_claim(one), one.get("run_link") or "", one["updated_at"].replace(tzinfo=UTC))
        for one in found
    ]


def _as_claim(document: dict[str, Any]) -> Claim:
    link, ours = document.get("run_link") or "", document.get(OURS, {})
    return Claim(
        id=document["_id"],
        operator=document["operator"],
        target=document.get("delegation_target"),
        executor=link.removeprefix(LINK_PREFIX) if link.startswith(LINK_PREFIX) else "",
        attempt=ours.get("attempts", 1),
        first=ours.get("first", document["_id"]),
    )


def _taking_back(claim: Claim) -> dict[str, Any]:
    """Finds an operation that was cancelled until it has taken back what it made."""
    return {
        "_id": claim.id,
        "run_state": State.FAILED,
        "run_link": claim.link,
        _TAKES_BACK: claim.attempt,
    }


def _end(claim: Claim, news: dict[str, Any], seen: datetime | None = None) -> bool:
    held = {**claim.held, **_last_seen(seen)}
    change = {"$set": {**news, "updated_at": utc_now()}, **_TAKES_NOTHING_BACK}
    return bool(collection().update_one(held, change).matched_count)


def _last_seen(seen: datetime | None) -> dict[str, datetime]:
    """Finds an operation only if it gave no later sign of life."""
    return {"updated_at": seen.replace(tzinfo=None)} if seen else {}


def failure(error: str) -> dict[str, Any]:
    """What is written in the document of an operation that ends with a cause."""
    result = ExecutionResult(error=error).to_json()
    result.pop("outputs_schema")
    now = utc_now()
    return {"run_state": State.FAILED, "result": result, "failed_at": now, "updated_at": now}


def _queued() -> dict[str, dict[str, Any]]:
    now = utc_now()
    return {"$set": {"run_state": State.QUEUED, "queued_at": now, "updated_at": now}}


def insist(ask: Callable[[], Any]) -> Any:
    """Asks the database; if it does not answer, again and again, a second apart.

    Raises:
        PyMongoError: if it never answered
    """
    for _ in range(_TRIES):
        try:
            return ask()
        except PyMongoError as error:
            logger.warning("The database does not answer, trying again: %s", error)
            _wakes_nobody.wait(_RETRY_SECONDS)
    return ask()


def collection() -> Any:
    """The documents of FiftyOne's delegated operations."""
    return foo.get_db_conn()[MongoDelegatedOperationRepo.COLLECTION_NAME]


def utc_now() -> datetime:
    """As FiftyOne writes it: UTC, without saying so."""
    return datetime.now(UTC).replace(tzinfo=None)
