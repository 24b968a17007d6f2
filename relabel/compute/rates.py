"""How long work takes, as measured by the last run of each sort: FiftyOne's database keeps it."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fiftyone.operators.store import ExecutionStore

if TYPE_CHECKING:
    from collections.abc import Mapping

STORE = "relabel_rates"


@dataclass(frozen=True)
class Rate:
    """What the last run of an operator on a target took.

    Args:
        seconds_each: seconds for one sample, all steps together
        host: the machine that ran it
    """

    seconds_each: float
    host: str

    def seconds(self, count: int) -> float:
        """How long so many samples will take."""
        return self.seconds_each * count


def record(operator: str, target: str, step: str, count: int, seconds: float) -> None:
    """Remembers how long a step of an operator took on a target, on this machine.

    Args:
        operator: the operator's URI
        target: where it ran: a delegation target, or a name for "here"
        step: which part of its work, e.g. ``"images"``
        count: how many of them, at least one
        seconds: how long they took together
    """
    store, key = ExecutionStore.create(STORE), _key(operator, target)
    steps = dict((store.get(key) or {}).get("steps", {}))
    steps[step.replace(".", " ")] = seconds / count
    store.set(key, {"steps": steps, "host": socket.gethostname()})


def measured(operator: str, target: str) -> Rate | None:
    """What the last run took; None if there was none. One read of the database."""
    found: Mapping[str, Any] | None = ExecutionStore.create(STORE).get(_key(operator, target))
    if not found:
        return None
    return Rate(seconds_each=sum(found["steps"].values()), host=found["host"])


def in_words(seconds: float) -> str:
    """E.g. ``"a few seconds"``, ``"40 seconds"``, ``"3 minutes"``, ``"2.5 hours"``."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 100:
        return f"{seconds:.0f} seconds"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"


def _key(operator: str, target: str) -> str:
    return f"{operator}|{target}"
