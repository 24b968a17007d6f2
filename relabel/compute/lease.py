"""Holds that an operation stands still once another executor may have taken it over.

Every write that shows that an operation is being worked on renews its lease. Others take it for
lost only when it has shown nothing for longer than a lease lasts (:mod:`.lost`), so whoever is cut
off from the database stands still before anybody else begins. Both measure on a clock of their
own, and neither begins to count before the other: what is acknowledged was written later than it
was asked for, and is seen later still.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from .working import Worker

LEASE_SECONDS = 10.0
_LOOK_SECONDS = 0.25


def now() -> float:
    """Seconds of a clock that goes on while the machine sleeps, as those of others do."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()  # nothing is paused there


class Lease:
    """Pauses a worker whose lease runs out, and wakes it when it is renewed; a context manager.

    Args:
        worker: what works on the operation
        since: when the claim was asked for, by `now`
        seconds: how long a lease lasts
    """

    def __init__(self, worker: Worker, since: float, seconds: float = LEASE_SECONDS) -> None:
        self._worker = worker
        self._since = since
        self._seconds = seconds
        self._paused = False
        self._change = threading.Lock()
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._pause_in_time, daemon=True)

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watch.join()

    def renew(self, asked: float) -> None:
        """Goes on: the database says that the operation is still ours.

        Args:
            asked: when it was asked, by `now`
        """
        with self._change:
            self._since = asked
            if self._paused and not self._is_over():
                self._worker.wake()
                self._paused = False

    def release(self) -> None:
        """Lets it go on for good: the operation has ended, or nobody else can have it any more."""
        with self._change:
            self._ended.set()
            if self._paused:
                self._worker.wake()
                self._paused = False

    def _pause_in_time(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            with self._change:
                if not (self._paused or self._ended.is_set()) and self._is_over():
                    self._paused = self._worker.pause()

    def _is_over(self) -> bool:
        return now() - self._since >= self._seconds
