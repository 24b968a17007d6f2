"""The delegated operations in FiftyOne's database: who claims one, how it ends, who runs it again.

FiftyOne's own service finds an operation and marks it afterwards, and lets a process that was
taken for lost overwrite what another made of its operation. Here each step is one conditional
write of one document: it names the state that it expects, and the executor that holds the claim.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo
from fiftyone.factory.repos.delegated_operation import MongoDelegatedOperationRepo
from fiftyone.operators.executor import ExecutionResult
from fiftyone.operators.executor import ExecutionRunState as State
from pymongo import ASCENDING, ReturnDocument

from ..errors import RelabelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bson import ObjectId

MOST_ATTEMPTS = 2
CANCELLED = "Cancelled."
_LINK_PREFIX = "relabel:"
_OURS = "relabel"  # what we note in a document of FiftyOne's
_OLDEST_FIRST = [("_id", ASCENDING)]


class NotCancellable(RelabelError):
    """The operation has ended, or there is none of that id."""


@dataclass(frozen=True)
class Claim:
    """An operation that one executor runs, and no other.

    Args:
        id: the operation's id
        operator: the URI of its operator
        target: the delegation target that it was queued for
        executor: the id of the executor
        attempt: counted from 1; more than that after a lost run
    """

    id: ObjectId
    operator: str
    target: str | None
    executor: str
    attempt: int

    @property
    def link(self) -> str:
        """How FiftyOne's document names the executor."""
        return _LINK_PREFIX + self.executor

    @property
    def held(self) -> dict[str, Any]:
        """Finds the operation as long as this claim holds."""
        attempts = f"{_OURS}.attempts"
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
    targets: Sequence[str | None], executor: str, *, not_again: bool = False
) -> Claim | None:
    """Finds and claims, in one step, the operation that was asked for first.

    By its id, not its time of queueing: an operation that was handed back keeps its place.

    Args:
        targets: the delegation targets of the operations; None for those without
        executor: the id of the executor that asks
        not_again: leaves alone what the executor lost once; for when another could run it

    Returns:
        the claim; None if nothing is queued
    """
    query: dict[str, Any] = {
        "run_state": State.QUEUED,
        "delegation_target": {"$in": list(targets)},
        "archived": {"$ne": True},
    }
    if not_again:
        query[f"{_OURS}.lost_on"] = {"$ne": executor}
    now = _now()
    found = _operations().find_one_and_update(
        query,
        {
            "$set": {
                "run_state": State.RUNNING,
                "run_link": _LINK_PREFIX + executor,
                "started_at": now,
                "updated_at": now,
                "monitored": True,
                "status": None,
            },
            "$inc": {f"{_OURS}.attempts": 1},
        },
        sort=_OLDEST_FIRST,
        return_document=ReturnDocument.AFTER,
    )
    return None if found is None else _as_claim(found)


def keep(claim: Claim, log_tail: str | None = None) -> bool:
    """Shows that a claimed operation is being worked on.

    Args:
        claim: the claim
        log_tail: the last lines that the operation printed; None leaves what is there

    Returns:
        whether the claim still holds; if not, it was cancelled or taken for lost
    """
    news: dict[str, Any] = {"updated_at": _now()}
    if log_tail is not None:
        news["log_tail"] = log_tail
    return bool(_operations().update_one(claim.held, {"$set": news}).matched_count)


def keep_log(claim: Claim, log_tail: str) -> None:
    """Keeps the last lines that an ended operation printed."""
    _operations().update_one(
        {"_id": claim.id, "run_link": claim.link}, {"$set": {"log_tail": log_tail}}
    )


def complete(claim: Claim, result: ExecutionResult) -> bool:
    """Ends an operation with its result; returns whether the claim still held."""
    answer = result.to_json()
    schema = answer.pop("outputs_schema", None)
    news = {"run_state": State.COMPLETED, "result": answer, "completed_at": _now()}
    if schema:
        news["metadata.outputs_schema"] = schema
    return _end(claim, news)


def fail(claim: Claim, error: str) -> bool:
    """Ends an operation with a cause; returns whether the claim still held."""
    return _end(claim, _failure(error))


def hand_back(claim: Claim) -> bool:
    """Queues an operation whose executor leaves; returns whether the claim still held."""
    news = {**_queued(), "$inc": {f"{_OURS}.attempts": -1}}
    return bool(_operations().update_one(claim.held, news).matched_count)


def lose(claim: Claim, cause: str) -> bool | None:
    """Queues a lost operation once more, for another executor; the second time it has failed.

    Args:
        claim: the claim of the executor that lost it
        cause: what happened; its last line is shown while it is queued

    Returns:
        True if it will run again, False if it has failed, None if the claim no longer held
    """
    if claim.attempt >= MOST_ATTEMPTS:
        failed = fail(claim, f"{cause}\nIt was tried {claim.attempt} times.")
        return False if failed else None
    again = {**_queued(), "$addToSet": {f"{_OURS}.lost_on": claim.executor}}
    note = "Queued again: " + cause.strip().splitlines()[-1]
    again["$set"]["status"] = {"progress": 0.0, "label": note, "updated_at": _now()}
    return True if _operations().update_one(claim.held, again).matched_count else None


def fail_foreign(run: Running, error: str) -> bool:
    """Ends what another program ran and lost; returns whether it still seemed to run."""
    seen = run.seen.replace(tzinfo=None)
    unchanged = {"_id": run.claim.id, "run_state": State.RUNNING, "updated_at": seen}
    return bool(_operations().update_one(unchanged, {"$set": _failure(error)}).matched_count)


def running() -> list[Running]:
    """The operations that are said to run and are watched by whoever runs them."""
    found = _operations().find({"run_state": State.RUNNING, "monitored": True})
    return [
        Running(_as_claim(one), one.get("run_link") or "", one["updated_at"].replace(tzinfo=UTC))
        for one in found
    ]


def cancel(operation: ObjectId) -> None:
    """Ends an operation that is queued or running; its executor stops at once.

    Raises:
        NotCancellable: if it has ended
    """
    unended = {"_id": operation, "run_state": {"$in": [State.QUEUED, State.RUNNING]}}
    if not _operations().update_one(unended, {"$set": _failure(CANCELLED)}).matched_count:
        raise NotCancellable("This operation has ended.", "There is nothing left to cancel.")


def _as_claim(document: dict[str, Any]) -> Claim:
    link = document.get("run_link") or ""
    return Claim(
        id=document["_id"],
        operator=document["operator"],
        target=document.get("delegation_target"),
        executor=link.removeprefix(_LINK_PREFIX) if link.startswith(_LINK_PREFIX) else "",
        attempt=document.get(_OURS, {}).get("attempts", 1),
    )


def _end(claim: Claim, news: dict[str, Any]) -> bool:
    ended = _operations().update_one(claim.held, {"$set": {**news, "updated_at": _now()}})
    return bool(ended.matched_count)


def _failure(error: str) -> dict[str, Any]:
    result = ExecutionResult(error=error).to_json()
    result.pop("outputs_schema")
    now = _now()
    return {"run_state": State.FAILED, "result": result, "failed_at": now, "updated_at": now}


def _queued() -> dict[str, dict[str, Any]]:
    now = _now()
    return {"$set": {"run_state": State.QUEUED, "queued_at": now, "updated_at": now}}


def _operations() -> Any:
    return foo.get_db_conn()[MongoDelegatedOperationRepo.COLLECTION_NAME]


def _now() -> datetime:
    """As FiftyOne writes it: UTC, without saying so."""
    return datetime.now(UTC).replace(tzinfo=None)
