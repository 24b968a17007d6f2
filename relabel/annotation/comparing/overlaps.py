"""Images that two neighbouring jobs share.

The earlier job decides about them, so that a label never comes twice, and what the later one says
never undoes it. Where the two differ they are counted.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .placing import own_frames

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...cvat import CvatClient, Job, Shape
    from ..record.round import SentTask
    from .choice import Choice


def shapes_of(
    task: SentTask,
    jobs: Sequence[Job],
    listed: Sequence[Job],
    choice: Choice,
    client: CvatClient,
) -> tuple[list[Shape], int]:
    """What is drawn in some jobs of a task, on the images that each decides about.

    What is drawn on honeypots is left out.

    A task whose jobs share no images is asked for as a whole. Else every job is asked for, because
    CVAT joins like shapes of two jobs without saying whose they are, and so are their neighbours
    if these are finished.

    Args:
        task: the task
        jobs: the jobs that are pulled
        listed: all jobs of the task that CVAT shows us, in the order of their frames
        choice: which jobs are wanted
        client: the server

    Returns:
        the shapes, and the number of images on which two of the jobs differ
    """
    if not task.overlap:
        drawn_in_all = client.annotations_of(jobs)
        return [shape for shape in drawn_in_all if shape.frame not in task.honeypots], 0
    pairs = [
        pair
        for pair in pairwise(listed)
        if (pair[0] in jobs or pair[1] in jobs) and all(map(choice.takes, pair))
    ]
    asked = {job.id for job in jobs}.union(*({one.id, other.id} for one, other in pairs))
    drawn = {
        job.id: client.job_annotations(job.id).on_frames([(job.start_frame, job.stop_frame)])
        for job in listed
        if job.id in asked
    }
    own = [
        shape for job in jobs for shape in drawn[job.id] if shape.frame in own_frames(task, job)
    ]
    return own, sum(_differing(one, other, drawn) for one, other in pairs)


def _differing(one: Job, other: Job, drawn: dict[int, list[Shape]]) -> int:
    """On how many images two jobs differ, of those that they share."""
    return sum(
        _content(drawn[one.id], frame) != _content(drawn[other.id], frame)
        for frame in range(other.start_frame, one.stop_frame + 1)
    )


def _content(shapes: Sequence[Shape], frame: int) -> Counter[Any]:
    return Counter(_said(shape) for shape in shapes if shape.frame == frame)


def _said(shape: Shape) -> tuple[Any, ...]:
    """What a shape says, without the ids that the server gave it."""
    attributes = tuple(sorted(shape.attributes.items()))
    nodes = tuple(map(_said, shape.elements))
    return (
        shape.type,
        shape.label_id,
        shape.points,
        shape.rotation,
        shape.outside,
        attributes,
        nodes,
    )
