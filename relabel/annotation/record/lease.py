"""Who holds a round: a process that others can see to be alive or gone."""

from __future__ import annotations

import os
import socket
from functools import cache
from typing import TYPE_CHECKING, Any

import psutil  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Mapping


def this_process() -> dict[str, Any]:
    """What tells this process from every other, also from a later one with the same number."""
    return _described(socket.gethostname(), os.getpid())


@cache
def _described(host: str, pid: int) -> dict[str, Any]:
    return {"host": host, "pid": pid, "started": psutil.Process(pid).create_time()}


def dead_holder(holder: Mapping[str, Any] | None) -> bool:
    """Whether a process is certainly gone. Of other machines nothing is certain."""
    if not holder or holder["host"] != socket.gethostname():
        return False
    try:
        process = psutil.Process(holder["pid"])
        zombie = process.status() == psutil.STATUS_ZOMBIE
        return bool(zombie or process.create_time() != holder["started"])
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False
