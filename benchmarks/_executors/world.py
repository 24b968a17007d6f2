"""Executors, a dataset and a way to queue operations, for benchmarks and for faults."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from demo import services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

PLUGIN = services.PLUGIN
SAVED_MODEL = services.REPOSITORY / "demo" / "detector" / "saved_model"
PATIENCE_SECONDS = 240.0
_POLL_SECONDS = 0.02
_SIZE = (128, 96)


def make_dataset(folder: Path, images: int) -> Any:
    """Images of noise and bright shapes, with boxes around these and a field of predictions."""
    import fiftyone as fo

    generator = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    samples = []
    for number in range(images):
        pixels = generator.integers(0, 90, (_SIZE[1], _SIZE[0], 3), np.uint8)
        box = [*generator.uniform(0, 0.5, 2), *generator.uniform(0.2, 0.5, 2)]
        left, top, width, height = (int(v * s) for v, s in zip(box, (*_SIZE, *_SIZE), strict=True))
        pixels[top : top + height, left : left + width] = generator.integers(150, 255, 3)
        path = folder / f"{number:05}.png"
        Image.fromarray(pixels).save(path)
        name = str(generator.choice(["cat", "dog"]))
        truth = fo.Detection(label=name, bounding_box=box)
        found = fo.Detection(label=name, bounding_box=box, confidence=float(generator.random()))
        samples.append(
            fo.Sample(
                filepath=str(path),
                truth=fo.Detections(detections=[truth]),
                found=fo.Detections(detections=[found]),
            )
        )
    dataset = fo.Dataset()
    dataset.add_samples(samples, dynamic=True, progress=False)
    dataset.compute_metadata(progress=False)
    return dataset


def model_params(**more: Any) -> dict[str, Any]:
    """Has ``apply_model`` use the demo's detector."""
    return {"model_path": str(SAVED_MODEL), "confidence": 0.2, **more}


def queue(dataset: Any, operator: str, params: Mapping[str, Any], target: str) -> Any:
    """Queues one of our operators, as a click does; returns the id of the operation."""
    import fiftyone.operators as foo
    from bson import ObjectId

    queued = foo.execute_operator(
        f"{PLUGIN}/{operator}",
        dataset=dataset,
        params=dict(params),
        request_delegation=True,
        delegation_target=target,
    )
    return ObjectId(queued.result["id"])


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Waits until a condition holds; returns what it returned.

    Raises:
        TimeoutError: if it does not within some minutes
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(_POLL_SECONDS)
    raise TimeoutError(f"{what} did not happen within {PATIENCE_SECONDS:.0f} s")


def end_of(run: Any) -> dict[str, Any]:
    """The document of an operation once it has ended."""
    from relabel.compute.operations import collection

    states = {"$in": ["completed", "failed"]}
    found: dict[str, Any] = wait_for(
        lambda: collection().find_one({"_id": run, "run_state": states}), f"The end of {run}"
    )
    return found


class Executors:
    """Processes that run operations, which can be killed and are replaced.

    Args:
        target: the delegation target of all of them
        log: where they write
    """

    def __init__(self, target: str, log: Path) -> None:
        self.target = target
        self._log = log
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, **environment: str) -> subprocess.Popen[bytes]:
        """Starts one more."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "relabel.compute.executor", "--target", self.target],
                stdout=log,
                stderr=log,
                env={**os.environ, **environment},
            )
        self.processes.append(process)
        return process

    def alive(self) -> int:
        """How many have announced that they take operations, and are not busy."""
        from relabel.compute.executors import alive

        pids = {process.pid for process in self.processes if process.poll() is None}
        idle = [one for one in alive() if one.operation is None and one.takes(self.target)]
        return len(pids & {one.pid for one in idle})

    def end(self) -> None:
        """Ends those that are left."""
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
        self.processes.clear()


@contextlib.contextmanager
def executors(target: str, log: Path, count: int) -> Iterator[Executors]:
    """So many executors, once all of them are there."""
    started = Executors(target, log)
    try:
        for _ in range(count):
            started.start()
        wait_for(lambda: started.alive() == count, "The start of the executors")
        yield started
    finally:
        started.end()
