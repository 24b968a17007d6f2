"""The stand-in as a subprocess, for tests and demos."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, Queue
from typing import TYPE_CHECKING

from .settings import DEFAULT_ACCOUNTS, Account

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_READY = "CVAT stand-in ready at "
_START_LIMIT = 60.0
_STOP_LIMIT = 15.0


@dataclass(frozen=True)
class RunningServer:
    """A server that answers.

    Attributes:
        url: its address
        users: names and passwords
    """

    url: str
    users: dict[str, str]


@contextmanager
def running_server(
    data_dir: Path,
    port: int = 0,
    users: Sequence[Account] | None = None,
    options: Sequence[str] = (),
) -> Iterator[RunningServer]:
    """Starts the stand-in and stops it at the end.

    Args:
        data_dir: folder of its data; made when it is not there
        port: 0 for any free port
        users: who has an account; None for ``lead`` (administrator) and ``ann.a``, ``ann.b``,
            ``ann.c``
        options: more arguments of the command line

    Raises:
        RuntimeError: when it does not get ready; the error holds what it wrote
    """
    accounts = DEFAULT_ACCOUNTS if users is None else tuple(users)
    command = [sys.executable, "-m", "demo.cvat_server", "--data", str(data_dir)]
    command += ["--port", str(port), *options]
    for account in accounts:
        command += ["--user", str(account)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    lines: Queue[str | None] = Queue()
    reader = threading.Thread(target=_pump, args=(process, lines), daemon=True)
    reader.start()
    try:
        url = _wait_until_ready(process, lines)
        yield RunningServer(url, {account.name: account.password for account in accounts})
    finally:
        process.terminate()
        try:
            process.wait(_STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(_STOP_LIMIT)


def _pump(process: subprocess.Popen[str], lines: Queue[str | None]) -> None:
    assert process.stdout is not None  # noqa: S101
    for line in process.stdout:
        lines.put(line)
    lines.put(None)


def _wait_until_ready(process: subprocess.Popen[str], lines: Queue[str | None]) -> str:
    written: list[str] = []
    deadline = time.monotonic() + _START_LIMIT
    while True:
        try:
            line = lines.get(timeout=max(deadline - time.monotonic(), 0))
        except Empty:
            line = None
        if line is None:
            state = (
                f"ended with {process.poll()}" if process.poll() is not None else "is not ready"
            )
            raise RuntimeError(f"The CVAT stand-in {state}:\n{''.join(written)}")
        if line.startswith(_READY):
            return line.removeprefix(_READY).strip()
        written.append(line)
