"""Rounds in which something dies while an operation runs, each compared with a quiet run."""

from __future__ import annotations

import contextlib
import os
import random
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import requests

from demo.services import app_server

from . import world
from .line import line_to

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence
    from pathlib import Path

TARGET = "faults"
IMAGES = 400


@dataclass(frozen=True)
class Job:
    """An operation of a round, and what it should lead to.

    Args:
        operator: its operator's name
        params: takes a name that no other round has; what the operator is asked with
        outcome: takes the dataset, that name and the operation's result; what to compare
    """

    operator: str
    params: Callable[[str], dict[str, Any]]
    outcome: Callable[[Any, str, dict[str, Any]], Any]


def _labels(dataset: Any, name: str, _: Any) -> Any:
    return [
        [
            (one.label, one.bounding_box, round(one.confidence, 5))
            for one in (found.detections if found else [])
        ]
        for found in dataset.values(name)
    ]


def _scores(dataset: Any, name: str, _: Any) -> Any:
    return [round(score, 6) for score in dataset.values(name)]


def _index(dataset: Any, name: str, _: Any) -> Any:
    embeddings, ids, _ = dataset.load_brain_results(name).get_embeddings()
    order = np.argsort(ids)
    return np.round(embeddings[order], 5).tolist()


def _chosen(dataset: Any, name: str, result: Any) -> Any:
    return [result["sample_ids"], sorted(dataset.load_saved_view(name).values("id"))]


def _score(dataset: Any, name: str, result: Any) -> Any:
    counts = [result[key] for key in ("map", "true_positives", "false_positives")]
    return [counts, dataset.values(f"{name}_tp")]


JOBS = (
    Job("apply_model", lambda name: world.model_params(label_field=name), _labels),
    Job("compute_uniqueness", lambda name: {"field": name, "embeddings": "descriptor"}, _scores),
    Job(
        "compute_similarity", lambda name: {"brain_key": name, "embeddings": "descriptor"}, _index
    ),
    Job(
        "select_unique",
        lambda name: {"name": name, "count": 9, "tag": "", "embeddings": "descriptor"},
        _chosen,
    ),
    Job(
        "evaluate_detections",
        lambda name: {"predictions": "found", "ground_truth": "truth", "eval_key": name},
        _score,
    ),
)


