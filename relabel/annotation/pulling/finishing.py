"""Which samples annotators are done with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...cvat import JobState
from ..comparing.choice import job_version
from ..comparing.placing import own_frames
from ..dataset.videos import is_video
from ..record.baseline import samples_by_frame
from ..record.round import LeftOpen

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    import fiftyone as fo

    from ...cvat import Job
    from ..record.round import Round
    from .review import Review


def finished_samples(
    dataset: fo.Dataset,
    record: Round,
    review: Review,
    open_frames: Set[tuple[int, int]],
) -> list[str]:
    """The samples that annotators are done with and that leave nothing open, each once.

    A video is done when all jobs that it was cut into are, an image with its one job.

    Args:
        dataset: the dataset
        record: the round, before a pull
        review: what the pull has found
        open_frames: the frames that it leaves open, as pairs of task and number
    """
    done = [job for job in review.jobs if job.state == JobState.COMPLETED]
    if is_video(dataset):
        now = {job.id for job in done}
        others = (job for job in review.listed if job.id not in now)
        waiting = {job.task_id for job in others if not _settled(record, job)}
        waiting |= {task_id for task_id, _ in open_frames}
        done = [job for job in done if job.task_id not in waiting]
    return _samples(record, done, open_frames)


def finished_newly(
    dataset: fo.Dataset, record: Round, review: Review, finished: Sequence[str]
) -> Sequence[str]:
    """The finished samples that no pull before has brought back as they are in CVAT now.

    A job that leaves an image open comes back as a whole, again and again.

    Args:
        dataset: the dataset
        record: the round, before a pull
        review: what the pull has found
        finished: the samples that annotators are done with
    """
    if is_video(dataset):  # it comes back once, when nothing of it is open any more
        return finished
    again = [job for job in review.jobs if _open_before(record, job) is not None]
    never = {(job.task_id, n) for job in again for n in _open_before(record, job) or ()}
    known = set(_samples(record, again, open_frames=never))
    return [sample_id for sample_id in finished if sample_id not in known]


def what_is_left_open(record: Round, job: Job, open_frames: Set[tuple[int, int]]) -> LeftOpen:
    """What all pulls of a job as it is in CVAT now have left open.

    Args:
        record: the round, before a pull
        job: a completed job that the pull has looked at
        open_frames: the frames that it leaves open, as pairs of task and number
    """
    before = _open_before(record, job)
    frames = (n for task_id, n in sorted(open_frames) if task_id == job.task_id)
    own = (n for n in frames if job.start_frame <= n <= job.stop_frame)
    kept = tuple(own) if before is None else tuple(n for n in own if n in before)
    return LeftOpen(job_version(job), kept)


def _open_before(record: Round, job: Job) -> Set[int] | None:
    """The frames that the pulls of a job as it is now have left open; None if there was none."""
    left = record.left_open.get(job.id)
    return set(left.frames) if left and left.version == job_version(job) else None


def finished_earlier(dataset: fo.Dataset, record: Round, listed: Sequence[Job]) -> list[str]:
    """The samples that annotators were done with in the pulls of a round so far, each once.

    Args:
        dataset: the dataset
        record: the round
        listed: its jobs
    """
    done = [job for job in listed if _settled(record, job)]
    if is_video(dataset):
        waiting = {job.task_id for job in listed if not _settled(record, job)}
        done = [job for job in done if job.task_id not in waiting]
    return samples_of_jobs(record, done)


def samples_of_jobs(record: Round, jobs: Sequence[Job]) -> list[str]:
    """The samples that come back from some jobs of a round, each once."""
    return _samples(record, jobs, open_frames=frozenset())


def _samples(record: Round, done: Sequence[Job], open_frames: Set[tuple[int, int]]) -> list[str]:
    tasks = {task.id: task for task in record.tasks}
    found = (
        sample_id
        for job in done
        for frame, sample_id in samples_by_frame(
            record.id, job.task_id, own_frames(tasks[job.task_id], job)
        )
        if (job.task_id, frame) not in open_frames
    )
    return list(dict.fromkeys(found))


def _settled(record: Round, job: Job) -> bool:
    """Whether a job is completed, and all that came back from it was taken over earlier."""
    return job.state == JobState.COMPLETED and record.pulled.get(job.id) == job_version(job)
