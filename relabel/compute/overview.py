"""What users see of delegated operations: those of a dataset, unfinished first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from fiftyone.operators.executor import ExecutionRunState
from pymongo import ASCENDING, DESCENDING

from .operations import LINK_PREFIX, OURS, collection
from .steering import CANCELLED, takes_back

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bson import ObjectId

    Line = Sequence[tuple[ObjectId, str | None]]

_UNENDED = [ExecutionRunState.SCHEDULED, ExecutionRunState.QUEUED, ExecutionRunState.RUNNING]
_NOT_SHOWN = {"context": 0, "metadata": 0, "result.result": 0, "pipeline": 0}
_MOST_CHARACTERS = 6000
_MOST_OF_A_LINE = 200
_PARAMS = "context.request_params.params"
_NOT_SAID = ("run_on",)  # that is its target
_SECRET = re.compile(r"key$|token|secret|passw|credential", re.IGNORECASE)
_KEYS_OF_RUNS = ("key", "anno_key", "brain_key", "eval_key", "run_key")  # FiftyOne's names
_TRIED = re.compile(r"It was tried \d+ times\.$")
# E.g. "relabel.compute.errors.ModelNotFound: ", but not "ValueError: "
_OUR_ERROR = re.compile(r"^[\w@/-]+(\.[\w@/-]+)+: ")


class Stage(StrEnum):
    """Where an operation stands."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


_ORDER = {Stage.RUNNING: 0, Stage.QUEUED: 1}  # before all others


@dataclass(frozen=True)
class Operation:
    """A delegated operation.

    Args:
        id: its id
        operator: the URI of its operator
        label: what its operator is called
        target: the delegation target that it was queued for; None for none
        stage: where it stands
        executor: the id of the executor that runs or ran it; None while it waits, or if it is none
            of ours
        attempt: counted from 1; 0 before the first
        writing: whether it writes its outcome, and can no longer be cancelled
        takes_back: whether it was cancelled, and still takes back what it made
        progress: the share that is done, from 0 to 1; None where it is not known
        doing: what is being done, or what became of the last attempt
        cause: why it failed, in one line
        error: the whole of that
        log_tail: the last lines that it printed; read where it was asked for
        asked: what its operator was asked with, as far as a line can say it; read like that, too
        queued_at: when it was asked for
        started_at: when the last attempt began
        ended_at: when it ended
        again: the id of its repetition by the user
    """

    id: ObjectId
    operator: str
    label: str
    target: str | None
    stage: Stage
    executor: str | None
    attempt: int
    writing: bool
    takes_back: bool
    progress: float | None
    doing: str
    cause: str
    error: str
    log_tail: str
    asked: tuple[tuple[str, str], ...]
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    again: ObjectId | None


@dataclass(frozen=True)
class Glance:
    """What runs, waits and has ended last, of a dataset.

    Args:
        queued: how many operations wait, as far as they are shown
        running: how many run, as far as they are shown
        ended: the one that ended last; None if none has
    """

    queued: int
    running: int
    ended: Operation | None


@dataclass(frozen=True)
class Elsewhere:
    """How much is under way on other datasets.

    Args:
        queued: operations that wait
        running: operations that run
    """

    queued: int
    running: int


def operations_of(
    dataset_id: ObjectId, *, most: int = 50, opened: Sequence[ObjectId] = ()
) -> list[Operation]:
    """The operations of a dataset: those that run, those that wait, then the latest that ended.

    Args:
        dataset_id: the dataset's
        most: how many of those that ended, and of the others, those asked for last
        opened: of which more is to be read: the last lines, and what they were asked with
    """
    of_dataset = {"dataset_id": dataset_id, "archived": {"$ne": True}}
    unended = _read({**of_dataset, "run_state": {"$in": _UNENDED}}, most)
    ended = _read({**of_dataset, "run_state": {"$nin": _UNENDED}}, most)
    more = _more(opened)
    found = [_as_operation(one, more.get(one["_id"], {})) for one in [*reversed(unended), *ended]]
    return sorted(found, key=lambda one: _ORDER.get(one.stage, len(_ORDER)))


def glance(dataset_id: ObjectId) -> Glance:
    """What a panel says of operations that shows something else."""
    found = operations_of(dataset_id)
    stages = [one.stage for one in found]
    return Glance(
        queued=stages.count(Stage.QUEUED),
        running=stages.count(Stage.RUNNING),
        ended=max(
            (one for one in found if one.ended_at), key=attrgetter("ended_at"), default=None
        ),
    )


