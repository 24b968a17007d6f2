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

from ..relabel.errors import RelabelError

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
    """Ends a delegated operation that was cancelled meanwhile, which FiftyOne marks as failed.

    Raises:
        Cancelled: if it was
    """
    run = ctx.request_params.get("run_doc") if ctx.delegated else None
    if run is None:
        return
    state = DelegatedOperationService().get(ObjectId(run)).run_state
    if state == ExecutionRunState.FAILED:
        raise Cancelled("The operation was cancelled.", "Schedule it again if it was not meant.")
