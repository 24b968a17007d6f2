"""Finds the runs whose executor is gone, and has them run again.

Silence is measured here, by this process's own clock, and counts only while the database answered
all along: clocks that differ, or a database that was away, make nobody look dead.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from . import operations
from .executors import heartbeats

if TYPE_CHECKING:
    from bson import ObjectId

    from .operations import Claim, Running

    _Signs = tuple[datetime | None, datetime]  # the executor's and the operation's last

logger = logging.getLogger(__name__)

SILENT_SECONDS = 15.0  # longer than a lease lasts
FOREIGN_SILENT_SECONDS = 600.0


class LostRuns:
    """Watches the other executors.

    Args:
        executor: the id of the executor that asks
        silent_seconds: how long an executor, and what it runs, must have been silent
    """

    def __init__(self, executor: str, silent_seconds: float = SILENT_SECONDS) -> None:
        self._executor = executor
        self._silent_seconds = silent_seconds
        self._heard: dict[ObjectId, tuple[_Signs, float]] = {}

    def forget(self) -> None:
        """Begins anew: while the database was away nobody could be heard."""
        self._heard.clear()

    def pass_on(self, current: Claim | None = None) -> list[ObjectId]:
        """Has lost runs run again, or marks them as failed; to be called often.

        Args:
            current: what the executor that asks runs itself; all else that is said to run on it
                does not

        Returns:
            the ids of the operations
        """
        runs, beats = operations.running(), heartbeats()
        ids = {run.claim.id for run in runs}
        self._heard = {key: heard for key, heard in self._heard.items() if key in ids}
        found = [run for run in runs if run.claim != current and self._lost(run, beats)]
        return [run.claim.id for run in found if self._pass_on(run)]

    def _lost(self, run: Running, beats: dict[str, datetime]) -> bool:
        executor = run.claim.executor
        if not executor:
            silence = datetime.now(UTC) - run.seen
            return silence > timedelta(seconds=FOREIGN_SILENT_SECONDS)
        return executor == self._executor or self._silent(run, beats.get(executor))

    def _silent(self, run: Running, beat: datetime | None) -> bool:
        now, signs = time.monotonic(), (beat, run.seen)
        before, since = self._heard.get(run.claim.id, (signs, now))
        if before != signs:
            since = now
        self._heard[run.claim.id] = (signs, since)
        return now - since >= self._silent_seconds

    def _pass_on(self, run: Running) -> bool:
        claim = run.claim
        if claim.executor == self._executor:  # claimed, but the answer never arrived
            return operations.hand_back(claim)
        if not claim.executor:
            cause = f"What ran this ({run.run_link or 'unknown'}) was lost. Run it again."
            return operations.fail_foreign(run, cause)
        cause = f"The executor {claim.executor} was lost before the run ended."
        passed_on = operations.lose(claim, cause, run.seen) is not None
        if passed_on:
            logger.warning("%s was lost by %s", claim.id, claim.executor)
        return passed_on
