"""What annotators are told about single places of images: issues in CVAT that we make.

A remark is no label and does not come back as one. It is not taken for an issue of a reviewer
either, unless somebody has answered it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..comparing.placing import own_frames
from ..record.baseline import FrameSize, frames_of_samples
from ..record.connection import check_server
from ..record.remarks import forget_unsaid, load_unsaid, save_unsaid
from ..stock.adoption import find_round

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import fiftyone as fo

    from ...cvat import CvatClient, Issue, Job
    from ..record.remarks import Remark
    from ..record.round import Round

_SIGNED = "Relabel: "
_DIGITS = 3  # of a pixel


@dataclass(frozen=True)
class RemarksReport:
    """What annotators were told.

    Args:
        key: the round
        added: how many remarks are new
        present: how many were there already
        elsewhere: how many are about samples that the round does not have
    """

    key: str
    added: int
    present: int
    elsewhere: int


def add_remarks(
    dataset: fo.Dataset,
    key: str,
    client: CvatClient,
    remarks: Sequence[Remark],
    progress: Callable[[int, int], None] | None = None,
) -> RemarksReport:
    """Tells annotators of a round what to look at, each remark as an issue at its place.

    What is to be said is recorded first: after a crash or an error of the server,
    :func:`say_remarks` goes on. What is there already is not said again.

    Args:
        dataset: the dataset
        key: the round
        client: the server that has it
        remarks: what to look at
        progress: called with how many remarks are done and how many there are; if it raises, the
            others are not wanted

    Raises:
        UnknownRound: if there is no such round
        CvatError: if the server refuses something or cannot be reached
    """
    record = find_round(dataset, key)
    check_server(record, client)
    save_unsaid(record.id, remarks)
    return say_remarks(dataset, key, client, progress)


def say_remarks(
    dataset: fo.Dataset,
    key: str,
    client: CvatClient,
    progress: Callable[[int, int], None] | None = None,
) -> RemarksReport:
    """Says what annotators of a round were not told yet; see :func:`add_remarks`."""
    record = find_round(dataset, key)
    check_server(record, client)
    remarks = load_unsaid(record.id)

    def tell(done: int) -> None:
        try:
            if progress:
                progress(done, len(remarks))
        except BaseException:
            forget_unsaid(record.id)
            raise

    jobs = client.jobs(task.id for task in record.tasks)
    known = {
        (issue.job_id, issue.frame, _rounded(issue.position), issue.comments[0].text)
        for issue in client.issues([job.id for job in jobs])
        if _is_remark(issue)
    }
    frames = dict(frames_of_samples(record.id, {remark.sample_id for remark in remarks}))
    added = present = elsewhere = 0
    for number, remark in enumerate(remarks, 1):
        frame = frames.get(remark.sample_id)
        job = _job_of(record, jobs, frame) if frame else None
        if frame is None or job is None:
            elsewhere += 1
            continue
        position = _pixels(remark, frame.size)
        text = f"{_SIGNED}{remark.text}"
        if (job.id, frame.frame, position, text) in known:
            present += 1
        else:
            client.add_issue(job.id, frame.frame, position, text)
            added += 1
        tell(number)
    forget_unsaid(record.id)
    return RemarksReport(record.key, added, present, elsewhere)


def is_unanswered_remark(issue: Issue) -> bool:
    """Whether an issue is a remark of ours that nobody has commented on."""
    return _is_remark(issue) and len(issue.comments) == 1


def _is_remark(issue: Issue) -> bool:
    return bool(issue.comments) and issue.comments[0].text.startswith(_SIGNED)


def _job_of(record: Round, jobs: Sequence[Job], frame: FrameSize) -> Job | None:
    tasks = {task.id: task for task in record.tasks}
    for job in jobs:
        if job.task_id == frame.task_id and frame.frame in own_frames(tasks[job.task_id], job):
            return job
    return None


def _pixels(remark: Remark, size: tuple[int, int]) -> tuple[float, ...]:
    left, top, width, height = remark.box
    corners = (left, top, left + width, top + height)
    return _rounded([value * size[axis % 2] for axis, value in enumerate(corners)])


def _rounded(position: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(value, _DIGITS) for value in position)
