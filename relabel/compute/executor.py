"""Runs the delegated operations of one target.

Start it with ``python -m relabel.compute.executor --target gpu``. It takes the oldest first, one
at a time, each in a process of its own. As many executors as you like may share a database:
claiming an operation is atomic. Do not run ``fiftyone delegated launch`` beside them, it takes
operations whatever their target.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

import fiftyone.plugins as fop
import psutil  # type: ignore[import-untyped]
from fiftyone.factory import DelegatedOperationPagingParams, SortDirection
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionResult
from fiftyone.operators.executor import ExecutionRunState as State
from pymongo.errors import PyMongoError

from .errors import PluginNotVisible
from .executors import Announcement, alive

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

logger = logging.getLogger("relabel.executor")

PLUGIN = "@relabel/cvat"
IDLE_SECONDS = 0.5
MONITOR_SECONDS = 5
REAP_SECONDS = 15.0
LEAVE_SECONDS = 20.0
LOST_AFTER_SECONDS = 60.0
FOREIGN_LOST_AFTER_SECONDS = 600.0
_LINK_PREFIX = "relabel:"
_wakes_nobody = threading.Event()


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs operations until SIGTERM or Ctrl-C."""
    options = _parse(arguments)
    _log_to_stderr()
    try:
        require_plugin()
    except PluginNotVisible as error:
        sys.exit(str(error))
    _leave_on_signals()
    with Announcement(options.target, also_untargeted=options.also_untargeted) as announcement:
        logger.info("%s waits for operations", announcement.id)
        _run_forever(announcement, accepted_targets(options.target, options.also_untargeted))


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


def accepted_targets(target: str, also_untargeted: bool) -> list[str | None]:
    """The delegation targets whose operations an executor takes."""
    return [target, None] if also_untargeted else [target]


def oldest_queued(service: Any, targets: Sequence[str | None]) -> Any | None:
    """The operation that was asked for first among those queued for the targets.

    By its id, not its time of queueing: an operation that was handed back keeps its place.
    """
    queued = service.list_operations(
        run_state=State.QUEUED,
        paging=DelegatedOperationPagingParams(
            sort_by="_id", sort_direction=SortDirection.ASCENDING, limit=1
        ),
        delegation_target={"$in": list(targets)},
    )
    return queued[0] if queued else None


def run_operation(service: Any, operation: Any, announcement: Announcement) -> None:
    """Claims one operation and runs it in a process of its own; another may have been quicker.

    However it ends the database says so: completed, failed with a cause, or queued again when
    this executor has to leave.
    """
    link = _LINK_PREFIX + announcement.id
    with _handed_back_on_exit(service, operation, link), _announced(announcement, operation):
        result = service.execute_operation(
            operation,
            log=True,
            run_link=link,
            monitor=True,
            check_interval_seconds=MONITOR_SECONDS,
        )
        if result is not None and result.error:
            cause = ExecutionResult(error=_explained(str(result.error)))
            service.set_failed(operation.id, result=cause, required_state=State.RUNNING)


def reap_lost_runs(
    service: Any, idle: str, lost_after_seconds: float = LOST_AFTER_SECONDS
) -> list[Any]:
    """Marks as failed the runs whose executor is gone; else they would say "running" for ever.

    Args:
        service: FiftyOne's service of delegated operations
        idle: the id of the executor that asks; what is said to run on it does not
        lost_after_seconds: how long an executor must have been silent

    Returns:
        the ids of the operations
    """
    at_work = {executor.id for executor in alive(lost_after_seconds)} - {idle}
    lost = []
    for operation in service.list_operations(run_state=State.RUNNING, monitored=True):
        owner = _owner(operation)
        if owner in at_work or (owner is None and not _silent_for_long(operation)):
            continue
        who = owner or operation.run_link or "that ran this"
        error = f"The executor {who} was lost before the run ended. Run it again."
        cause = ExecutionResult(error=error)
        if service.set_failed(operation.id, result=cause, required_state=State.RUNNING):
            lost.append(operation.id)
    return lost


