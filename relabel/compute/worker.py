"""The process in which an executor's operations run, one after the other.

It lives on between operations: FiftyOne is imported and models stay loaded. Its executor speaks to
it over a socket; when that closes, because the executor has ended however it did, it ends at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import socket
import sys
import threading
import traceback
from typing import TYPE_CHECKING

from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionError, ExecutionResult
from fiftyone.operators.registry import OperatorRegistry
from pymongo.errors import PyMongoError

from . import operations
from .channel import Channel
from .executors import takers
from .operations import CLAIM, Claim, insist

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("relabel.worker")

_PR_SET_PDEATHSIG = 1  # of linux/prctl.h
_LOG_LINE = "%(asctime)s %(message)s"  # as users read it in the panel


def main(descriptor: int) -> None:
    """Runs what its executor names, until that is gone."""
    _wake_without_executor()
    logging.basicConfig(level=logging.INFO, format=_LOG_LINE, datefmt="%H:%M:%S")
    channel = Channel(socket.socket(fileno=descriptor))
    orders = _Orders(channel)
    OperatorRegistry().list_operators()  # imports every plugin, before there is anything to do
    channel.send({"ready": True})
    while True:
        claim = orders.wait()
        run(claim)
        channel.send({"ended": str(claim.id)})


def _wake_without_executor() -> None:
    """Has Linux wake this process when its executor ends: paused, it could not notice that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGCONT)


def run(claim: Claim) -> None:
    """Runs a claimed operation and writes how it ended, unless the claim was lost meanwhile."""
    logger.info("%s begins, attempt %d", claim.operator, claim.attempt)
    ended = _executed(claim)
    logger.info("%s is at its end", claim.operator)
    sys.stdout.flush()
    sys.stderr.flush()
    if not insist(ended):
        logger.info("%s is no longer ours: cancelled, or taken for lost", claim.id)
        insist(lambda: operations.took_back(claim))


def _executed(claim: Claim) -> Callable[[], bool]:
    """Runs the operator; returns what writes its end."""
    try:
        service = DelegatedOperationService()
        operation = service.get(claim.id)
        operation.context.request_params[CLAIM] = claim.to_json()
        result: ExecutionResult = asyncio.run(
            service._execute_operator(operation)  # noqa: SLF001 - all of FiftyOne's
        )
        result.raise_exceptions()
    except PyMongoError as error:
        cause = f"The database did not answer ({type(error).__name__}: {error})."
        return lambda: operations.lose(claim, cause) is not None
    except Exception as error:
        failure = traceback.format_exc()
        logger.exception("%s failed", claim.operator)
        foreseen = isinstance(error, ExecutionError) or hasattr(error, "advice")
        return lambda: _failed(claim, failure, foreseen=foreseen)
    return lambda: operations.complete(claim, result)


def _failed(claim: Claim, failure: str, *, foreseen: bool) -> bool:
    """What the user can act on has failed; what nobody foresaw may go well on another machine."""
    if foreseen or not takers(claim.target, other_than=claim.executor):
        return operations.fail(claim, failure)
    return operations.lose(claim, failure) is not None


class _Orders:
    """What the executor asks for; a thread listens, so that its end is noticed at any time."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._next: list[Claim] = []
        self._arrived = threading.Semaphore(0)
        threading.Thread(target=self._listen, daemon=True).start()

    def wait(self) -> Claim:
        """The next operation."""
        self._arrived.acquire()
        return self._next.pop(0)

    def _listen(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while (order := self._channel.receive()) is not None:
                self._next.append(Claim.from_json(order))
                self._arrived.release()
        os.killpg(os.getpgrp(), signal.SIGKILL)  # and all that the operation started


if __name__ == "__main__":
    main(int(sys.argv[1]))
