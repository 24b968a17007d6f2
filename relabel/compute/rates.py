"""How long work takes, as measured by the last runs of its sort: FiftyOne's database keeps it.

A GPU host says nothing of a laptop, and a small model nothing of a large one: what is measured is
kept for each operator, machine and model. Where the very same was never measured, what comes
nearest is told, with what it is; but never what a GPU did of a CPU, nor the other way about.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo
from fiftyone.operators.store import ExecutionStore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STORE = "relabel_rates"
CPU, GPU, CLUSTER = "CPU", "GPU", "cluster"
Units = Callable[[str], float]


@dataclass(frozen=True)
class Machine:
    """What decides how fast work goes, beside the work.

    Args:
        host: the machine's name
        hardware: what it computes with, e.g. ``"8 CPUs"``, ``"1 GPU (NVIDIA H200)"``
        kind: of what kind that is: what is of another kind does not compare
    """

    host: str
    hardware: str
    kind: str = CPU

    def __str__(self) -> str:
        return f"{self.host} ({self.hardware})"


@dataclass(frozen=True)
class Rate:
    """What the last run of an operator took, on a machine, with a model.

    Args:
        machine: the machine
        model: what it worked with; empty if with no model
        steps: seconds for one unit of each part of the work
        measured: when
    """

    machine: Machine
    model: str
    steps: Mapping[str, float]
    measured: datetime

    def seconds(self, units: Units) -> float:
        """How long so much work will take.

        Args:
            units: takes the name of a step, and returns how many there are
        """
        return sum(each * units(step) for step, each in self.steps.items())


@dataclass(frozen=True)
class Forecast:
    """How long work will take on a machine, judged by what was measured.

    Args:
        seconds: so long
        rate: what was measured
        machine: where it will run; None if nobody knows yet
        model: what it will work with
    """

    seconds: float
    rate: Rate
    machine: Machine | None
    model: str

    def __str__(self) -> str:
        by = f"as measured on {self.rate.machine}"
        if self.rate.model != self.model:
            by += f" with {self.rate.model or 'no model'}, not with this model yet"
        elif self.machine is None:
            by += ", if what runs it is as fast"
        elif self.rate.machine != self.machine:
            by += ", not on this machine yet"
        return f"About {in_words(self.seconds)}, {by}."


def record(operator: str, machine: Machine, model: str, step: str, seconds_each: float) -> None:
    """Remembers how long a step of an operator took.

    Args:
        operator: the operator's URI
        machine: where it ran
        model: what it worked with; empty if with no model
        step: which part of its work, e.g. ``"images"``
        seconds_each: how long one unit of it took
    """
    store = ExecutionStore.create(STORE)
    key = f"{operator}|{machine}|{model}"
    steps = dict((store.get(key) or {}).get("steps", {}))
    steps[step.replace(".", " ")] = seconds_each
    store.set(
        key,
        {
            "machine": asdict(machine),
            "model": model,
            "steps": steps,
            # A text, because the App's server sends every change of a store on as JSON.
            "measured": datetime.now(UTC).isoformat(),
        },
    )


def measured(operator: str) -> list[Rate]:
    """What the last runs of an operator took, the latest first. One read of the database."""
    from fiftyone.factory.repos.execution_store import MongoExecutionStoreRepo

    query = {
        "store_name": STORE,
        "dataset_id": None,
        "key": {"$regex": f"^{re.escape(operator)}\\|"},
        "value.machine": {"$type": "object"},
    }
    entries = foo.get_db_conn()[MongoExecutionStoreRepo.COLLECTION_NAME].find(query, {"value": 1})
    found = [_as_rate(entry["value"]) for entry in entries]
    return sorted(found, key=lambda rate: rate.measured, reverse=True)


def forecast(
    rates: Sequence[Rate], machine: Machine | None, model: str, units: Units
) -> Forecast | None:
    """How long work will take: by the same machine and model, else by what comes nearest.

    Nearest is a machine with the same hardware, then the same machine with another model, then
    any machine of the same kind.

    Args:
        rates: what was measured, the latest first
        machine: where it will run; None if nobody knows yet
        model: what it will work with; empty if with no model
        units: takes the name of a step, and returns how many there are

    Returns:
        None if nothing that compares was measured
    """
    with_it = [rate for rate in rates if rate.model == model]
    if machine is None:
        candidates = with_it
    else:
        candidates = [
            *(rate for rate in with_it if rate.machine == machine),
            *(rate for rate in with_it if rate.machine.hardware == machine.hardware),
            *(rate for rate in rates if rate.machine == machine),
            *(rate for rate in with_it if rate.machine.kind == machine.kind),
        ]
    if not candidates:
        return None
    return Forecast(candidates[0].seconds(units), candidates[0], machine, model)


def in_words(seconds: float) -> str:
    """E.g. ``"a few seconds"``, ``"40 seconds"``, ``"3 minutes"``, ``"2.5 hours"``."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 100:
        return f"{seconds:.0f} seconds"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"


def _as_rate(value: Mapping[str, Any]) -> Rate:
    return Rate(
        Machine(**value["machine"]),
        value["model"],
        dict(value["steps"]),
        datetime.fromisoformat(value["measured"]),
    )