def _run_forever(announcement: Announcement, targets: Sequence[str | None]) -> NoReturn:
    service = DelegatedOperationService()
    next_reaping = datetime.min.replace(tzinfo=UTC)
    while True:
        try:
            if datetime.now(UTC) >= next_reaping:
                for lost in reap_lost_runs(service, announcement.id):
                    logger.warning("%s was lost", lost)
                next_reaping = datetime.now(UTC) + timedelta(seconds=REAP_SECONDS)
            operation = oldest_queued(service, targets)
            if operation is None:
                _wakes_nobody.wait(IDLE_SECONDS)
            else:
                run_operation(service, operation, announcement)
        except PyMongoError as error:
            logger.warning("The database does not answer, trying again: %s", error)
            _wakes_nobody.wait(REAP_SECONDS)


@contextlib.contextmanager
def _handed_back_on_exit(service: Any, operation: Any, link: str) -> Iterator[None]:
    """Queues the operation again if this executor is asked to leave while it runs."""
    try:
        yield
    except (SystemExit, KeyboardInterrupt):
        _kill_children()
        found = service.get(operation.id)
        if found.run_link == link and service.set_queued(
            operation.id, required_state=State.RUNNING
        ):
            logger.info("%s was handed back", operation.id)
        raise


@contextlib.contextmanager
def _announced(announcement: Announcement, operation: Any) -> Iterator[None]:
    announcement.busy_with(operation.operator)
    try:
        yield
    finally:
        announcement.busy_with(None)


def _explained(error: str) -> str:
    if "exit code -9" in error:
        return (
            "The process of this run was killed from outside (SIGKILL), most often because "
            f"memory ran out. Try a smaller batch or fewer samples. ({error})"
        )
    return error


def _owner(operation: Any) -> str | None:
    """The id of the executor of ours that claimed it; None if it was none of ours."""
    link = operation.run_link or ""
    return link.removeprefix(_LINK_PREFIX) if link.startswith(_LINK_PREFIX) else None


def _silent_for_long(operation: Any) -> bool:
    last_sign = operation.updated_at.replace(tzinfo=UTC)
    return bool(datetime.now(UTC) - last_sign > timedelta(seconds=FOREIGN_LOST_AFTER_SECONDS))


def _leave_on_signals() -> None:
    """SIGTERM and Ctrl-C leave in order: without a handler a run's process would live on."""

    def leave(number: int, _: object) -> NoReturn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        last_resort = threading.Timer(LEAVE_SECONDS, _leave_at_once, [128 + number])
        last_resort.daemon = True
        last_resort.start()
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)


def _leave_at_once(status: int) -> None:
    """A lock that a killed process held must not keep this one; others reap what it ran."""
    _kill_children()
    os._exit(status)


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def _kill_children() -> None:
    children = [child for child in psutil.Process().children(recursive=True) if not _tracks(child)]
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    psutil.wait_procs(children, timeout=10)


def _tracks(process: Any) -> bool:
    """Whether it is Python's own resource tracker, which ends by itself when all others have."""
    try:
        return any("resource_tracker" in argument for argument in process.cmdline())
    except psutil.Error:
        return False


def _end_with_the_executor() -> None:
    """In a run's process: ends it when its executor is gone, even killed."""
    executor = os.getppid()

    def watch() -> None:
        while os.getppid() == executor:
            _wakes_nobody.wait(1.0)
        _leave_at_once(1)

    threading.Thread(target=watch, daemon=True).start()


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m relabel.compute.executor",
        description="Runs the delegated operations of one target, oldest first.",
    )
    parser.add_argument("--target", required=True, help="the delegation target, e.g. gpu")
    parser.add_argument(
        "--also-untargeted",
        action="store_true",
        help="also take operations that name no target",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
if __name__ == "__mp_main__":  # this module again, imported by the process of a run
    _end_with_the_executor()
