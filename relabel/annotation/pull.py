"""Fetches what annotators did, shows what it would change, and merges it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..cvat import JobState
from ..labels.schema import ServerNames
from . import storage
from .baseline import load_frames, replace_frames
from .diff import Change, FrameDiff, PulledShape, diff_frame
from .drawing import draw_labels, read_shapes
from .errors import RoundError
from .merge import ConflictPolicy, MergedFrame, merge_frame
from .rounds import Pull, Round, holding, load_round, save_round
from .undo import PULLS_KEPT, forget_undo, revert, save_undo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import fiftyone as fo

    from ..cvat import CvatClient, Job, Shape
    from ..labels import Drawn, LabelSchema
    from .baseline import SentFrame
    from .rounds import SentTask

CONFLICT = "conflict"


@dataclass(frozen=True)
class ReviewedFrame:
    """One image of a review.

    Args:
        diff: what CVAT changed on it
        documents: its labels in FiftyOne as MongoDB holds them, or None for an empty field
        present: label id -> how CVAT would draw the label as FiftyOne has it now
    """

    diff: FrameDiff
    documents: Sequence[Mapping[str, Any]] | None
    present: Mapping[str, Drawn]


@dataclass(frozen=True)
class Review:
    """What a pull would change. Nothing has been changed yet.

    Args:
        key: the round
        jobs: the jobs that would be pulled
        frames: the images of those jobs that are still in the dataset
        samples_gone: the samples that are not
        not_boxes: shapes of kinds that this field cannot hold, which stay in CVAT only
    """

    key: str
    jobs: tuple[Job, ...]
    frames: tuple[ReviewedFrame, ...]
    samples_gone: tuple[str, ...] = ()
    not_boxes: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """How many labels were added, removed, moved, ..., and how many are in conflict."""
        return count(change for frame in self.frames for change in frame.diff.changes)

    @property
    def sample_ids(self) -> dict[str, list[str]]:
        """The same kinds -> the samples behind each."""
        found: dict[str, list[str]] = defaultdict(list)
        for frame in self.frames:
            for kind in count(frame.diff.changes):
                found[kind].append(frame.diff.frame.sample_id)
        return dict(found)

    @property
    def unchanged(self) -> int:
        """How many labels are in CVAT as they were sent."""
        sent = sum(len(frame.diff.frame.labels) for frame in self.frames)
        changes = (change for frame in self.frames for change in frame.diff.changes)
        return sent - sum(change.label_id is not None for change in changes)


@dataclass(frozen=True)
class PullReport:
    """What a pull did.

    Args:
        key: the round
        counts: how many labels were added, removed, moved, ... in FiftyOne; ``conflict`` counts
            those that were left as they are
        sample_ids: the samples that were changed
        jobs: how many jobs were pulled
        problems: what could not be taken over, and why
    """

    key: str
    counts: dict[str, int]
    sample_ids: tuple[str, ...]
    jobs: int
    problems: tuple[str, ...] = ()


def count(changes: Iterable[Change]) -> dict[str, int]:
    """Counts changes by kind. A conflict counts as that alone."""
    counts: Counter[str] = Counter()
    for change in changes:
        counts.update([CONFLICT] if change.conflict else [kind.value for kind in change.kinds])
    return dict(counts)


def review_pull(
    dataset: fo.Dataset, key: str, client: CvatClient, *, finished_only: bool = True
) -> Review:
    """Shows what a pull would change, without changing anything.

    Jobs that did not change since they were last pulled are not fetched again.

    Args:
        dataset: the dataset
        key: the round
        client: the server that has it
        finished_only: whether jobs that are not completed are left out

    Raises:
        UnknownRound: if there is no such round
        CvatError: if the server cannot be asked
    """
    return _review(dataset, load_round(dataset, key), client, finished_only=finished_only)


def pull(
    dataset: fo.Dataset,
    key: str,
    client: CvatClient,
    *,
    finished_only: bool = True,
    policy: ConflictPolicy = ConflictPolicy.SKIP,
) -> PullReport:
    """Merges what annotators did into the dataset.

    Only labels that were changed are written, and only where the image's labels are still as they
    were read. :func:`undo_pull` takes it back.

    Args:
        dataset: the dataset
        key: the round
        client: the server that has it
        finished_only: whether jobs that are not completed are left out
        policy: what becomes of labels that were changed in FiftyOne as well

    Raises:
        UnknownRound: if there is no such round
        RoundBusy: if somebody else is pulling it
        CvatError: if the server cannot be asked; nothing has been changed then
    """
    with holding(load_round(dataset, key)):
        record = _without_torn_pull(dataset, load_round(dataset, key))
        review = _review(dataset, record, client, finished_only=finished_only)
        merged = [
            merge_frame(frame.documents, frame.diff, frame.present, record.schema, policy)
            for frame in review.frames
        ]
        lost = _write(dataset, record, review.jobs, merged)
    done = [frame for frame in merged if frame.sample_id not in lost]
    applied = (replace(change, conflict=False) for frame in done for change in frame.applied)
    conflicts = (c for frame in merged for c in (*frame.left, *frame.overruled) if c.conflict)
    return PullReport(
        key=key,
        counts=count(applied) | count(conflicts),
        sample_ids=tuple(frame.sample_id for frame in done if frame.applied),
        jobs=len(review.jobs),
        problems=_problems(review, merged, lost),
    )


def job_version(job: Job) -> str:
    """What tells one state of a job from the next."""
    return job.updated_at.isoformat()


def jobs_to_pull(record: Round, jobs: Iterable[Job], *, finished_only: bool = True) -> list[Job]:
    """The jobs that have something new for us."""
    return [
        job
        for job in jobs
        if (job.state == JobState.COMPLETED or not finished_only)
        and record.pulled.get(job.id) != job_version(job)
    ]


def check_server(record: Round, client: CvatClient) -> None:
    """Holds that a round is on the server that we are connected to.

    Raises:
        RoundError: if it is on another one
    """
    if record.url != client.server.url:
        raise RoundError(
            f"The round {record.key!r} is on {record.url}, but we are connected to "
            f"{client.server.url}.",
            "Set FIFTYONE_CVAT_URL to its address.",
        )


def _review(
    dataset: fo.Dataset, record: Round, client: CvatClient, *, finished_only: bool
) -> Review:
    check_server(record, client)
    listed = client.jobs(task.id for task in record.tasks)
    jobs = jobs_to_pull(record, listed, finished_only=finished_only)
    frames: list[ReviewedFrame] = []
    gone: list[str] = []
    not_boxes = 0
    for task in record.tasks:
        task_jobs = [job for job in jobs if job.task_id == task.id]
        if not task_jobs:
            continue
        shapes = client.annotations_of(task_jobs)
        names = _names(task, task_jobs[0], shapes, client)
        by_frame, others = read_shapes(shapes, names, record.schema)
        not_boxes += others
        spans = [(job.start_frame, job.stop_frame) for job in task_jobs]
        sent = list(load_frames(record.id, task.id, spans))
        labels = storage.read_labels(
            dataset, record.label_field, [frame.sample_id for frame in sent]
        )
        gone += [frame.sample_id for frame in sent if frame.sample_id not in labels]
        frames += [
            _review_frame(
                frame, by_frame.get(frame.frame, ()), labels[frame.sample_id], record.schema
            )
            for frame in sent
            if frame.sample_id in labels
        ]
    return Review(record.key, tuple(jobs), tuple(frames), tuple(gone), not_boxes)


def _review_frame(
    frame: SentFrame,
    shapes: Sequence[PulledShape],
    documents: Sequence[Mapping[str, Any]] | None,
    schema: LabelSchema,
) -> ReviewedFrame:
    present = draw_labels(documents, frame.size, schema)
    return ReviewedFrame(diff_frame(frame, shapes, present), documents, present)


def _names(task: SentTask, job: Job, shapes: Iterable[Shape], client: CvatClient) -> ServerNames:
    """The names of the classes as they were sent, whatever they were renamed to since.

    Classes that were added in CVAT are asked for only when a shape has one.
    """
    names = ServerNames(task.labels)
    if all(names.knows(shape) for shape in shapes):
        return names
    return ServerNames((*client.job_labels(job.id), *task.labels))


def _write(
    dataset: fo.Dataset, record: Round, jobs: Sequence[Job], merged: Sequence[MergedFrame]
) -> set[str]:
    """Writes a merge; returns the samples whose labels were edited while we were at it."""
    changed = [frame for frame in merged if frame.applied]
    if changed:
        number = record.pulls[-1].number + 1 if record.pulls else 1
        before = {job.id: record.pulled.get(job.id) for job in jobs}
        save_undo(record.id, number, changed)
        record = replace(record, pulls=(*record.pulls, Pull(number, datetime.now(UTC), before)))
        save_round(record)
    lost = storage.write_labels(
        dataset,
        record.label_field,
        {frame.sample_id: (frame.before, frame.after) for frame in changed},
    )
    kept = [frame for frame in merged if frame.sample_id not in lost]
    replace_frames(record.id, (f.baseline for f in kept if f.baseline != f.sent))
    open_frames = {f.sent.frame for f in merged if f.left or f.sample_id in lost}
    _close(record, jobs, open_frames)
    return lost


def _close(record: Round, jobs: Sequence[Job], open_frames: set[int]) -> None:
    """Marks a pull as done. Jobs that left something open are to be looked at again."""
    settled = {
        job.id: job_version(job)
        for job in jobs
        if not any(job.start_frame <= frame <= job.stop_frame for frame in open_frames)
    }
    pulls = tuple(replace(pull_record, writing=False) for pull_record in record.pulls)
    for old in pulls[:-PULLS_KEPT]:
        forget_undo(record.id, old.number)
    save_round(replace(record, pulled={**record.pulled, **settled}, pulls=pulls[-PULLS_KEPT:]))


def _without_torn_pull(dataset: fo.Dataset, record: Round) -> Round:
    """Takes back a pull that a crash left half written."""
    if record.pulls and record.pulls[-1].writing:
        revert(dataset, record)
        return load_round(dataset, record.key)
    return record


def _problems(review: Review, merged: Sequence[MergedFrame], lost: set[str]) -> tuple[str, ...]:
    problems = [problem for frame in merged for problem in frame.problems]
    if lost:
        problems.append(
            f"{len(lost)} images were edited in FiftyOne at the same moment and were left as they "
            "are. Pull again."
        )
    if review.samples_gone:
        problems.append(f"{len(review.samples_gone)} images are no longer in the dataset.")
    if review.not_boxes:
        problems.append(f"{review.not_boxes} shapes in CVAT are no boxes; they stay in CVAT only.")
    return tuple(problems)
