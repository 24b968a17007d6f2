"""What kills, cuts, silences and cancels, at the moment when it is told to."""

from __future__ import annotations

import contextlib
import random
import re
import threading
import time
from typing import TYPE_CHECKING, Any

import psutil
import requests

from demo.services import app_server

from . import nodes
from .world import PATIENCE_SECONDS, wait_for

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

    from .line import Line
    from .world import Executors

# "write" kills the executor in the moment when the operation begins to write its outcome;
# "server" is killed while it is asked or while an executor works, "app" while it works by itself.
FAULTS = (
    "executor",
    "child",
    "leave",
    "connections",
    "silence",
    "write",
    "cancel",
    "server",
    "app",
)
RAY_FAULTS = ("node", "node", "node", "executor", "child", "leave", "cancel")
# Longer than an executor may be silent before another takes its operation for lost.
SILENT_SECONDS = 20.0
_ENDED = ["completed", "failed"]
_TOLD = re.compile(rb'"progress": ?([0-9.]+)')
_SENT_BY_THE_APP = {"sample_selection_style": "add"}


class Disturbance:
    """What can happen to executors and to what they need.

    Args:
        running: the executors
        lines: the way of each to the database, by its process
        ray: the Ray cluster on which they work; None for none
    """

    def __init__(self, running: Executors, lines: Mapping[int, Line], ray: Any) -> None:
        self._running = running
        self._lines = lines
        self._ray = ray

    def waits(self, fault: str, run: Any, seconds: float) -> float:
        """Waits until the moment comes: so many seconds, or until the outcome is written.

        Returns:
            how long that took
        """
        if fault != "write":
            time.sleep(seconds)
            return seconds
        from relabel.compute.operations import collection

        written = {"$or": [{"relabel.writing": True}, {"run_state": {"$in": _ENDED}}]}
        began = time.monotonic()
        while not collection().count_documents({"_id": run, **written}, limit=1):
            time.sleep(0.001)
        time.sleep(seconds / 100)
        return time.monotonic() - began

    def strikes(self, fault: str, run: Any) -> str:
        """Does what a fault is called after to whatever runs an operation.

        Returns:
            what was done, to what
        """
        done: str = getattr(self, f"_{fault}")(run)
        return done

    def asks_the_app(self, body: dict[str, Any], seconds: float) -> tuple[Any, str, str]:
        """Asks the App's server to queue an operation, and kills it after so many seconds.

        Returns:
            the operation if it came to one, else None; what was done; and where it stood then
        """
        from relabel.compute.operations import collection

        before = {one["_id"] for one in collection().find({}, {"_id": 1})}
        with _app() as (url, server):
            began = time.monotonic()
            with contextlib.suppress(requests.RequestException):
                requests.post(f"{url}/operators/execute", json=body, timeout=seconds + 0.001)
            time.sleep(max(0.0, began + seconds - time.monotonic()))
            server.kill()
        new = [one["_id"] for one in collection().find({}, {"_id": 1}) if one["_id"] not in before]
        if len(new) > 1:
            raise RuntimeError(f"One click has queued {len(new)} operations")
        run = new[0] if new else None
        where = found(run) if run else "being asked for"
        return run, f"kill -9 of the App's server {server.pid}", where

    def works_in_the_app(self, body: dict[str, Any], seconds: float) -> tuple[str, str, float]:
        """Has the App's server run an operation by itself, and kills it.

        Args:
            body: what it is asked
            seconds: how long after the operation began, unless it has answered before

        Returns:
            what was done; where the operation stood then; and how long it had worked
        """
        told: list[float] = []

        def ask(url: str) -> None:
            with (
                contextlib.suppress(requests.RequestException),
                requests.post(
                    f"{url}/operators/execute/generator",
                    json={**body, **_SENT_BY_THE_APP},
                    stream=True,
                    timeout=PATIENCE_SECONDS,
                ) as answer,
            ):
                for line in answer.iter_lines():
                    told.extend(map(float, _TOLD.findall(line)))

        with _app() as (url, server):
            asking = threading.Thread(target=ask, args=(url,))
            asking.start()
            wait_for(lambda: told or not asking.is_alive(), "The start of what runs at once")
            began = time.monotonic()
            asking.join(seconds)
            worked, ended = time.monotonic() - began, not asking.is_alive()
            server.kill()
            asking.join()
        where = "answered" if ended else f"run by the server, {told[-1]:.0%} done"
        return f"kill -9 of the App's server {server.pid}", where, worked

    def _holder(self, run: Any) -> subprocess.Popen[bytes]:
        """The executor of an operation, else any."""
        from relabel.compute.executors import FORGOTTEN_SECONDS, alive
        from relabel.compute.operations import LINK_PREFIX, collection

        link = collection().find_one({"_id": run}).get("run_link") or ""
        pids = {LINK_PREFIX + one.id: one.pid for one in alive(FORGOTTEN_SECONDS)}
        living = [one for one in self._running.processes if one.poll() is None]
        return next((one for one in living if one.pid == pids.get(link)), living[0])

    def _executor(self, run: Any) -> str:
        holder = self._holder(run)
        holder.kill()
        holder.wait()
        return f"kill -9 of the executor {holder.pid}"

    def _write(self, run: Any) -> str:
        return self._executor(run)

    def _child(self, run: Any) -> str:
        holder = self._holder(run)
        children = psutil.Process(holder.pid).children()
        workers = [child for child in children if "relabel.compute.worker" in child.cmdline()]
        for worker in workers:
            worker.kill()
        return f"kill -9 of the child {[one.pid for one in workers]} of the executor {holder.pid}"

    def _leave(self, run: Any) -> str:
        holder = self._holder(run)
        began = time.monotonic()
        holder.terminate()
        holder.wait()
        return f"SIGTERM to the executor {holder.pid}, gone in {time.monotonic() - began:.1f} s"

    def _connections(self, run: Any) -> str:
        holder = self._holder(run)
        count = self._lines[holder.pid].cut()
        return f"{count} connections of the executor {holder.pid} to MongoDB cut"

    def _silence(self, run: Any) -> str:
        holder = self._holder(run)
        count = self._lines[holder.pid].silence(SILENT_SECONDS)
        return (
            f"{count} connections of the executor {holder.pid} to MongoDB cut for "
            f"{SILENT_SECONDS:.0f} s"
        )

    def _cancel(self, run: Any) -> str:
        from relabel.compute.steering import NotCancellable, cancel

        try:
            cancel(run)
        except NotCancellable as refused:
            return f"cancelling refused ({refused.args[0]})"
        return "cancelled by the user"

    def _node(self, run: Any) -> str:  # noqa: ARG002 - any of those that work
        node = random.choice(sorted(self._ray.worker_nodes, key=lambda one: one.node_id))  # noqa: S311
        return f"kill -9 of the Ray node {nodes.kill(node)}"


def found(run: Any) -> str:
    """Where an operation stands: queued, running, how far, writing, or ended."""
    from relabel.compute.operations import collection

    document = collection().find_one({"_id": run})
    state = str(document["run_state"])
    if state != "running":
        return state
    if document.get("relabel", {}).get("writing"):
        return "writing"
    progress = (document.get("status") or {}).get("progress")
    return state if progress is None else f"running, {progress:.0%} done"


@contextlib.contextmanager
def _app() -> Any:
    """The App's server, with its process."""
    with contextlib.suppress(psutil.NoSuchProcess), app_server({}) as url:
        port = url.rpartition(":")[2]
        [server] = [one for one in psutil.Process().children() if port in one.cmdline()]
        yield url, server
