"""Which part of a round is pulled: some jobs, some samples, all changes but some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...cvat import JobState

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Set

    from ...cvat import Job
    from ..record.baseline import SentFrame
    from .diff import Change


@dataclass(frozen=True)
class Choice:
    """Which part of a round is pulled. What is None does not narrow it.

    Args:
        states: the states of jobs
        stages: the stages of jobs
        assignees: who has the job; an empty text stands for nobody
        jobs: the ids of jobs
        samples: the ids of samples
    """

    states: Set[str] | None = frozenset({JobState.COMPLETED.value})
    stages: Set[str] | None = None
    assignees: Set[str] | None = None
    jobs: Set[int] | None = None
    samples: Set[str] | None = None

    @classmethod
    def from_mapping(cls, params: Mapping[str, Any]) -> Choice:
        """Reads what a person asked for; completed jobs if nothing is said of their states.

        Args:
            params: the names of the arguments -> lists; an empty list does not narrow it
        """

        def some(name: str) -> frozenset[Any] | None:
            return frozenset(params[name]) if params.get(name) else None

        return cls(
            states=some("states") if "states" in params else cls.states,
            stages=some("stages"),
            assignees=some("assignees"),
            jobs=some("jobs"),
            samples=some("samples"),
        )

    def takes(self, job: Job) -> bool:
        """Whether a job is among those that are pulled."""
        return (
            _among(job.state, self.states)
            and _among(job.stage, self.stages)
            and _among(job.assignee or "", self.assignees)
            and _among(job.id, self.jobs)
        )

    def takes_frame(self, frame: SentFrame) -> bool:
        """Whether an image is among those that are pulled."""
        return _among(frame.sample_id, self.samples)


FINISHED = Choice()
"""Completed jobs, all of their images."""

EVERYTHING = Choice(states=None)
"""All jobs, whatever their state."""


def change_reference(sample_id: str, change: Change) -> str:
    """What a change is called where somebody leaves it out: ``sample id/change id``."""
    return f"{sample_id}/{change.id}"


def left_out(sample_id: str, changes: Iterable[Change], leave_out: Container[str]) -> set[str]:
    """The ids of those changes of an image that somebody leaves out.

    Args:
        sample_id: the image's sample
        changes: its changes
        leave_out: ids of samples, and references of changes
    """
    whole = sample_id in leave_out
    return {
        change.id
        for change in changes
        if whole or change_reference(sample_id, change) in leave_out
    }


def job_version(job: Job) -> str:
    """What tells one state of a job from the next."""
    return job.updated_at.isoformat()


def jobs_to_pull(pulled: Mapping[int, str], jobs: Iterable[Job], choice: Choice) -> list[Job]:
    """The jobs that have something new for us.

    Args:
        pulled: the jobs that were pulled -> the version of each that was
        jobs: the jobs of a round
        choice: which of them are wanted
    """
    return [job for job in jobs if choice.takes(job) and pulled.get(job.id) != job_version(job)]


def _among(item: object, items: Set[Any] | None) -> bool:
    return items is None or item in items
