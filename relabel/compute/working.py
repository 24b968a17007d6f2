"""A worker as its executor sees it: started, given an operation, watched, killed."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from .channel import Channel

if TYPE_CHECKING:
    from .operations import Claim

_TAIL_LINES = 60
_LINE_CHARACTERS = 400
_LAST_BREATH_SECONDS = 2.0
_CAN_PAUSE = sys.platform == "linux"  # elsewhere one that is paused would outlive its executor
_GPU_GROWTH = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}  # others may share the GPU


class WorkerLost(Exception):
    """The worker's process ended by itself or was killed; the text says how."""


class Worker:
    """One process that runs operations; a new one is started by making a new object.

    To be made in the thread that lives as long as the executor does: see `worker.main`.
    """

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __package__ + ".worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that what it starts can be killed with it
                env={**_GPU_GROWTH, **os.environ, "PYTHONUNBUFFERED": "1"},
            )
        self._channel = Channel(ours)
        self.ready = threading.Event()
        self._messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        for task in (self._listen, self._read_log):
            threading.Thread(target=task, daemon=True).start()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def require_alive(self) -> None:
        """Checks that it can be given an operation, or will be able to.

        Raises:
            WorkerLost: if it is gone
        """
        if self._process.poll() is not None:
            raise WorkerLost(self._how_it_ended())

    def start(self, claim: Claim) -> None:
        """Hands it an operation.

        Raises:
            WorkerLost: if it is gone
        """
        self._tail.clear()
        try:
            self._channel.send(claim.to_json())
        except OSError as error:
            raise WorkerLost(self._how_it_ended()) from error

    def ended(self, timeout: float) -> bool:
        """Waits for the end of the operation; returns whether it came.

        Raises:
            WorkerLost: if the process is gone
        """
        try:
            message = self._messages.get(timeout=timeout)
        except queue.Empty:
            return False
        if message is None:
            raise WorkerLost(self._how_it_ended())
        return True

    def log_tail(self) -> str:
        """The last lines that the operation printed."""
        return "\n".join(list(self._tail))

    def pause(self) -> bool:
        """Has it and all that it started stand still, wherever it is; returns whether it does."""
        if _CAN_PAUSE:
            self._signal(signal.SIGSTOP)
        return _CAN_PAUSE

    def wake(self) -> None:
        """Has it go on where it was paused."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """Ends it and all that it started, at once."""
        self.strike()
        self._process.wait()
        self._channel.close()

    def strike(self) -> None:
        """The same, without waiting until the system has taken back what it held."""
        self._signal(signal.SIGKILL)

    def wait(self, seconds: float) -> None:
        """Waits until its process is gone, but no longer than so many seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _listen(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while (message := self._channel.receive()) is not None:
                if "ready" in message:
                    self.ready.set()
                else:
                    self._messages.put(message)
        self._messages.put(None)

    def _read_log(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        for line in self._process.stdout:
            text = line.decode(errors="replace").rstrip()
            self._tail.append(text.rpartition("\r")[2][:_LINE_CHARACTERS])
            sys.stderr.write(text + "\n")

    def _how_it_ended(self) -> str:
        self.wait(_LAST_BREATH_SECONDS)
        self.kill()
        code = self._process.returncode
        if code == -signal.SIGKILL:
            return (
                "The process of this run was killed from outside (SIGKILL), most often because "
                "memory ran out: try a smaller batch or fewer samples."
            )
        if code < 0:
            return f"The process of this run crashed ({signal.Signals(-code).name})."
        return f"The process of this run ended by itself (exit code {code})."
