"""Who has the jobs of a round, and where they stand: changed from FiftyOne, after the push."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...cvat import JobStage, JobState, JobType
from ..errors import InvalidJobChange
from ..planning.turns import Turns
from ..record.connection import check_server
from ..stock.adoption import find_round

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    import fiftyone as fo

    from ...cvat import CvatClient, Job, User
    from ..record.round import Round

NOBODY = ""
"""The assignee of a job that nobody has."""

EVERY_TYPE = tuple(JobType)


@dataclass(frozen=True)
class JobChange:
    """What is to become of some jobs. What is None stays as it is.

    Args:
        assignee: the name of the person who gets them, or :data:`NOBODY`
        stage: their stage
        state: their state; a new stage alone does not reset it, as it would in CVAT
    """

    assignee: str | None = None
    stage: JobStage | None = None
    state: JobState | None = None

    @classmethod
    def from_mapping(cls, params: Mapping[str, Any]) -> JobChange:
        """Reads what a person asked for.

        Raises:
            InvalidJobChange: if it asks for nothing, or for a stage or state that there is not
        """
        stage, state = params.get("stage"), params.get("state")
        try:
            change = cls(
                assignee=params.get("assignee"),
                stage=JobStage(stage) if stage else None,
                state=JobState(state) if state else None,
            )
        except ValueError as error:
            raise InvalidJobChange(
                f"CVAT knows no such stage or state: {error}.",
                f"Stages are {', '.join(JobStage)}; states are {', '.join(JobState)}.",
            ) from error
        if change == cls():
            raise InvalidJobChange(
                "Nothing is to be changed.", "Name an assignee, a stage or a state."
            )
        return change


def change_jobs(
    dataset: fo.Dataset, key: str, client: CvatClient, jobs: Collection[int], change: JobChange
) -> list[int]:
    """Gives jobs of a round to a person, or moves them to a stage or state.

    One request for each job that is not yet as it is to be. If one fails, those before it are
    changed, and the same call goes on.

    Args:
        dataset: the dataset
        key: the round
        client: the server that has it
        jobs: the ids of the jobs, of any type
        change: what is to become of them

    Returns:
        the ids of the jobs that were changed

    Raises:
        UnknownAssignee: if the person is not known to the server; nothing was changed then
        InvalidJobChange: if one of them is no job of the round; nothing was changed then
        CvatForbidden: if we may not change a job: its assignee may set its state only
    """
    user = _find(client, change.assignee)
    record = find_round(dataset, key)
    changed = []
    for job in _chosen(record, client, jobs):
        assignee = job.assignee if change.assignee is None else user and user.username
        stage, state = change.stage or job.stage, change.state or job.state
        if (assignee, stage, state) == (job.assignee, job.stage, job.state):
            continue
        if change.stage is None and change.state is None:
            client.assign_job(job.id, user)
        else:
            client.set_job(
                job.id,
                state=state,
                stage=None if stage == job.stage else stage,
                assignee=... if assignee == job.assignee else user,
            )
        changed.append(job.id)
    return changed


def send_to_review(
    dataset: fo.Dataset,
    key: str,
    client: CvatClient,
    jobs: Collection[int] = (),
    reviewers: Sequence[str] = (),
) -> list[int]:
    """Moves jobs to the validation stage, each to a reviewer in turn who has not annotated it.

    Args:
        dataset: the dataset
        key: the round
        client: the server that has it
        jobs: the ids of the jobs; by default all that are completed in the annotation stage
        reviewers: the names of the reviewers, by default those of the round

    Returns:
        the ids of the jobs that were moved; one that is in that stage or a later one stays

    Raises:
        UnknownAssignee: if a reviewer is not known to the server; nothing was changed then
        InvalidJobChange: if there are no reviewers, or one of the jobs is no job of the round
    """
    record = find_round(dataset, key)
    names = tuple(reviewers) or (record.request.reviewers if record.request else ())
    if not names:
        raise InvalidJobChange(
            f"The round {key!r} has no reviewers.", "Name those who are to review its jobs."
        )
    found = client.find_users(names)
    people = {found[name].username: found[name] for name in names}
    listed = _listed(record, client)
    wanted = set(_known(listed, jobs, key)) if jobs else set(_done(listed))
    turns, moved = Turns(list(people)), []
    for job in listed:
        # Everybody's turn is counted, so that what is sent job by job is spread alike.
        reviewer = turns.next(avoid=() if job.assignee is None else (job.assignee,))
        if job.id in wanted and job.stage == JobStage.ANNOTATION and reviewer is not None:
            client.set_job(
                job.id,
                stage=JobStage.VALIDATION,
                state=JobState.NEW,
                assignee=people[reviewer],
            )
            moved.append(job.id)
    return moved


def _find(client: CvatClient, name: str | None) -> User | None:
    return client.find_users([name])[name] if name else None


def _chosen(record: Round, client: CvatClient, jobs: Collection[int]) -> list[Job]:
    listed = _listed(record, client, EVERY_TYPE)
    known = set(_known(listed, jobs, record.key))
    return [job for job in listed if job.id in known]


def _listed(
    record: Round, client: CvatClient, types: Sequence[str] = (JobType.ANNOTATION,)
) -> list[Job]:
    check_server(record, client)
    return client.jobs((task.id for task in record.tasks if task.id), types=types)


def _known(listed: Iterable[Job], jobs: Collection[int], key: str) -> Collection[int]:
    missing = sorted(set(jobs) - {job.id for job in listed})
    if missing:
        raise InvalidJobChange(
            f"The round {key!r} has no job {', '.join(map(str, missing))} that CVAT shows us.",
            "Refresh the panel.",
        )
    return jobs


def _done(listed: Iterable[Job]) -> list[int]:
    return [job.id for job in listed if job.state == JobState.COMPLETED]