def elsewhere(dataset_id: ObjectId) -> Elsewhere:
    """What is under way on other datasets."""
    others = {"dataset_id": {"$ne": dataset_id}, "archived": {"$ne": True}}
    states = [
        one["run_state"]
        for one in collection().find(
            {**others, "run_state": {"$in": _UNENDED}}, {"run_state": 1, "_id": 0}
        )
    ]
    running = states.count(ExecutionRunState.RUNNING)
    return Elsewhere(queued=len(states) - running, running=running)


def line() -> Line:
    """What waits, of all datasets, in the order in which it is claimed; each with its target."""
    waiting = {"run_state": ExecutionRunState.QUEUED, "archived": {"$ne": True}}
    found = collection().find(waiting, {"delegation_target": 1}).sort("_id", ASCENDING)
    return [(one["_id"], one.get("delegation_target")) for one in found]


def _read(query: dict[str, Any], most: int) -> list[dict[str, Any]]:
    without = {**_NOT_SHOWN, "log_tail": 0}
    found: list[dict[str, Any]] = list(
        collection().find(query, without).sort("_id", DESCENDING).limit(most)
    )
    return found


def _more(operations: Sequence[ObjectId]) -> dict[ObjectId, dict[str, Any]]:
    wanted = {"log_tail": 1, _PARAMS: 1}
    return {one["_id"]: one for one in collection().find({"_id": {"$in": [*operations]}}, wanted)}


def _asked(document: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """What can be said in a line, but nothing that may be secret, or hold what is."""
    params: Any = document
    for name in _PARAMS.split("."):
        params = (params or {}).get(name)
    said = (
        (name, ", ".join(map(str, value)) if isinstance(value, list) else str(value))
        for name, value in (params or {}).items()
        if name not in _NOT_SAID
        and value not in (None, "", [])
        and not _may_be_secret(name)
        and not _has_options(value)
    )
    return tuple((name, text[:_MOST_OF_A_LINE]) for name, text in said)


def _may_be_secret(name: str) -> bool:
    return bool(_SECRET.search(name)) and name not in _KEYS_OF_RUNS


def _has_options(value: Any) -> bool:
    """Whether a value is or holds a mapping; those of other programs may hold their keys."""
    return isinstance(value, dict) or (isinstance(value, list) and any(map(_has_options, value)))


def _as_operation(document: dict[str, Any], more: dict[str, Any]) -> Operation:
    ours, status = document.get(OURS, {}), document.get("status") or {}
    error = ((document.get("result") or {}).get("error") or "").strip()
    stage = _stage(document["run_state"], error)
    link = document.get("run_link") or ""
    is_ours = link.startswith(LINK_PREFIX)
    return Operation(
        id=document["_id"],
        operator=document["operator"],
        label=_label_of(document),
        target=document.get("delegation_target"),
        stage=stage,
        # Of what was queued again the document still names the one that had it.
        executor=link.removeprefix(LINK_PREFIX) if is_ours and stage is not Stage.QUEUED else None,
        attempt=ours.get("attempts", 0),
        writing=bool(ours.get("writing")) and stage in _ORDER,
        takes_back=takes_back(document),
        progress=status.get("progress"),
        doing=status.get("label") or "",
        cause=cause_of(error) if stage is Stage.FAILED else "",
        error=error[-_MOST_CHARACTERS:] if stage is Stage.FAILED else "",
        log_tail=more.get("log_tail") or "",
        asked=_asked(more),
        queued_at=_aware(document.get("queued_at")),
        started_at=_aware(document.get("started_at")),
        ended_at=_aware(document.get("completed_at") or document.get("failed_at")),
        again=ours.get("again"),
    )


def cause_of(error: str) -> str:
    """What a user is told of an error: the line of its traceback that says what happened."""
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    if not lines:
        return ""
    if len(lines) > 1 and _TRIED.match(lines[-1]):
        return f"{cause_of(lines[-2])} {lines[-1]}"
    return _OUR_ERROR.sub("", lines[-1])


def _label_of(document: dict[str, Any]) -> str:
    """What an operator is called; FiftyOne gives the documents of most plugins its bare name."""
    name = document["operator"].rpartition("/")[2]
    label: str = document.get("label") or name
    return name.replace("_", " ").capitalize() if label == name else label


def _stage(run_state: str, error: str) -> Stage:
    if run_state == ExecutionRunState.RUNNING:
        return Stage.RUNNING
    if run_state == ExecutionRunState.COMPLETED:
        return Stage.COMPLETED
    if run_state == ExecutionRunState.FAILED:
        return Stage.CANCELLED if error == CANCELLED else Stage.FAILED
    return Stage.QUEUED


def _aware(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(tzinfo=UTC)
