"""Compares what annotators did with what was sent. Changes nothing."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...labels import MalformedLabel
from ..comparing.choice import FINISHED, Choice, jobs_to_pull
from ..comparing.diff import diff_frame
from ..comparing.drawing import draw_labels, read_shapes
from ..comparing.naming import TaskNames
from ..comparing.overlaps import shapes_of
from ..comparing.parts import join_classes
from ..comparing.placing import own_frames, with_overlap
from ..comparing.video_reading import followed
from ..dataset import storage
from ..progress import part_of, silent
from ..record.baseline import load_frames
from ..record.connection import check_server
from ..record.places import Place, samples_of
from ..record.rounds import save_classes
from ..stock.adoption import find_round
from ..stock.new_values import with_types
from .collector import collector_paused
from .review import Review, ReviewedFrame, UnreadableImage
from .undo import take_back_torn_pull

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import fiftyone as fo

    from ...cvat import CvatClient, Job, Shape
    from ...labels import LabelSchema
    from ..comparing.pulled_shape import PulledShape
    from ..dataset.storage import Labels
    from ..progress import Progress
    from ..record.baseline import SentFrame
    from ..record.round import Round, SentTask

_IMAGES_PER_REPORT = 250


def review_pull(
    dataset: fo.Dataset,
    key: str,
    client: CvatClient,
    choice: Choice = FINISHED,
    progress: Progress = silent,
) -> Review:
    """Shows what a pull would change, without changing anything.

    Jobs that did not change since they were last pulled are not fetched again. A pull that a
    crash left half done is taken back first.

    Args:
        dataset: the dataset
        key: the round
        client: the server that has it
        choice: which jobs and samples are looked at
        progress: hears how many jobs and images are compared; it may raise to cancel

    Raises:
        UnknownRound: if there is no such round
        RoundBusy: if somebody is pulling it at this moment
        CvatError: if the server cannot be asked
    """
    record = take_back_torn_pull(dataset, find_round(dataset, key))
    listed = list_jobs(record, client)
    record = with_types(dataset, with_classes(record, listed, client), listed, client)
    return compare(dataset, record, client, listed, choice, progress=progress)


def list_jobs(record: Round, client: CvatClient) -> list[Job]:
    """The jobs of a round as they are now, in one request for each 500.

    Raises:
        RoundError: if the round is on another server
        CvatError: if the server cannot be asked
    """
    check_server(record, client)
    return client.jobs(task.id for task in record.tasks)


def with_classes(record: Round, listed: Sequence[Job], client: CvatClient) -> Round:
    """Asks for what stock FiftyOne did not note: the ids of classes, and what jobs share.

    CVAT is asked for the ids once, so that classes that are renamed from then on are known.

    Args:
        record: the round
        listed: its jobs as they are now
        client: the server that has it

    Returns:
        the round with them
    """
    jobs_of: dict[int, list[Job]] = defaultdict(list)
    for job in listed:
        jobs_of[job.task_id].append(job)
    tasks = [with_overlap(task, jobs_of[task.id]) for task in record.tasks]
    for number, task in enumerate(tasks):
        if not task.labels and jobs_of[task.id]:
            labels = tuple(client.job_labels(jobs_of[task.id][0].id))
            tasks[number] = replace(task, labels=labels)
            save_classes(record.id, number, tasks[number])
    return replace(record, tasks=tuple(tasks))


@collector_paused()
def compare(
    dataset: fo.Dataset,
    record: Round,
    client: CvatClient,
    listed: Sequence[Job],
    choice: Choice,
    *,
    progress: Progress = silent,
    take: Callable[[Sequence[ReviewedFrame]], None] | None = None,
) -> Review:
    """Compares the jobs of a round that have something new for us.

    Args:
        dataset: the dataset
        record: the round
        client: the server that has it
        listed: its jobs as they are now
        choice: which jobs and samples are looked at
        progress: hears how many jobs and images are compared
        take: takes the images of each task as soon as they are compared
    """
    jobs = jobs_to_pull(record.pulled, listed, choice)
    tasks: list[_ComparedTask] = []
    compared = 0
    with ThreadPoolExecutor(1) as reader:
        for task in record.tasks:
            task_jobs = [job for job in jobs if job.task_id == task.id]
            if not task_jobs:
                continue
            progress(compared / len(jobs), f"Compared {compared:,} of {len(jobs):,} jobs")
            begun, compared = compared, compared + len(task_jobs)
            of_this = part_of(progress, begun / len(jobs), compared / len(jobs))
            of_task = [job for job in listed if job.task_id == task.id]
            reading = reader.submit(_read, dataset, record, task, task_jobs, choice)
            shapes, differing = shapes_of(task, task_jobs, of_task, choice, client)
            names = _names(record, task, task_jobs[0], shapes, client)
            found = _compare_task(
                dataset,
                record,
                task,
                reading.result(),
                shapes=shapes,
                names=names,
                choice=choice,
                progress=of_this,
            )
            if differing:
                found.remarks.insert(0, _differing(task, differing))
            if take:
                take(found.frames)
            tasks.append(found)
    frames = tuple(frame for found in tasks for frame in found.frames)
    remarks = [remark for found in tasks for remark in found.remarks]
    surplus = sum(frame.diff.surplus for frame in frames)
    if surplus:
        remarks.append(
            f"{surplus} labels were drawn beside another where a field holds one label of an "
            "image; they stay in CVAT."
        )
    return Review(
        key=record.key,
        jobs=tuple(jobs),
        frames=frames,
        skipped=frozenset(number for found in tasks for number in found.skipped),
        samples_gone=tuple(samples_of(place for found in tasks for place in found.gone)),
        tasks_gone=_tasks_gone(record, listed),
        remarks=tuple(remarks),
        unreadable=tuple(image for found in tasks for image in found.unreadable),
        listed=tuple(listed),
    )


@dataclass(frozen=True)
class _Read:
    """What our side has of the images of a task that are looked at.

    Args:
        job_of: frame -> the job that decides about it
        sent: the baseline of every frame of these jobs
        labels: place -> its labels, of the images that are wanted
        unreadable: place -> why its labels cannot be read
    """

    job_of: dict[int, Job]
    sent: list[SentFrame]
    labels: dict[Place, Labels]
    unreadable: dict[Place, str]


def _read(
    dataset: fo.Dataset, record: Round, task: SentTask, jobs: Sequence[Job], choice: Choice
) -> _Read:
    """Reads our side of a task; meanwhile the server may be asked for what is drawn in it."""
    own = [(job, own_frames(task, job)) for job in jobs]
    spans = [(frames.start, frames.stop - 1) for _, frames in own]
    sent = list(load_frames(record.id, task.id, spans))
    unreadable: dict[Place, str] = {}
    places = [frame.place for frame in sent if choice.takes_frame(frame)]
    labels = storage.read_labels(dataset, places, record.kinds, unreadable)
    job_of = {frame: job for job, frames in own for frame in frames}
    return _Read(job_of, sent, labels, unreadable)


@dataclass(frozen=True)
class _ComparedTask:
    """What was found in a task; see :class:`Review`."""

    frames: list[ReviewedFrame]
    unreadable: list[UnreadableImage]
    skipped: list[tuple[int, int]]
    gone: list[Place]
    remarks: list[str]


def _compare_task(
    dataset: fo.Dataset,
    record: Round,
    task: SentTask,
    ours: _Read,
    *,
    shapes: Sequence[Shape],
    names: TaskNames,
    choice: Choice,
    progress: Progress,
) -> _ComparedTask:
    """Compares what is drawn in a task with our side of it."""
    drawn = read_shapes(shapes, names)
    pulled = followed(dataset, record, drawn, ours.sent)
    wanted = [frame for frame in ours.sent if choice.takes_frame(frame)]
    reasons = {
        frame.place: pulled.unreadable[frame.frame]
        for frame in wanted
        if frame.frame in pulled.unreadable
    } | ours.unreadable
    frames: list[ReviewedFrame] = []
    gone: list[Place] = []
    for number, frame in enumerate(wanted):
        if number and number % _IMAGES_PER_REPORT == 0:
            progress(number / len(wanted), f"Compared {number:,} of {len(wanted):,} images")
        if frame.place in reasons:
            continue
        if frame.place not in ours.labels:
            gone.append(frame.place)
            continue
        job, labels = ours.job_of[frame.frame], ours.labels[frame.place]
        schema = record.schemas[frame.place.field]
        try:
            frames.append(review_frame(job, frame, pulled.at(frame), labels, schema))
        except MalformedLabel as error:
            reasons[frame.place] = str(error)
    return _ComparedTask(
        frames=frames,
        unreadable=[UnreadableImage(f, reasons[f.place]) for f in wanted if f.place in reasons],
        skipped=[(task.id, f.frame) for f in ours.sent if not choice.takes_frame(f)],
        gone=gone,
        remarks=list(drawn.remarks),
    )


def review_frame(
    job: Job,
    frame: SentFrame,
    shapes: Sequence[PulledShape],
    documents: Labels,
    schema: LabelSchema,
) -> ReviewedFrame:
    """Compares one image.

    Args:
        job: the job that it is in
        frame: its baseline
        shapes: what CVAT has on it now
        documents: its labels in FiftyOne now
        schema: the attributes that travel
    """
    present = draw_labels(documents, frame.size, schema)
    kind = schema.label_kind
    if kind.unite:
        shapes = join_classes(shapes, frame.labels, kind)
    diff = diff_frame(frame, shapes, present, holds_one=kind.holds_one)
    return ReviewedFrame(job, shapes, diff, documents, present)


def _tasks_gone(record: Round, listed: Iterable[Job]) -> tuple[int, ...]:
    seen = {job.task_id for job in listed}
    return tuple(task.id for task in record.tasks if task.id not in seen)


def _differing(task: SentTask, images: int) -> str:
    if images == 1:
        return f"On 1 image of {task.name} two jobs that share it differ. The earlier job decides."
    return (
        f"On {images} images of {task.name} the two jobs that share them differ. The earlier job "
        "decides."
    )


def _names(
    record: Round, task: SentTask, job: Job, shapes: Iterable[Shape], client: CvatClient
) -> TaskNames:
    """The names of the classes as they were sent, whatever they were renamed to since.

    Classes that were added in CVAT are asked for only when a shape has one.
    """
    names = TaskNames(record.fields, task.labels)
    if all(names.knows(shape) for shape in shapes):
        return names
    return TaskNames(record.fields, (*client.job_labels(job.id), *task.labels))
