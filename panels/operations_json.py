"""What the React half of the panel is told; js/src/operations/types.ts says the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..relabel.compute.overview import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ..relabel.compute.executors import Executor
    from ..relabel.compute.overview import Elsewhere, Line, Operation

_GIB = 1 << 30


def operation_json(
    operation: Operation, executors: Sequence[Executor], line: Line
) -> dict[str, Any]:
    """A delegated operation.

    Args:
        operation: the operation
        executors: those that are alive
        line: what waits, oldest first, each with its target
    """
    return {
        "id": str(operation.id),
        "operator": operation.operator,
        "label": operation.label,
        "target": operation.target,
        "stage": operation.stage,
        "executor": operation.executor,
        "attempt": operation.attempt,
        "writing": operation.writing,
        "takes_back": operation.takes_back,
        "progress": operation.progress,
        "doing": operation.doing,
        "cause": operation.cause,
        "error": operation.error,
        "log_tail": operation.log_tail,
        "asked": [list(one) for one in operation.asked],
        "queued_at": _moment(operation.queued_at),
        "started_at": _moment(operation.started_at),
        "ended_at": _moment(operation.ended_at),
        "again": operation.again and str(operation.again),
        "has_executor": _has_executor(operation, executors),
        "before": _before(operation, executors, line),
    }


def executor_json(executor: Executor, *, alive: bool) -> dict[str, Any]:
    """A process that runs delegated operations."""
    return {
        "id": executor.id,
        "targets": list(executor.targets),
        "also_untargeted": executor.also_untargeted,
        "host": executor.host,
        "pid": executor.pid,
        "gpus": list(executor.gpus),
        "no_gpu_because": executor.no_gpu_because,
        "cpus": executor.cpus,
        "memory_gib": round(executor.memory_bytes / _GIB, 1),
        "versions": dict(executor.versions),
        "operation": executor.operation,
        "silent_seconds": round(executor.silent_seconds),
        "alive": alive,
    }


def elsewhere_json(there: Elsewhere) -> dict[str, int]:
    """What is under way on other datasets."""
    return {"queued": there.queued, "running": there.running}


def _has_executor(operation: Operation, executors: Sequence[Executor]) -> bool:
    """Whether somebody alive runs it, or will."""
    if operation.executor:
        return any(one.id == operation.executor for one in executors)
    return any(one.takes(operation.target) for one in executors)


def _before(operation: Operation, executors: Sequence[Executor], line: Line) -> int:
    """How many that wait are older, and go to an executor that could take this one, too."""
    if operation.stage is not Stage.QUEUED:
        return 0
    takers = [one for one in executors if one.takes(operation.target)]
    older = (target for waits, target in line if waits < operation.id)
    return sum(any(one.takes(target) for one in takers) for target in older)


def _moment(moment: datetime | None) -> str | None:
    return moment and moment.isoformat()
