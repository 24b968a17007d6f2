"""Runs delegated operations, the oldest first, one at a time.

Start it with ``python -m relabel.compute.executor --target gpu``. As many executors on as many
machines as you like may share a database: claiming an operation is atomic. What one loses is run
once more by another. Do not run ``fiftyone delegated launch`` beside them, it takes operations
whatever their target.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, NoReturn

import fiftyone.plugins as fop
from pymongo.errors import PyMongoError

from . import operations
from .errors import PluginNotVisible
from .executors import Announcement, takers
from .lease import Lease, now
from .lost import LostRuns
from .working import Worker, WorkerLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .operations import Claim

logger = logging.getLogger("relabel.executor")

PLUGIN = "@relabel/cvat"
IDLE_SECONDS = 0.25
WATCH_SECONDS = 0.4
LAST_WORDS_SECONDS = 0.5  # how long a cancelled operation has to tidy up
LOOK_AROUND_SECONDS = 2.0
DATABASE_SECONDS = 2.0
LEAVE_SECONDS = 4.0
_LAST_LOOK_SECONDS = 0.5


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs operations until SIGTERM or Ctrl-C."""
    options = _parse(arguments)
    _log_to_stderr()
    try:
        require_plugin()
    except PluginNotVisible as error:
        sys.exit(str(error))
    leaving = Leaving()
    targets = tuple(dict.fromkeys(options.target))
    try:
        announcement = Announcement(*targets, also_untargeted=options.also_untargeted)
    except (ConnectionError, PyMongoError) as error:  # FiftyOne's own, and PyMongo's
        sys.exit(f"The database does not answer ({error}). Is FIFTYONE_DATABASE_URI the App's?")
    with announcement:
        accepted = accepted_targets(targets, options.also_untargeted)
        Executor(announcement, accepted, leaving).run()
    leaving.leave()


def require_plugin() -> None:
    """Checks that FiftyOne sees the plugin whose operators are to be run.

    Raises:
        PluginNotVisible: if it does not
    """
    if PLUGIN not in {plugin.name for plugin in fop.list_plugins()}:
        raise PluginNotVisible(
            f"FiftyOne sees no plugin {PLUGIN}.",
            "Set FIFTYONE_PLUGINS_DIR to the folder that holds it, as for the App's server.",
        )


def accepted_targets(targets: Sequence[str], also_untargeted: bool) -> list[str | None]:
    """The delegation targets whose operations an executor takes; None for those without."""
    return [*targets, None] if also_untargeted else [*targets]


