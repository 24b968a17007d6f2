"""What the React half of the CVAT panel is told; js/src/cvat/types.ts says the same of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..relabel.loop import describe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..relabel.annotation import PullReport, Review, RoundStatus, TaskStatus, UndoReport
    from ..relabel.compute.executors import Executor
    from ..relabel.compute.overview import Glance
    from ..relabel.errors import RelabelError
    from ..relabel.evaluation.ledger.entries import Entry
    from ..relabel.loop import Unmeasured

_KINDS = ("moved", "relabelled", "attribute", "added", "removed")
_CONFLICT = "conflict"
_MOST_IDS = 1000  # of the samples behind a figure, which the grid shows


def connection_json(
    state: str,
    url: str | None = None,
    user: str | None = None,
    problem: RelabelError | None = None,
) -> dict[str, Any]:
    """Who we are to which server, or why to none."""
    message, advice = (problem.message, problem.advice) if problem else (None, None)
    return {"state": state, "url": url, "user": user, "message": message, "advice": advice}


def executor_json(executor: Executor) -> dict[str, Any]:
    """A process that runs delegated operations."""
    return {
        "target": ", ".join(executor.targets),
        "host": executor.host,
        "devices": executor.hardware,
        "busy": executor.operation is not None,
    }


def glance_json(glance: Glance) -> dict[str, Any]:
    """What runs, waits and has ended last."""
    ended = glance.ended
    return {
        "queued": glance.queued,
        "running": glance.running,
        "ended": ended
        and {
            "id": str(ended.id),
            "label": ended.label,
            "stage": ended.stage,
            "ended_at": ended.ended_at and ended.ended_at.isoformat(),
        },
    }


def round_json(status: RoundStatus, missing: Sequence[Unmeasured] = ()) -> dict[str, Any]:
    """Where a round stands.

    Args:
        status: the round
        missing: the scores that are not there yet after some round
    """
    return {
        "key": status.key,
        "label_field": ", ".join(status.label_fields),
        "state": status.state,
        "server": status.server,
        "created_at": status.created_at.isoformat(),
        "images": status.images,
        "images_done": status.images_done,
        "labels": status.labels,
        "jobs_by_state": status.jobs_by_state,
        "images_by_state": status.images_by_state,
        "unpulled_jobs": status.unpulled_jobs,
        "can_undo": status.can_undo,
        "problem": _problem_json(status.problem),
        "unmeasured": [
            {"message": one.message, "advice": one.advice}
            for one in missing
            if status.key in one.rounds
        ],
        "tasks": [_task_json(task) for task in status.tasks],
    }


def preview_json(review: Review) -> dict[str, Any]:
    """What a pull would change. Of the samples behind a figure the first are named."""
    sample_ids = review.sample_ids
    return {
        "key": review.key,
        "counts": review.counts,
        "sample_ids": {kind: ids[:_MOST_IDS] for kind, ids in sample_ids.items()},
        "sample_counts": {kind: len(ids) for kind, ids in sample_ids.items()},
        "problems": list(review.problems),
        "jobs": [job.id for job in review.jobs],
        "unchanged": review.unchanged,
    }


def pulled_json(report: PullReport, missing: Sequence[str] = ()) -> dict[str, Any]:
    """What a pull did, and what could not be evaluated again."""
    return {
        "key": report.key,
        "counts": report.counts,
        "samples": len(report.sample_ids),
        "message": _pulled_text(report.counts, len(report.sample_ids)),
        "problems": [*report.problems, *missing],
    }


def undone_json(report: UndoReport, missing: Sequence[str] = ()) -> dict[str, Any]:
    """What an undo did, and what could not be evaluated again."""
    message = f"The labels of {_count(len(report.sample_ids), 'sample')} are as they were before."
    if report.left:
        left = _count(len(report.left), "sample")
        message += f" {left}: edited since then, so not touched."
    return {"message": message, "problems": list(missing)}


def tried_json(entries: Sequence[Entry], missing: Sequence[str]) -> dict[str, Any]:
    """What came of trying to evaluate again."""
    scores = describe(list(entries))
    nothing = "Nothing could be evaluated again." if missing else "Nothing was left to evaluate."
    message = f"Evaluated again: {scores}." if scores else nothing
    return {"message": message, "problems": list(missing)}


def changed_json(jobs: Sequence[int]) -> dict[str, Any]:
    """Which jobs were changed in CVAT."""
    message = f"Changed {_count(len(jobs), 'job')}." if jobs else "Nothing was to be changed."
    return {"changed": list(jobs), "message": message}


def _problem_json(problem: RelabelError | None) -> dict[str, str] | None:
    return {"message": problem.message, "advice": problem.advice} if problem else None


def _task_json(task: TaskStatus) -> dict[str, Any]:
    jobs = [{**asdict(job), "updated_at": job.updated_at.isoformat()} for job in task.jobs]
    return {**asdict(task), "jobs": jobs}


def _pulled_text(counts: Mapping[str, int], samples: int) -> str:
    merged = [
        f"{counts[kind]:,} {_words(kind, counts[kind])}" for kind in _KINDS if counts.get(kind)
    ]
    text = f"Merged into {_count(samples, 'sample')}: {', '.join(merged)}." if merged else ""
    conflicts = counts.get(_CONFLICT, 0)
    if conflicts:
        text += f" {_count(conflicts, 'conflict')} not merged."
    return text.strip() or "Nothing had changed in CVAT."


def _words(kind: str, number: int) -> str:
    return "attributes" if kind == "attribute" and number != 1 else kind


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
