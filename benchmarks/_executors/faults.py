"""Rounds in which something dies while an operation runs, each compared with a quiet run."""

from __future__ import annotations

import contextlib
import os
import random
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from pymongo.uri_parser import parse_uri

from . import nodes, world
from .disturbing import FAULTS, RAY_FAULTS, Disturbance, found
from .jobs import JOBS
from .line import Line
from .world import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .jobs import Job

TARGET = "faults"
IMAGES = 400
NODES = 3
# Of ten rounds, those that work on a Ray cluster.
_ON_RAY = (2, 5, 8)
_ADDRESS = "RELABEL_RAY_ADDRESS"


class Rounds:
    """Two executors, each behind a line to the database that can be cut, and what disturbs them.

    A context manager: the executors end with it.

    Args:
        dataset: what the operations work on
        log: where the executors write
        target: their target
        jobs: which operations
        ray: the Ray cluster on which they work; None for none
    """

    def __init__(
        self,
        dataset: Any,
        log: Path,
        *,
        target: str = TARGET,
        jobs: Sequence[Job] = JOBS,
        ray: Any = None,
    ) -> None:
        self.dataset = dataset
        self.running = world.Executors(target, log)
        self._lines: dict[int, Line] = {}
        self._jobs = jobs
        self._ray = ray
        self._quiet: dict[str, tuple[float, Any]] = {}
        self._at_once: dict[str, float] = {}

    def __enter__(self) -> Rounds:
        self.ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.running.end()
        for line in self._lines.values():
            line.close()

    def learn(self, expected: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Runs every operation undisturbed, for its outcome and for how long it takes.

        Args:
            expected: the outcomes that there should be

        Returns:
            the outcomes
        """
        for job in self._jobs:
            name = f"quiet_{self.running.target}_{job.operator}"
            began = time.monotonic()
            ended = world.end_of(self._queue(job, name))
            seconds, outcome = time.monotonic() - began, self._outcome(job, name, ended)
            if expected and expected[job.operator] != outcome:
                raise RuntimeError(f"{job.operator} has another outcome on the cluster")
            self._quiet[job.operator] = (seconds, outcome)
        return {operator: outcome for operator, (_, outcome) in self._quiet.items()}

    def play(self, number: int, seed: int, faults: Sequence[str] = ()) -> dict[str, Any]:
        """One round.

        Args:
            number: its number
            seed: decides, with the number, the operation, the fault and the moment
            faults: which there may be; all if empty

        Returns:
            ``round``, ``place``, ``operator``, ``fault``; ``killed``, what that did; ``after``, so
            many seconds; ``found``, where the operation stood then; ``ended``, how it ended;
            ``attempts``; ``seconds``; and ``wrong``, what is not as it should be, empty if nothing
            is
        """
        chance = random.Random(f"{seed}-{number}")  # noqa: S311 - it is to be repeatable
        job = chance.choice(self._jobs)
        fault = chance.choice(faults or (RAY_FAULTS if self._ray else FAULTS))
        name = f"r{seed}_{number}"
        seconds, _ = self._quiet[job.operator]
        self.ready()
        began = time.monotonic()
        disturbance = Disturbance(self.running, self._lines, self._ray)
        if fault == "server":
            after = chance.uniform(0.0, 1.1 * seconds + 1.0)
            run, killed, where = disturbance.asks_the_app(self._request(job, name), after)
        elif fault == "app":
            after = chance.uniform(0.0, self._seconds_at_once(job, disturbance))
            asked = self._request(job, name, "here")
            killed, where, _ = disturbance.works_in_the_app(asked, after)
            where += ", then queued"
            run = self._queue(job, name, **job.again)
        else:
            run = self._queue(job, name)
            after = chance.uniform(0.0, 1.1 * seconds)
            after = disturbance.waits(fault, run, after)
            where, killed = found(run), disturbance.strikes(fault, run)
        return {
            "round": number,
            "place": "on Ray" if self._ray else "here",
            "operator": job.operator,
            "fault": fault,
            "killed": killed,
            "after": round(after, 2),
            "found": where,
            **self._end(job, name, run),
            "seconds": round(time.monotonic() - began, 1),
        }

    def _seconds_at_once(self, job: Job, disturbance: Disturbance) -> float:
        """How long an operation takes in an App's server that has just started, undisturbed."""
        if job.operator not in self._at_once:
            asked = self._request(job, f"at_once_{job.operator}", "here")
            *_, self._at_once[job.operator] = disturbance.works_in_the_app(asked, PATIENCE_SECONDS)
        return self._at_once[job.operator]

    def _end(self, job: Job, name: str, run: Any) -> dict[str, Any]:
        """How an operation ends, and what of that is wrong."""
        if run is None:
            return {"ended": "was never asked for", "attempts": 0, "wrong": ""}
        from relabel.compute.operations import MOST_ATTEMPTS

        document = world.end_of(run)
        attempts = document.get("relabel", {}).get("attempts", 0)
        ended, wrong = self._verdict(job, name, document)
        if attempts > MOST_ATTEMPTS:
            wrong = wrong or f"it was tried {attempts} times"
        return {"ended": ended, "attempts": attempts, "wrong": wrong}

    def _verdict(self, job: Job, name: str, document: Any) -> tuple[str, str]:
        from relabel.compute.steering import CANCELLED

        ended = str(document["run_state"])
        if ended == "failed":
            error = document["result"]["error"]
            if error != CANCELLED:
                return ended, f"failed: {error[-400:]}"
            if self._left(name):
                return "cancelled", "a cancelled operation left something half-written"
            ended = "cancelled; run again it completed"
            document = world.end_of(_run_again(document["_id"]))
            if document["run_state"] != "completed":
                return "cancelled", f"run again it failed: {document['result']['error'][-400:]}"
        same = self._outcome(job, name, document) == self._quiet[job.operator][1]
        return ended, "" if same else "another outcome than undisturbed"

    def _left(self, name: str) -> bool:
        """Whether what an operation writes is there."""
        self.dataset.reload()
        there = [
            *self.dataset.get_field_schema(),
            *self.dataset.list_brain_runs(),
            *self.dataset.list_evaluations(),
            *self.dataset.list_runs(),
            *self.dataset.list_saved_views(),
        ]
        return any(one == name or one.startswith(f"{name}_") for one in there)

    def _outcome(self, job: Job, name: str, ended: Any) -> Any:
        if ended["run_state"] != "completed":
            raise RuntimeError(ended["result"]["error"])
        self.dataset.reload()
        return job.outcome(self.dataset, name, ended["result"]["result"])

    def _queue(self, job: Job, name: str, **more: Any) -> Any:
        params = {**job.params(name), **more}
        return world.queue(self.dataset, job.operator, params, self.running.target)

    def _request(self, job: Job, name: str, run_on: str | None = None) -> dict[str, Any]:
        """What the App would ask its server."""
        return {
            "operator_uri": f"{world.PLUGIN}/{job.operator}",
            "dataset_name": self.dataset.name,
            "params": {**job.params(name), "run_on": run_on or self.running.target},
        }

    def ready(self) -> None:
        """Two executors again that have nothing to do, and all nodes."""

        def both() -> bool:
            living = [one for one in self.running.processes if one.poll() is None]
            for _ in range(2 - len(living)):
                self._start()
            return self.running.alive() == 2

        if self._ray is not None:
            nodes.refill(self._ray, NODES)
        world.wait_for(both, "Two executors")

    def _start(self) -> None:
        [address] = parse_uri(os.environ["FIFTYONE_DATABASE_URI"])["nodelist"]
        line = Line(*address)
        environment = {"FIFTYONE_DATABASE_URI": line.uri}
        if self._ray is not None:
            environment[_ADDRESS] = self._ray.address
        self._lines[self.running.start(**environment).pid] = line


def figures(
    folder: Path, rounds: range, seed: int, faults: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Plays rounds and tells of each on stderr.

    Args:
        folder: where images and logs go
        rounds: their numbers; of ten, three are played on a Ray cluster
        seed: decides, with the number, the operation, the fault and the moment
        faults: which there may be, and no cluster then; all if empty
    """
    from _measuring import at_most

    dataset, log = world.make_dataset(folder / "images", IMAGES), folder / "executors.log"
    dataset.persistent = True  # the App's server cleans up others when it starts
    on_ray = [number for number in rounds if number % 10 in _ON_RAY and not faults]
    here = [number for number in rounds if number not in on_ray]
    told: list[dict[str, Any]] = []
    with Rounds(dataset, log) as played:
        outcomes = played.learn()
        told += [_told(played.play(number, seed, faults)) for number in here]
    if on_ray:
        jobs = [job for job in JOBS if job.uses_cluster]
        with (
            nodes.started(NODES) as cluster,
            Rounds(dataset, log, target="ray", jobs=jobs, ray=cluster) as played,
        ):
            played.learn(outcomes)
            told += [_told(played.play(number, seed)) for number in on_ray]
    sys.stderr.write(f"{_summary(told)}\n")
    wrong = [one for one in told if one["wrong"]]
    if wrong:
        with contextlib.suppress(OSError):
            sys.stderr.write(log.read_text(errors="replace")[-20_000:])
    return [at_most(f"of {len(told)} rounds of faults, gone wrong", len(wrong), None, 0)]


def _told(story: dict[str, Any]) -> dict[str, Any]:
    sys.stderr.write(
        "round {round:>3} {place:<6} {operator:<20} {fault:<12} {killed}, after {after} s: it was "
        "{found}. It {ended}, attempts: {attempts}, {seconds} s. {verdict}\n".format(
            **story, verdict=f"WRONG: {story['wrong']}" if story["wrong"] else "As undisturbed."
        )
    )
    sys.stderr.flush()
    return story


def _summary(told: Sequence[dict[str, Any]]) -> str:
    """E.g. ``"50 rounds: 41 completed, ...; executor 7, child 6, ..."``."""
    ends = Counter(one["ended"] for one in told)
    faults = Counter(one["fault"] for one in told)
    counted = [
        ", ".join(f"{name}: {count}" for name, count in counts.most_common())
        for counts in (ends, faults)
    ]
    return f"{len(told)} rounds. {'. '.join(counted)}."


def _run_again(run: Any) -> Any:
    """Queues a cancelled operation once more, as soon as it has taken back what it made."""
    from relabel.compute.steering import NotRepeatable, repeat

    def again() -> Any:
        with contextlib.suppress(NotRepeatable):
            return repeat(run)

    return world.wait_for(again, "The repetition")
