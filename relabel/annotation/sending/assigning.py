"""Who gets which job of a round."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...cvat import JobType
from ..planning.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ...cvat import CvatClient, Job, User
    from ..progress import Progress
    from ..record.request import Request


def assign_jobs(
    client: CvatClient,
    jobs: Sequence[Job],
    request: Request,
    people: Mapping[str, User],
    progress: Progress,
) -> None:
    """Gives the jobs of a round to its people. Those that are given already cost no request.

    Args:
        client: the server
        jobs: all jobs of the round, task by task, in the order of their frames
        request: who gets them
        people: the persons by the names that they were asked for
        progress: hears how many have theirs
    """
    for number, (job, name) in enumerate(whose_jobs(jobs, request)):
        progress(number / len(jobs), f"Assigned {number:,} of {len(jobs):,} jobs")
        user = people[name]
        if job.assignee != user.username:
            client.assign_job(job.id, user)


def whose_jobs(jobs: Sequence[Job], request: Request) -> Iterator[tuple[Job, str]]:
    """Who is to have each job: the same for the same jobs, however often it is asked.

    Assignees get the jobs in turn; where jobs have replicas they get these, and nobody two of one
    job. Reviewers get the ground-truth jobs in turn.
    """
    workers = Turns(request.assignees, request.weights)
    reviewers = Turns(request.reviewers)
    worked_on = JobType.REPLICA if request.consensus_replicas else JobType.ANNOTATION
    had: dict[int | None, set[str]] = {}
    for job in jobs:
        name = None
        if job.type == worked_on:
            mine = had.setdefault(job.parent_id, set()) if job.parent_id else set()
            name = workers.next(avoid=mine)
            mine.add(name or "")
        elif job.type == JobType.GROUND_TRUTH:
            name = reviewers.next()
        if name:
            yield job, name
