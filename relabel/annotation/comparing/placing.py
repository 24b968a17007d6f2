"""On which frames of a task its images are: CVAT reorders them where there are honeypots."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...cvat import CvatDataRejected, JobType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...cvat import Job, Yardstick
    from ..dataset.media import RoundImage
    from ..record.round import SentTask


@dataclass(frozen=True)
class Placed:
    """An image on a frame.

    Args:
        frame: the number of the frame in its task
        image: what it shows
        yardstick: whether it measures the annotators
        result: whether what is drawn on it comes back; it does not on a honeypot, nor on the
            images of the pool, which only the ground-truth job has
    """

    frame: int
    image: RoundImage
    yardstick: bool = False
    result: bool = True


def in_order(images: Sequence[RoundImage], yardstick: Yardstick | None) -> list[Placed]:
    """Frame ``i`` is image ``i``, as in every task without honeypots."""
    names = set(yardstick.names) if yardstick else set()
    return [
        Placed(frame, image, yardstick=image.file.name in names)
        for frame, image in enumerate(images)
    ]


def by_name(
    images: Sequence[RoundImage], names: Sequence[str], yardstick: Yardstick, task_id: int
) -> list[Placed]:
    """Reads from the names of the frames which image each is.

    Args:
        images: the images of a task, each under a name of its own
        names: the names of its frames
        yardstick: which images the honeypots repeat
        task_id: the task

    Raises:
        CvatDataRejected: if an image is on no frame, or a frame shows something else
    """
    known = {image.file.name: image for image in images}
    if set(known) != set(names):
        missing = sorted(set(known) - set(names))
        raise CvatDataRejected(
            f"CVAT passed over {len(missing)} files"
            + (f", the first is {missing[0]}." if missing else ": its frames have other names."),
            "It reads common image formats only.",
            task_id=task_id,
        )
    pool = set(yardstick.names)
    return [
        Placed(frame, known[name], yardstick=name in pool, result=name not in pool)
        for frame, name in enumerate(names)
    ]


def images_of(job: Job, placed: Sequence[Placed]) -> list[Placed]:
    """The images of a job; a ground-truth job has those of the yardstick only."""
    frames = range(job.start_frame, job.stop_frame + 1)
    every = job.type != JobType.GROUND_TRUTH
    return [item for item in placed if item.frame in frames and (every or item.yardstick)]


def shared_images(jobs: Sequence[Job]) -> int:
    """How many images two neighbouring jobs of a task share, of jobs in the order of frames."""
    if len(jobs) < 2:
        return 0
    return max(0, jobs[0].stop_frame - jobs[1].start_frame + 1)


def with_overlap(task: SentTask, jobs: Sequence[Job]) -> SentTask:
    """A task that knows how many images its jobs share, which stock FiftyOne does not note.

    Args:
        task: the task
        jobs: its annotation jobs as far as CVAT shows them
    """
    if task.overlap:
        return task
    return replace(task, overlap=shared_images(sorted(jobs, key=lambda job: job.start_frame)))


def own_frames(task: SentTask, job: Job) -> range:
    """The frames of a job that it decides about: of two that share an image, the earlier does."""
    shared = task.overlap if job.start_frame else 0
    return range(job.start_frame + shared, job.stop_frame + 1)


def own_images(task: SentTask, job: Job) -> int:
    """How many images of a job come back from it; of a ground-truth job, how many it has."""
    if job.type == JobType.GROUND_TRUTH:
        return job.frame_count
    frames = own_frames(task, job)
    return len(frames) - sum(frame in frames for frame in task.honeypots)