class Leaving(threading.Event):
    """Set by SIGTERM or Ctrl-C; then there is little time left to leave in order."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 0
        self.worker: Worker | None = None
        signal.signal(signal.SIGTERM, self._asked)
        signal.signal(signal.SIGINT, self._asked)

    def _asked(self, number: int, _: object) -> None:
        if self.is_set():
            return
        self.status = 128 + number
        last_resort = threading.Timer(LEAVE_SECONDS, self.leave)
        last_resort.daemon = True
        last_resort.start()
        self.set()

    def leave(self) -> NoReturn:
        """Ends this process and its worker at once.

        Python would tidy up first, for seconds on a machine that has too much to do, and while it
        does so no thread can end it. Called by the last resort, where the database does not
        answer, this hands nothing back: others find out what was lost.
        """
        if self.worker is not None:
            self.worker.strike()
            self.worker.wait(_LAST_LOOK_SECONDS)
        os._exit(self.status)


class Executor:
    """Takes operations and has them run by its worker.

    Args:
        announcement: the executor's own
        targets: those whose operations it takes; None for those without
        leaving: set when it is to leave
    """

    def __init__(
        self, announcement: Announcement, targets: Sequence[str | None], leaving: Leaving
    ) -> None:
        self._announcement = announcement
        self._targets = targets
        self._leaving = leaving
        self._lost_runs = LostRuns(announcement.id)
        self._next_look = 0.0
        self._shared: list[str | None] = []  # its targets that others take, too
        self._renew_worker()

    def run(self) -> None:
        """Runs operations until it is to leave."""
        logger.info("%s waits for operations", self._announcement.id)
        while not self._leaving.is_set():
            try:
                self._worker.require_alive()
                self._look_around(None)
                asked = now()
                claim = self._claim() if self._worker.ready.is_set() else None
                if claim is None:
                    self._leaving.wait(IDLE_SECONDS)
                else:
                    self._run(claim, asked)
            except WorkerLost as lost:
                logger.warning("%s", lost)
                self._leaving.wait(DATABASE_SECONDS)
                self._renew_worker()
            except PyMongoError as error:
                self._without_database(error)
                self._leaving.wait(DATABASE_SECONDS)

    def _claim(self) -> Claim | None:
        return operations.claim_oldest(self._targets, self._announcement.id, shared=self._shared)

    def _look_around(self, current: Claim | None) -> None:
        """Now and then: who else is there, and what was lost?"""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + LOOK_AROUND_SECONDS
        me = self._announcement.id
        self._shared = [target for target in self._targets if takers(target, other_than=me)]
        self._lost_runs.pass_on(current)

    def _run(self, claim: Claim, asked: float) -> None:
        logger.info("%s (%s), attempt %d", claim.operator, claim.id, claim.attempt)
        with self._announced(claim):
            try:
                with Lease(self._worker, asked) as lease:
                    self._worker.start(claim)
                    held = self._watch(claim, lease)
                    if held:
                        lease.release()  # it is at its end, and is to begin the next
            except WorkerLost as lost:
                logger.warning("%s: %s", claim.id, lost)
                self._renew_worker()
                cause = str(lost)
                self._insist(lambda: operations.lose(claim, cause))
                return
            if not held:
                logger.info("%s is no longer wanted: its process is ended", claim.id)
                self._renew_worker()

    def _watch(self, claim: Claim, lease: Lease) -> bool:
        """Waits for the end of an operation.

        Returns:
            False if it was cancelled, or taken for lost, and went on

        Raises:
            WorkerLost: if its process is gone
        """
        while not self._worker.ended(WATCH_SECONDS):
            if self._leaving.is_set():
                self._worker.strike()  # from now on it does nothing any more
                if operations.hand_back(claim):
                    logger.info("%s was handed back", claim.id)
                return True
            if not self._keep(claim, lease):
                return self._ends_in_time(claim, lease)
        self._keep_log(claim)
        return True

    def _ends_in_time(self, claim: Claim, lease: Lease) -> bool:
        """Waits for the end of an operation that is no longer wanted; returns whether it came.

        Raises:
            WorkerLost: if its process is gone
        """
        takes_back, until = True, time.monotonic() + operations.TAKING_BACK_SECONDS
        while takes_back and time.monotonic() < until and not self._leaving.is_set():
            takes_back = self._takes_back(claim, lease)
            if self._worker.ended(LAST_WORDS_SECONDS):
                self._keep_log(claim)
                return True
        return False

    def _takes_back(self, claim: Claim, lease: Lease) -> bool:
        """Whether an operation takes back what it made; perhaps, if the database is away."""
        try:
            if not operations.is_taking_back(claim):
                return False
            lease.release()
            operations.keep_log(claim, self._worker.log_tail())
            self._look_around(claim)
        except PyMongoError as error:
            self._without_database(error)
        return True

    def _keep(self, claim: Claim, lease: Lease) -> bool:
        """Whether the claim holds; as far as is known, if the database does not answer."""
        try:
            self._look_around(claim)
            asked = now()
            held = operations.keep(claim, self._worker.log_tail())
        except PyMongoError as error:
            self._without_database(error)
            return True
        if held:
            lease.renew(asked)
        return held

    def _without_database(self, error: PyMongoError) -> None:
        logger.warning("The database does not answer, trying again: %s", error)
        self._lost_runs.forget()

    def _keep_log(self, claim: Claim) -> None:
        with contextlib.suppress(PyMongoError):
            operations.keep_log(claim, self._worker.log_tail())

    def _insist(self, write: Callable[[], object]) -> None:
        while not self._leaving.is_set():
            try:
                write()
            except PyMongoError as error:
                self._without_database(error)
                self._leaving.wait(DATABASE_SECONDS)
            else:
                return

    def _renew_worker(self) -> None:
        if self._leaving.worker is not None:
            self._leaving.worker.kill()
        self._worker = self._leaving.worker = Worker()

    @contextlib.contextmanager
    def _announced(self, claim: Claim) -> Iterator[None]:
        self._announcement.busy_with(claim.operator)
        try:
            yield
        finally:
            self._announcement.busy_with(None)


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m relabel.compute.executor",
        description="Runs the delegated operations of some targets, oldest first.",
    )
    parser.add_argument(
        "--target",
        required=True,
        action="append",
        help="a delegation target, e.g. gpu; may be given several times",
    )
    parser.add_argument(
        "--also-untargeted",
        action="store_true",
        help="also take operations that name no target",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
