"""Where the rounds of a dataset stand in CVAT, in one request for all of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...cvat import JobState, JobType
from ..comparing.choice import job_version
from ..comparing.placing import own_images, with_overlap
from ..errors import FieldGone, RoundBusy, RoundError
from ..pulling.undo import take_back_torn_pull
from ..record.baseline import load_frames
from ..record.places import samples_of
from ..record.rounds import list_rounds
from ..sending.strays import delete_late
from ..stock.adoption import adopt_stock_rounds, find_round
from ..stock.renamed_fields import follow_fields

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import fiftyone as fo

    from ...cvat import CvatClient, Job
    from ...errors import RelabelError
    from ..record.round import Round, SentTask
    from ..stock.left_runs import LeftRun

LEFT = "left"
"""The state of an annotation run that is no round of Relabel's."""


@dataclass(frozen=True)
class JobStatus:
    """Where a job stands.

    Args:
        id: its id
        url: where a person opens it
        assignee: who has it, or None
        stage: annotation, validation or acceptance
        state: new, in progress, completed or rejected
        images: how many images come back from it; of those that two jobs share, the earlier one
            has them
        updated_at: when something in it was last changed
        pulled: whether we have it as it is now
        type: annotation, ground_truth or consensus_replica
    """

    id: int
    url: str
    assignee: str | None
    stage: str
    state: str
    images: int
    updated_at: datetime
    pulled: bool
    type: str = JobType.ANNOTATION


@dataclass(frozen=True)
class TaskStatus:
    """Where a task stands. ``missing`` says that CVAT does not show it (any more)."""

    id: int
    name: str
    url: str
    missing: bool
    jobs: tuple[JobStatus, ...]


@dataclass(frozen=True)
class RoundStatus:
    """Where a round stands.

    Args:
        key: its name
        label_fields: the fields that it annotates
        state: pushing, out, or discarding; of what is no round of ours, left
        created_at: when it was sent
        images: how many images are to come back
        labels: how many labels were sent
        tasks: its tasks
        can_undo: whether a pull of it can be undone
        server: the address of the server that it is on
        problem: why it cannot be pulled here, and what the user can do; None if it can
    """

    key: str
    label_fields: tuple[str, ...]
    state: str
    created_at: datetime
    images: int
    labels: int
    tasks: tuple[TaskStatus, ...]
    can_undo: bool
    server: str
    problem: RelabelError | None = None

    @property
    def jobs(self) -> list[JobStatus]:
        """The jobs that come back, of all its tasks: no replicas, no ground-truth jobs."""
        every = (job for task in self.tasks for job in task.jobs)
        return [job for job in every if job.type == JobType.ANNOTATION]

    @property
    def images_done(self) -> int:
        """How many images are in completed jobs."""
        return self.images_by_state.get(JobState.COMPLETED, 0)

    @property
    def jobs_by_state(self) -> dict[str, int]:
        """State -> how many jobs are in it."""
        counts = Counter(job.state for job in self.jobs)
        return {state.value: counts[state.value] for state in JobState}

    @property
    def images_by_state(self) -> dict[str, int]:
        """State -> how many images are in jobs of it."""
        counts: Counter[str] = Counter()
        for job in self.jobs:
            counts[job.state] += job.images
        return {state.value: counts[state.value] for state in JobState}

    @property
    def unpulled_jobs(self) -> int:
        """How many completed jobs have something new for us."""
        return sum(job.state == JobState.COMPLETED and not job.pulled for job in self.jobs)


def rounds_status(dataset: fo.Dataset, client: CvatClient) -> list[RoundStatus]:
    """Asks where the rounds of a dataset stand, newest first.

    One request for each 500 jobs, however many rounds and tasks they are in. A pull that a crash
    left half done is taken back. A run that stock FiftyOne made becomes a round; one that cannot
    is among them, with the reason.

    Args:
        dataset: the dataset
        client: the server that has them

    Raises:
        CvatError: if the server cannot be asked
    """
    delete_late(dataset, client, rarely=True)
    left = adopt_stock_rounds(dataset)
    rounds = [_whole(dataset, record) for record in list_rounds(dataset)]
    ours = [record for record, _ in rounds if record.url == client.server.url]
    jobs: dict[int, list[Job]] = defaultdict(list)
    task_ids = [task.id for record in ours for task in record.tasks if task.id]
    for job in client.jobs(task_ids, types=tuple(JobType)) if task_ids else ():
        jobs[job.task_id].append(job)
    found = [_round_status(record, jobs, client, problem) for record, problem in rounds]
    found += map(_left_status, left)
    return sorted(found, key=lambda status: status.created_at, reverse=True)


def samples_of_job(dataset: fo.Dataset, key: str, client: CvatClient, job_id: int) -> list[str]:
    """The samples whose images are in a job of a round, in their order.

    Args:
        dataset: the dataset
        key: the round
        client: the server that has it
        job_id: the job, of any type

    Raises:
        UnknownRound: if there is no such round
        RoundError: if it has no such job
        CvatError: if the server cannot be asked
    """
    record = find_round(dataset, key)
    task_ids = [task.id for task in record.tasks if task.id]
    for job in client.jobs(task_ids, types=tuple(JobType)):
        if job.id == job_id:
            span = (job.start_frame, job.stop_frame)
            return samples_of(f.place for f in load_frames(record.id, job.task_id, [span]))
    raise RoundError(f"The round {key!r} has no job {job_id}.", "Refresh the panel.")


def _whole(dataset: fo.Dataset, record: Round) -> tuple[Round, RelabelError | None]:
    """A round without a pull that was left half done, and why it cannot be pulled."""
    try:
        return take_back_torn_pull(dataset, follow_fields(dataset, record)), None
    except RoundBusy:
        return record, None  # it is being pulled at this moment
    except FieldGone as error:
        return record, error


def _left_status(run: LeftRun) -> RoundStatus:
    return RoundStatus(
        key=run.key,
        label_fields=run.fields,
        state=LEFT,
        created_at=run.sent_at,
        images=0,
        labels=0,
        tasks=(),
        can_undo=False,
        server=run.url,
        problem=run.problem,
    )


def _round_status(
    record: Round,
    jobs: dict[int, list[Job]],
    client: CvatClient,
    problem: RelabelError | None,
) -> RoundStatus:
    tasks = tuple(
        TaskStatus(
            id=task.id,
            name=task.name,
            url=client.task_url(task.id),
            missing=not jobs.get(task.id),
            jobs=_job_statuses(record, task, jobs.get(task.id, ()), client),
        )
        for task in record.tasks
        if task.id
    )
    return RoundStatus(
        key=record.key,
        label_fields=tuple(field.name for field in record.fields),
        state=record.state.value,
        created_at=record.created_at,
        images=record.images - sum(task.pool for task in record.tasks),
        labels=record.labels,
        tasks=tasks,
        can_undo=bool(record.pulls),
        server=record.url,
        problem=problem,
    )


def _job_statuses(
    record: Round, task: SentTask, jobs: Sequence[Job], client: CvatClient
) -> tuple[JobStatus, ...]:
    task = with_overlap(task, [job for job in jobs if job.type == JobType.ANNOTATION])
    return tuple(
        JobStatus(
            id=job.id,
            url=client.job_url(job.task_id, job.id),
            assignee=job.assignee,
            stage=job.stage,
            state=job.state,
            images=own_images(task, job),
            updated_at=job.updated_at,
            pulled=record.pulled.get(job.id) == job_version(job),
            type=job.type,
        )
        for job in jobs
    )
