"""Where rounds of faults are played, and what is told of them."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from . import exchanges, nodes, world
from .faults import NODES, TARGET, Rounds
from .jobs import JOBS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from relabel.cvat import CvatClient

IMAGES = 400
# Of ten rounds, those that work on a Ray cluster.
_ON_RAY = (2, 5, 8)


class Places:
    """Where rounds are played: on this machine, and of ten, three on a Ray cluster of its own.

    A context manager. One of them is there at a time, as machines are small.

    Args:
        folder: where images and logs go
        client: the CVAT of the exchanges
        operators: which are disturbed, and no cluster then; all if empty
        times: as of :class:`Rounds`
    """

    def __init__(
        self, folder: Path, client: CvatClient, operators: Sequence[str] = (), times: int = 1
    ) -> None:
        self._dataset = world.make_dataset(folder / "images", IMAGES)
        self._untouched = self._dataset.clone()
        for dataset in (self._dataset, self._untouched):
            dataset.persistent = True  # the App's server cleans up others when it starts
        every = [*JOBS, *exchanges.Exchanges(client, self._untouched).jobs()]
        self._jobs = [job for job in every if not operators or job.operator in operators]
        self._has_ray = not operators
        self._times = times
        self._outcomes: dict[str, Any] = {}
        self._place: str | None = None
        self._there = contextlib.ExitStack()
        self.log = folder / "executors.log"

    def __enter__(self) -> Places:
        return self

    def __exit__(self, *_: object) -> None:
        self._there.close()
        self._dataset.delete()
        self._untouched.delete()

    def play(self, number: int, seed: int, faults: Sequence[str] = ()) -> dict[str, Any]:
        """One round, see :meth:`Rounds.play`."""
        # Not all faults, and not all operations, are those of a cluster.
        place = "ray" if self._has_ray and not faults and is_on_ray(number) else TARGET
        if place != self._place:
            self._there.close()
            self._rounds = self._there.enter_context(self._at(place))
            self._place = place
        return self._rounds.play(number, seed, faults)

    def _at(self, place: str) -> Rounds:
        more: dict[str, Any] = {"jobs": self._jobs}
        if place == "ray":
            cluster = self._there.enter_context(nodes.started(NODES))
            more = {"jobs": [job for job in self._jobs if job.uses_cluster], "ray": cluster}
        return Rounds(
            self._dataset,
            self.log,
            target=place,
            outcomes=self._outcomes,
            times=self._times,
            **more,
        )


def figures(
    folder: Path,
    rounds: range,
    seed: int,
    faults: Sequence[str] = (),
    operators: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Plays rounds and tells of each on stderr.

    Args:
        folder: where images and logs go
        rounds: their numbers
        seed: decides, with the number, the operation, the fault and the moment
        faults: which there may be, and no cluster then; all if empty
        operators: which are disturbed, and no cluster then; all if empty
    """
    from _measuring import at_most

    with (
        exchanges.cvat(folder / "cvat") as client,
        Places(folder, client, operators, times=2) as places,
    ):
        ordered = sorted(rounds, key=is_on_ray)
        told = [_told(places.play(number, seed, faults)) for number in ordered]
        wrong = [one for one in told if one["wrong"]]
        if wrong:
            with contextlib.suppress(OSError):
                sys.stderr.write(places.log.read_text(errors="replace")[-20_000:])
    sys.stderr.write(f"{_summary(told)}\n")
    return [at_most(f"of {len(told)} rounds of faults, gone wrong", len(wrong), None, 0)]


def is_on_ray(number: int) -> bool:
    """Whether a round is played on a Ray cluster."""
    return number % 10 in _ON_RAY


def describe(story: dict[str, Any]) -> str:
    """A round in a line."""
    verdict = f"WRONG: {story['wrong']}" if story["wrong"] else "As undisturbed."
    return (
        "round {round:>3} {place:<6} {operator:<20} {fault:<12} {killed}, after {after} s: it was "
        "{found}. It {ended}, attempts: {attempts}, {seconds} s. {verdict}"
    ).format(**story, verdict=verdict)


def _told(story: dict[str, Any]) -> dict[str, Any]:
    sys.stderr.write(f"{describe(story)}\n")
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
