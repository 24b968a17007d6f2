"""Who holds a round: a process that others can see to be alive or gone.

What holds it for a delegated operation is followed by the next attempt of that operation, on
whatever machine: only one of them is at work, and the one before is gone or stands still for good.
"""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any

import psutil  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_operation: ContextVar[str | None] = ContextVar("operation", default=None)


@contextmanager
def on_behalf_of(operation: str | None) -> Iterator[None]:
    """Says for which delegated operation this thread works meanwhile.

    Args:
        operation: what each attempt of it has in common; None for no operation, or one of which
            two attempts may be at work at once
    """
    before = _operation.set(operation)
    try:
        yield
    finally:
        _operation.reset(before)


def this_operation() -> str | None:
    """The operation that this thread works for."""
    return _operation.get()


def this_process() -> dict[str, Any]:
    """What tells this process from every other, also from a later one with the same number.

    It names the operation, too, if it works for one.
    """
    operation, process = this_operation(), _described(socket.gethostname(), os.getpid())
    return {**process, "operation": operation} if operation else process


@cache
def _described(host: str, pid: int) -> dict[str, Any]:
    return {"host": host, "pid": pid, "started": psutil.Process(pid).create_time()}


def dead_holder(holder: Mapping[str, Any] | None) -> bool:
    """Whether a process is certainly gone, or was an earlier attempt of what we do.

    Of other machines nothing else is certain.
    """
    if not holder:
        return False
    operation = this_operation()
    if operation and holder.get("operation") == operation and holder != this_process():
        return True
    if holder["host"] != socket.gethostname():
        return False
    try:
        process = psutil.Process(holder["pid"])
        zombie = process.status() == psutil.STATUS_ZOMBIE
        return bool(zombie or process.create_time() != holder["started"])
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False