class Rounds:
    """Two executors, and what disturbs them.

    Args:
        folder: where images and logs go
        running: the executors
        cut: drops every connection of one of them to the database, or None
        images: how many the operations work on
        jobs: which operations
    """

    def __init__(
        self,
        folder: Path,
        running: world.Executors,
        *,
        environment: dict[str, str],
        cut: Callable[[], object],
        images: int = IMAGES,
        jobs: Sequence[Job] = JOBS,
    ) -> None:
        self.dataset = world.make_dataset(folder / "images", images)
        self.dataset.persistent = True  # the App's server cleans up others when it starts
        self.running = running
        self._jobs = jobs
        self._environment = environment
        self._cut = cut
        self._quiet: dict[str, tuple[float, Any]] = {}

    def learn(self) -> None:
        """Runs every operation undisturbed, for its outcome and for how long it takes."""
        for job in self._jobs:
            began = time.monotonic()
            ended = world.end_of(self._queue(job, f"quiet_{job.operator}"))
            outcome = self._outcome(job, f"quiet_{job.operator}", ended)
            self._quiet[job.operator] = (time.monotonic() - began, outcome)

    def play(self, number: int, seed: int, fault: str | None = None) -> dict[str, Any]:
        """One round.

        Returns:
            ``fault``, ``operator``, ``state``, ``attempts``, ``seconds``, and ``wrong``: what is
            not as it should be, empty if nothing is
        """
        chance = random.Random(f"{seed}-{number}")  # noqa: S311 - it is to be repeatable
        job = chance.choice(self._jobs)
        fault = fault or chance.choice(FAULTS)
        name = f"r{seed}_{number}"
        seconds, outcome = self._quiet[job.operator]
        began = time.monotonic()
        self.ready()
        if fault == "server":
            run = self._through_the_app(job, name, chance.uniform(0.0, 0.3))
        else:
            run = self._queue(job, name)
            time.sleep(chance.uniform(0.0, 1.1 * seconds))
            getattr(self, f"_{fault}")(run)
        story = {"round": number, "fault": fault, "operator": job.operator}
        if run is None:
            return {**story, "state": "never asked for", "attempts": 0, "wrong": ""}
        ended = world.end_of(run)
        wrong = self._wrong(job, name, ended, outcome)
        return {
            **story,
            "state": ended["run_state"],
            "attempts": ended["relabel"]["attempts"] if "relabel" in ended else 0,
            "seconds": round(time.monotonic() - began, 1),
            "wrong": wrong,
        }

    def _wrong(self, job: Job, name: str, ended: Any, outcome: Any) -> str:
        from relabel.compute.steering import CANCELLED, repeat

        if ended["run_state"] == "failed":
            error = ended["result"]["error"]
            if error != CANCELLED:
                return f"failed: {error[-400:]}"
            if self._left(name):
                return "a cancelled operation left something half-written"
            ended = world.end_of(repeat(ended["_id"]))
            if ended["run_state"] != "completed":
                return f"run again, failed: {ended['result']['error'][-400:]}"
        if self._outcome(job, name, ended) != outcome:
            return "another outcome than undisturbed"
        return ""

    def _left(self, name: str) -> bool:
        """Whether what an operation writes is there."""
        self.dataset.reload()
        there = [
            *self.dataset.get_field_schema(),
            *self.dataset.list_brain_runs(),
            *self.dataset.list_evaluations(),
            *self.dataset.list_saved_views(),
        ]
        return any(found == name or found.startswith(f"{name}_") for found in there)

    def _outcome(self, job: Job, name: str, ended: Any) -> Any:
        if ended["run_state"] != "completed":
            raise RuntimeError(ended["result"]["error"])
        self.dataset.reload()
        return job.outcome(self.dataset, name, ended["result"]["result"])

    def _queue(self, job: Job, name: str) -> Any:
        return world.queue(self.dataset, job.operator, job.params(name), TARGET)

    def ready(self) -> None:
        """Two executors again; those that replace others are behind the line that can be cut."""

        def both() -> bool:
            living = [one for one in self.running.processes if one.poll() is None]
            for _ in range(2 - len(living)):
                self.running.start(**self._environment)
            return self.running.alive() == 2

        world.wait_for(both, "Two executors")

    def _holder(self, run: Any) -> subprocess.Popen[bytes]:
        """The executor of an operation, else any."""
        from relabel.compute.operations import collection

        link = collection().find_one({"_id": run}).get("run_link") or ""
        living = [one for one in self.running.processes if one.poll() is None]
        return next((one for one in living if link.endswith(f":{one.pid}")), living[0])

    def _executor(self, run: Any) -> None:
        holder = self._holder(run)
        holder.kill()
        holder.wait()

    def _child(self, run: Any) -> None:
        for child in psutil.Process(self._holder(run).pid).children():
            if "relabel.compute.worker" in child.cmdline():
                child.kill()

    def _leave(self, run: Any) -> None:
        holder = self._holder(run)
        holder.terminate()
        holder.wait()

    def _connections(self, run: Any) -> None:  # noqa: ARG002 - of all that go through the line
        self._cut()

    def _cancel(self, run: Any) -> None:
        from relabel.compute.steering import NotCancellable, cancel

        with contextlib.suppress(NotCancellable):
            cancel(run)

    def _through_the_app(self, job: Job, name: str, seconds: float) -> Any:
        """Asks the App's server, which is killed; returns the operation if it came to one."""
        from relabel.compute.operations import collection

        before = {one["_id"] for one in collection().find({}, {"_id": 1})}
        with contextlib.suppress(psutil.NoSuchProcess), app_server({}) as url:
            port = url.rpartition(":")[2]
            [server] = [one for one in psutil.Process().children() if port in one.cmdline()]
            body = {
                "operator_uri": f"{world.PLUGIN}/{job.operator}",
                "dataset_name": self.dataset.name,
                "params": {**job.params(name), "run_on": TARGET},
            }
            with contextlib.suppress(requests.RequestException):
                requests.post(f"{url}/operators/execute", json=body, timeout=seconds + 0.001)
            server.kill()
        new = [one["_id"] for one in collection().find({}, {"_id": 1}) if one["_id"] not in before]
        if len(new) > 1:
            raise RuntimeError(f"One click has queued {len(new)} operations")
        return new[0] if new else None


FAULTS = ("executor", "child", "leave", "connections", "cancel", "server")


def figures(folder: Path, rounds: int, seed: int) -> list[dict[str, Any]]:
    """Plays rounds and tells of each on stderr.

    Args:
        folder: where images and logs go
        rounds: how many
        seed: decides operations, faults and moments
    """
    from _measuring import at_most

    with line_to(os.environ["FIFTYONE_DATABASE_URI"]) as line:
        environment = {"FIFTYONE_DATABASE_URI": line.uri}
        started = world.Executors(TARGET, folder / "executors.log")
        try:
            played = Rounds(folder, started, environment=environment, cut=line.cut)
            played.ready()
            played.learn()
            told = [_told(played.play(number, seed)) for number in range(rounds)]
        finally:
            started.end()
    wrong = [one for one in told if one["wrong"]]
    return [at_most(f"of {rounds} rounds of faults, gone wrong", len(wrong), None, 0)]


def _told(story: dict[str, Any]) -> dict[str, Any]:
    print(story, file=sys.stderr, flush=True)
    return story
