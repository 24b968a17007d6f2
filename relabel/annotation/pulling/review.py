"""Compares what annotators did with what was sent. Changes nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...labels import MalformedLabel
from ..comparing.choice import FINISHED, Choice, jobs_to_pull
from ..comparing.diff import Change, FrameDiff, diff_frame
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
from .undo import take_back_torn_pull

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import fiftyone as fo

    from ...cvat import CvatClient, Job, Shape
    from ...labels import Drawn, LabelSchema
    from ..comparing.pulled_shape import PulledShape
    from ..dataset.storage import Labels
    from ..progress import Progress
    from ..record.baseline import SentFrame
    from ..record.rounds import Round, SentTask

CONFLICT = "conflict"
_NAMED = 10
_IMAGES_PER_REPORT = 250


@dataclass(frozen=True)
class ReviewedFrame:
    """One field of an image of a review.

    Args:
        job: the job that it is in
        shapes: what CVAT has on it now
        diff: what CVAT changed on it
        documents: its labels in FiftyOne as MongoDB holds them, or None for an empty field
        present: label id -> how CVAT would draw the label as FiftyOne has it now
    """

    job: Job
    shapes: Sequence[PulledShape]
    diff: FrameDiff
    documents: Labels
    present: Mapping[str, Drawn]

    @property
    def sample_id(self) -> str:
        """Its sample."""
        return self.place.sample_id

    @property
    def place(self) -> Place:
        """Where its labels are."""
        return self.diff.frame.place


@dataclass(frozen=True)
class UnreadableImage:
    """One field of an image that cannot be compared. It is left out and stays open.

    Args:
        frame: its baseline
        reason: why, and what to do about it
    """

    frame: SentFrame
    reason: str

    def __str__(self) -> str:
        return f"Sample {self.frame.sample_id} is left out and stays open: {self.reason}"


@dataclass(frozen=True)
class Review:
    """What a pull would change. Nothing has been changed yet.

    Args:
        key: the round
        jobs: the jobs that would be pulled
        frames: the images of those jobs that are wanted and still in the dataset
        unreadable: those of them that cannot be compared
        skipped: the frames of those jobs that are not wanted, as pairs of task and number
        samples_gone: the samples that are not in the dataset any more
        tasks_gone: the tasks that CVAT does not show (any more)
        remarks: what annotators drew that the field holds otherwise, or cannot hold
        listed: all annotation jobs of the round, also those that are not pulled
    """

    key: str
    jobs: tuple[Job, ...]
    frames: tuple[ReviewedFrame, ...]
    skipped: frozenset[tuple[int, int]] = frozenset()
    samples_gone: tuple[str, ...] = ()
    tasks_gone: tuple[int, ...] = ()
    remarks: tuple[str, ...] = ()
    unreadable: tuple[UnreadableImage, ...] = ()
    listed: tuple[Job, ...] = ()

    @property
    def open_frames(self) -> frozenset[tuple[int, int]]:
        """The frames that a pull leaves open, as pairs of task and number."""
        unreadable = (image.frame for image in self.unreadable)
        return self.skipped.union((frame.task_id, frame.frame) for frame in unreadable)

    @property
    def problems(self) -> tuple[str, ...]:
        """What a pull cannot take over, and why; of many images the first ones are named."""
        problems = list(map(str, self.unreadable[:_NAMED]))
        if len(self.unreadable) > _NAMED:
            more = len(self.unreadable) - _NAMED
            problems.append(f"{more:,} more images are left out for such reasons.")
        if self.samples_gone:
            problems.append(f"{len(self.samples_gone)} images are no longer in the dataset.")
        if self.tasks_gone:
            names = ", ".join(map(str, self.tasks_gone))
            problems.append(
                f"CVAT does not show us the task {names}: it was deleted, or is not ours."
            )
        return (*problems, *self.remarks)

    @property
    def counts(self) -> dict[str, int]:
        """How many labels were added, removed, moved, ..., and how many are in conflict."""
        return count(change for frame in self.frames for change in frame.diff.changes)

    @property
    def sample_ids(self) -> dict[str, list[str]]:
        """The same kinds -> the samples behind each."""
        found: dict[str, list[Place]] = defaultdict(list)
        for frame in self.frames:
            for kind in count(frame.diff.changes):
                found[kind].append(frame.place)
        return {kind: samples_of(places) for kind, places in found.items()}

    @property
    def unchanged(self) -> int:
        """How many labels are in CVAT as they were sent."""
        return sum(
            label.start is None and label.id not in changed
            for frame in self.frames
            for changed in [{change.label_id for change in frame.diff.changes}]
            for label in frame.diff.frame.labels
        )


def count(changes: Iterable[Change], *, settled: bool = False) -> dict[str, int]:
    """Counts changes by kind. A conflict counts as that alone, unless it is settled."""
    kinds = Counter(
        kind
        for change in changes
        for kind in (change.kinds if settled or not change.conflict else (CONFLICT,))
    )
    return {str(kind): number for kind, number in kinds.items()}


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
) -> Review:
    """Compares the jobs of a round that have something new for us.

    Args:
        dataset: the dataset
        record: the round
        client: the server that has it
        listed: its jobs as they are now
        choice: which jobs and samples are looked at
        progress: hears how many jobs and images are compared
    """
    jobs = jobs_to_pull(record.pulled, listed, choice)
    frames: list[ReviewedFrame] = []
    unreadable: list[UnreadableImage] = []
    skipped: set[tuple[int, int]] = set()
    gone: list[Place] = []
    remarks: list[str] = []
    compared = 0
    for task in record.tasks:
        task_jobs = [job for job in jobs if job.task_id == task.id]
        if not task_jobs:
            continue
        progress(compared / len(jobs), f"Compared {compared:,} of {len(jobs):,} jobs")
        begun, compared = compared, compared + len(task_jobs)
        of_this = part_of(progress, begun / len(jobs), compared / len(jobs))
        of_task = [job for job in listed if job.task_id == task.id]
        shapes, differing = shapes_of(task, task_jobs, of_task, choice, client)
        if differing:
            remarks.append(_differing(task, differing))
        names = _names(record, task, task_jobs[0], shapes, client)
        pulled = read_shapes(shapes, names)
        remarks += pulled.remarks
        job_of = {frame: job for job in task_jobs for frame in own_frames(task, job)}
        spans = [(own.start, own.stop - 1) for own in (own_frames(task, job) for job in task_jobs)]
        sent = list(load_frames(record.id, task.id, spans))
        pulled = followed(dataset, record, pulled, sent)
        skipped |= {(task.id, frame.frame) for frame in sent if not choice.takes_frame(frame)}
        sent = [frame for frame in sent if choice.takes_frame(frame)]
        reasons = {
            frame.place: pulled.unreadable[frame.frame]
            for frame in sent
            if frame.frame in pulled.unreadable
        }
        places = [frame.place for frame in sent]
        labels = storage.read_labels(dataset, places, record.kinds, reasons)
        gone += [place for place in places if place not in labels and place not in reasons]
        for number, frame in enumerate(sent):
            if number and number % _IMAGES_PER_REPORT == 0:
                of_this(number / len(sent), f"Compared {number:,} of {len(sent):,} images")
            if frame.place in reasons or frame.place not in labels:
                continue
            try:
                frames.append(
                    review_frame(
                        job_of[frame.frame],
                        frame,
                        pulled.at(frame),
                        labels[frame.place],
                        record.schemas[frame.place.field],
                    )
                )
            except MalformedLabel as error:
                reasons[frame.place] = str(error)
        unreadable += [
            UnreadableImage(frame, reasons[frame.place])
            for frame in sent
            if frame.place in reasons
        ]
    surplus = sum(frame.diff.surplus for frame in frames)
    if surplus:
        remarks.append(
            f"{surplus} labels were drawn beside another where a field holds one label of an "
            "image; they stay in CVAT."
        )
    return Review(
        key=record.key,
        jobs=tuple(jobs),
        frames=tuple(frames),
        skipped=frozenset(skipped),
        samples_gone=tuple(samples_of(gone)),
        tasks_gone=_tasks_gone(record, listed),
        remarks=tuple(remarks),
        unreadable=tuple(unreadable),
        listed=tuple(listed),
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
