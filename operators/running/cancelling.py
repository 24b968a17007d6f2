"""Ends work that is no longer wanted, at the next step that it reports."""

from __future__ import annotations

import contextlib
import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bson import ObjectId
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionRunState

from ...relabel.compute import operations
from ...relabel.errors import RelabelError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Cancelled(RelabelError):
    """Work is no longer wanted."""


@dataclass(frozen=True)
class Running:
    """Work that runs at once, in the process of the App's server.

    Args:
        key: by which the App names it
        cancelled: set once it is no longer wanted
    """

    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def require_wanted(self) -> None:
        """Ends the work if it was cancelled.

        Raises:
            Cancelled: if it was
        """
        if self.cancelled.is_set():
            raise Cancelled("It was cancelled.", "What the next run can go on with is kept.")


_running: dict[str, Running] = {}


@contextlib.contextmanager
def running() -> Iterator[Running]:
    """Work that the App can cancel while the body runs."""
    work = Running()
    _running[work.key] = work
    try:
        yield work
    finally:
        del _running[work.key]


def cancel(key: str) -> bool:
    """Cancels work that runs at once; says whether it was still running."""
    work = _running.get(key)
    if work is None:
        return False
    work.cancelled.set()
    return True


def require_wanted(ctx: Any) -> None:
    """Ends a delegated operation that was cancelled meanwhile, or is run by somebody else.

    Raises:
        Cancelled: if so
    """
    claim = _claim_of(ctx)
    if claim:
        _require(operations.insist(lambda: operations.holds(claim)))
    elif ctx.delegated and "run_doc" in ctx.request_params:  # by another program than ours
        run = DelegatedOperationService().get(ObjectId(ctx.request_params["run_doc"]))
        _require(run.run_state != ExecutionRunState.FAILED)


def takes_back(ctx: Any) -> None:
    """To be called before an operator makes what it takes back when it is cancelled.

    From then on a delegated operation that is cancelled has time to do so, before its process is
    ended.

    Raises:
        Cancelled: if it was cancelled already
    """
    claim = _claim_of(ctx)
    if claim:
        _require(operations.insist(lambda: operations.takes_back(claim)))
    else:
        require_wanted(ctx)


def begin_writing(ctx: Any) -> None:
    """To be called right before an operator writes its outcome, half of which must not be left.

    From then on a delegated operation cannot be cancelled; one that was cancelled, or was taken
    for lost and is run by another executor, ends here.

    Raises:
        Cancelled: if it was
    """
    claim = _claim_of(ctx)
    if claim:
        _require(operations.insist(lambda: operations.begin_writing(claim)))
    else:
        require_wanted(ctx)


def operation_of(ctx: Any) -> str | None:
    """The delegated operation that the user asked for: each attempt and repetition has the same.

    None where it runs at once, or is run by another program than ours.
    """
    claim = _claim_of(ctx)
    return str(claim.first) if claim else None


def executor_of(ctx: Any) -> str | None:
    """The id of the executor that runs an operator; None where none of ours does."""
    claim = _claim_of(ctx)
    return claim.executor if claim else None


def _claim_of(ctx: Any) -> operations.Claim | None:
    """Under which claim an executor of ours runs an operator; None anywhere else."""
    claim = ctx.request_params.get(operations.CLAIM)
    return operations.Claim.from_json(claim) if claim else None


def _require(wanted: bool) -> None:
    if not wanted:
        raise Cancelled("The operation was cancelled.", "Schedule it again if it was not meant.")
