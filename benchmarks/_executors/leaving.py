"""How soon an executor is gone that is asked to leave, and whether it hands its work back."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from _measuring import at_most, figure

from . import world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REPEATS = 10
MOST_SECONDS = 5.0
BUSY = 20
_TARGET = "leaving"
_IMAGES = 6000
# Should this benchmark die, they end by themselves.
_BUSY_SECONDS = 60
_SPIN = (
    f"import time; end = time.monotonic() + {_BUSY_SECONDS}\nwhile time.monotonic() < end: pass"
)


def figures(folder: Path) -> list[dict[str, Any]]:
    """Asks an executor to leave while it applies a model and the machine has far too much to do.

    Args:
        folder: where images and the log go
    """
    dataset = world.make_dataset(folder / "images", _IMAGES)
    told = [_leave(dataset, folder / "executors.log", number) for number in range(REPEATS)]
    seconds, handed_back = zip(*told, strict=True)
    name = f"SIGTERM to gone beside {BUSY} busy processes, the slowest of {REPEATS}, seconds"
    back = f"of {REPEATS} operations, handed back by then"
    return [
        at_most(name, max(seconds), None, MOST_SECONDS),
        figure(back, sum(handed_back), REPEATS, "all", met=all(handed_back)),
    ]


def _leave(dataset: Any, log: Path, number: int) -> tuple[float, bool]:
    """Seconds until an executor was gone, and whether its operation was queued then."""
    from relabel.compute.operations import collection
    from relabel.compute.steering import cancel

    with world.executors(_TARGET, log, 1) as started:
        [process] = started.processes
        run = world.queue(
            dataset, "apply_model", world.model_params(label_field=f"p{number}"), _TARGET
        )
        under_way = {"_id": run, "run_state": "running", "status.progress": {"$gt": 0}}
        world.wait_for(lambda: collection().find_one(under_way), "The first predictions")
        with _busy():
            if collection().count_documents({"_id": run, "run_state": "running"}) == 0:
                raise RuntimeError(f"The operation ended too early: {_IMAGES} images are too few")
            began = time.monotonic()
            process.terminate()
            process.wait(60)
            seconds = time.monotonic() - began
        state = collection().find_one({"_id": run})["run_state"]
        sys.stderr.write(f"{number}: gone in {seconds:.2f} s, the operation is {state}\n")
    if state == "queued":
        cancel(run)
    return seconds, state == "queued"


@contextlib.contextmanager
def _busy() -> Iterator[None]:
    """So many processes that do nothing but take time, once all of them do."""
    command = [sys.executable, "-S", "-c", f"print(flush=True)\n{_SPIN}"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(BUSY)]
    try:
        for process in running:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            process.stdout.readline()
        yield
    finally:
        for process in running:
            process.kill()
            process.communicate()
