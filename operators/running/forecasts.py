"""Says in forms how long work will take, from what the last runs of its sort took."""

from __future__ import annotations

import functools
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...relabel.compute.arrays import has_gpu_driver
from ...relabel.compute.devices import cpu_count, package_versions
from ...relabel.compute.executors import alive
from ...relabel.compute.rates import CLUSTER, GPU, Machine, forecast, measured, record
from .cancelling import executor_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...relabel.compute.executors import Executor
    from ...relabel.compute.rates import Forecast, Units

NOT_MEASURED = "How long it takes was not measured there yet."
_MOST_MACHINES = 3
_CPU_ONLY = "tensorflow-cpu"
_WORK = "relabel_work"  # among what an operator is asked with


@dataclass(frozen=True)
class Work:
    """What decides how fast an operator works, beside its machine.

    Args:
        model: what it works with; empty if with no model
        cluster: the address of the Ray cluster that does the work, if one does
    """

    model: str = ""
    cluster: str | None = None


def machine_of(executor: Executor) -> Machine | None:
    """What an executor computes on; None until it knows whether it has a GPU."""
    if executor.gpus:
        kinds = ", ".join(sorted(set(executor.gpus)))
        return Machine(executor.host, f"{executor.hardware}: {kinds}", GPU)
    if executor.no_gpu_because:
        return Machine(executor.host, executor.hardware)
    return None


def machines_of(executors: Sequence[Executor]) -> list[Machine | None]:
    """What executors compute on, those that know it; without an executor, what nobody knows."""
    known = [machine_of(one) for one in executors]
    return [one for one in known if one is not None] if executors else [None]


@functools.cache
def machine_here() -> Machine:
    """What this process computes on."""
    cores = cpu_count()
    if has_gpu_driver() and _CPU_ONLY not in package_versions():
        return Machine(socket.gethostname(), "its GPU", GPU)
    return Machine(socket.gethostname(), f"{cores} CPU" if cores == 1 else f"{cores} CPUs")


def machine_of_cluster(address: str) -> Machine:
    """The nodes of a Ray cluster, which are no faster or slower for who asks them."""
    return Machine("the Ray cluster", address, CLUSTER)


def note_work(ctx: Any, work: Work) -> None:
    """Notes what an operator is about to work with, for `remember`."""
    ctx.request_params[_WORK] = work


def remember(ctx: Any, step: str, units: float, seconds: float) -> None:
    """Remembers how long a step of an operator took where it runs.

    Args:
        ctx: its execution context
        step: which part of its work
        units: how much of it, more than nothing
        seconds: how long that took
    """
    work = ctx.request_params.get(_WORK, Work())
    machine = machine_of_cluster(work.cluster) if work.cluster else _machine_at_work(ctx)
    if machine is not None:
        record(ctx.operator_uri, machine, work.model, step, seconds / units)


def say_how_long(
    operator: str, machines: Sequence[Machine | None], work: Work, units: Units
) -> str:
    """How long work will take on any of some machines.

    One read of the database.

    Args:
        operator: the operator's URI
        machines: where it may run; None for one that nobody knows yet
        work: what it will work with
        units: takes the name of a step, and returns how many there are
    """
    rates = measured(operator)
    if work.cluster:
        machines = [machine_of_cluster(work.cluster)]
    told = (forecast(rates, one, work.model, units) for one in dict.fromkeys(machines))
    found = [one for one in told if one is not None]
    return " ".join(dict.fromkeys(map(str, _fastest(found)))) or NOT_MEASURED


def _fastest(found: Sequence[Forecast]) -> list[Forecast]:
    return sorted(found, key=lambda one: one.seconds)[:_MOST_MACHINES]


def _machine_at_work(ctx: Any) -> Machine | None:
    """The machine on which an operator is run now; None if that is not known."""
    name = executor_of(ctx)
    if name is None:
        return machine_here()
    return next((machine_of(one) for one in alive() if one.id == name), None)
