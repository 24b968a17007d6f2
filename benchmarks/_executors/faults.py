"""Rounds in which something dies while an operation runs, each compared with a quiet run."""

from __future__ import annotations

import contextlib
import os
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pymongo.uri_parser import parse_uri

from . import nodes, world
from .disturbing import FAULTS, RAY_FAULTS, Disturbance, found
from .jobs import JOBS
from .line import Line
from .world import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .jobs import Job

TARGET = "faults"
NODES = 3
_SAID = 200  # characters, of what is not as it should be
_ADDRESS = "RELABEL_RAY_ADDRESS"


@dataclass(frozen=True)
class Asked:
    """An operation that is asked for, under a name that no other has.

    Args:
        job: the operation
        dataset: on which it works
        name: the name
    """

    job: Job
    dataset: Any
    name: str

    def outcome(self, result: Any) -> Any:
        """What is to be compared, once it has completed with a result."""
        self.dataset.reload()
        return self.job.outcome(self.dataset, self.name, result)


class Rounds:
    """Two executors, each behind a line to the database that can be cut, and what disturbs them.

    A context manager: the executors end with it.

    Args:
        dataset: what the operations work on
        log: where the executors write
        target: their target
        jobs: which operations
        ray: the Ray cluster on which they work; None for none
        outcomes: those that are known of undisturbed operations; more are added
        times: how often each runs undisturbed; the first time it is slower than it will be
    """

    def __init__(
        self,
        dataset: Any,
        log: Path,
        *,
        target: str = TARGET,
        jobs: Sequence[Job] = JOBS,
        ray: Any = None,
        outcomes: dict[str, Any] | None = None,
        times: int = 1,
    ) -> None:
        self.dataset = dataset
        self.running = world.Executors(target, log)
        self._lines: dict[int, Line] = {}
        self._jobs = jobs
        self._ray = ray
        self._outcomes = {} if outcomes is None else outcomes
        self._times = times
        self._seconds: dict[str, float] = {}
        self._at_once: dict[str, float] = {}

    def __enter__(self) -> Rounds:
        try:
            self.ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.running.end()
        for line in self._lines.values():
            line.close()

    def learn(self, job: Job) -> None:
        """Runs an operation undisturbed, for its outcome and for how long it takes.

        Raises:
            RuntimeError: if the outcome is not the one that is known
        """
        for number in range(self._times if job.operator not in self._seconds else 0):
            seconds, outcome = self._undisturbed(job, number)
            if self._outcomes.setdefault(job.operator, outcome) != outcome:
                raise RuntimeError(f"{job.operator} has another outcome than before")
            before = self._seconds.get(job.operator, seconds)
            self._seconds[job.operator] = min(before, seconds)

    def _undisturbed(self, job: Job, number: int) -> tuple[float, Any]:
        """How long an operation takes, and its outcome."""
        with self._asked(job, f"quiet_{self.running.target}_{job.operator}_{number}") as asked:
            began = time.monotonic()
            ended = world.end_of(self._queue(asked))
            seconds = time.monotonic() - began
            if ended["run_state"] != "completed":
                raise RuntimeError(ended["result"]["error"])
            return seconds, asked.outcome(ended["result"]["result"])

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
        self.ready()
        self.learn(job)
        longest = self._longest(job, fault)
        with self._asked(job, f"r{seed}_{number}") as asked:
            began = time.monotonic()
            told = self._disturb(asked, fault, chance.uniform(0.0, longest))
        return {
            "round": number,
            "place": "on Ray" if self._ray else "here",
            "operator": job.operator,
            "fault": fault,
            **told,
            "seconds": round(time.monotonic() - began, 1),
        }

    def _longest(self, job: Job, fault: str) -> float:
        """After how many seconds a fault comes at the latest."""
        seconds = self._seconds[job.operator]
        if fault == "server":
            return 1.1 * seconds + 1.0
        if fault != "app":
            return 1.1 * seconds
        if job.operator not in self._at_once:
            with self._asked(job, f"at_once_{job.operator}") as asked:
                disturbance = Disturbance(self.running, self._lines, self._ray)
                # In an App's server that has just started, undisturbed.
                *_, worked = disturbance.works_in_the_app(
                    self._request(asked, here=True), PATIENCE_SECONDS
                )
            self._at_once[job.operator] = worked
        return self._at_once[job.operator]

    def _disturb(self, asked: Asked, fault: str, after: float) -> dict[str, Any]:
        """Asks for an operation, disturbs it after so many seconds, and waits for its end."""
        disturbance, job = Disturbance(self.running, self._lines, self._ray), asked.job
        if fault == "server":
            run, killed, where = disturbance.asks_the_app(self._request(asked), after)
        elif fault == "app":
            request = self._request(asked, here=True)
            killed, where, _ = disturbance.works_in_the_app(request, after)
            if job.is_done(asked.dataset, asked.name):
                end = {
                    "ended": "completed at once",
                    "attempts": 0,
                    "wrong": self._wrong(asked, {}),
                }
                return {"killed": killed, "after": round(after, 2), "found": where, **end}
            where += ", then queued"
            run = self._queue(asked, **job.again)
        else:
            run = self._queue(asked)
            after = disturbance.waits(fault, run, after)
            where, killed = found(run), disturbance.strikes(fault, run)
        end = self._end(asked, run)
        return {"killed": killed, "after": round(after, 2), "found": where, **end}

    def _end(self, asked: Asked, run: Any) -> dict[str, Any]:
        """How an operation ends, and what of that is wrong."""
        if run is None:
            return {"ended": "was never asked for", "attempts": 0, "wrong": ""}
        from relabel.compute.operations import MOST_ATTEMPTS

        document = world.end_of(run)
        attempts = document.get("relabel", {}).get("attempts", 0)
        ended, wrong = self._verdict(asked, document)
        if attempts > MOST_ATTEMPTS:
            wrong = wrong or f"it was tried {attempts} times"
        return {"ended": ended, "attempts": attempts, "wrong": wrong}

    def _verdict(self, asked: Asked, document: Any) -> tuple[str, str]:
        from relabel.compute.steering import CANCELLED

        ended = str(document["run_state"])
        if ended == "failed":
            error = document["result"]["error"]
            if error != CANCELLED:
                return ended, f"failed: {error[-400:]}"
            _wait_until_taken_back(document["_id"])
            if asked.job.left(asked.dataset, asked.name):
                return "cancelled", "a cancelled operation left something half-written"
            ended = "cancelled; run again it completed"
            document = world.end_of(_run_again(document["_id"]))
            if document["run_state"] != "completed":
                return "cancelled", f"run again it failed: {document['result']['error'][-400:]}"
        return ended, self._wrong(asked, document["result"]["result"])

    def _wrong(self, asked: Asked, result: Any) -> str:
        expected, found = self._outcomes[asked.job.operator], asked.outcome(result)
        if found == expected:
            return ""
        of_dict = found if isinstance(found, dict) else {}
        other = [
            f"{key} {str(value)[:_SAID]} in place of {str(expected[key])[:_SAID]}"
            for key, value in of_dict.items()
            if value != expected[key]
        ]
        return f"another outcome than undisturbed {'; '.join(other)}"

    @contextlib.contextmanager
    def _asked(self, job: Job, name: str) -> Iterator[Asked]:
        """An operation with what it needs, which goes at the end."""
        dataset = job.prepare(self.dataset, name)
        try:
            yield Asked(job, dataset, name)
        finally:
            job.tidy(dataset, name)

    def _queue(self, asked: Asked, **more: Any) -> Any:
        params = {**asked.job.params(asked.name), **more}
        return world.queue(asked.dataset, asked.job.operator, params, self.running.target)

    def _request(self, asked: Asked, *, here: bool = False) -> dict[str, Any]:
        """What the App would ask its server."""
        params, target, where = asked.job.params(asked.name), self.running.target, {}
        if asked.job.asks_where:
            params["run_on"] = "here" if here else target
        elif not here:
            where = {"request_delegation": True, "delegation_target": target}
        return {
            "operator_uri": f"{world.PLUGIN}/{asked.job.operator}",
            "dataset_name": asked.dataset.name,
            "params": params,
            **where,
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


def _wait_until_taken_back(run: Any) -> None:
    """Waits until a cancelled operation has taken back what it made."""
    from relabel.compute.operations import collection
    from relabel.compute.steering import takes_back

    world.wait_for(lambda: not takes_back(collection().find_one({"_id": run})), "Taking back")


def _run_again(run: Any) -> Any:
    """Queues a cancelled operation once more, as soon as it has taken back what it made."""
    from relabel.compute.steering import NotRepeatable, repeat

    def again() -> Any:
        with contextlib.suppress(NotRepeatable):
            return repeat(run)

    return world.wait_for(again, "The repetition")
