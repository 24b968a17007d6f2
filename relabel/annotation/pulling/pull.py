"""Merges what annotators did into the dataset: all of a pull, or nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bson import ObjectId

from ...cvat import JobState
from ..comparing.choice import FINISHED, Choice, job_version, jobs_to_pull, left_out
from ..dataset import storage
from ..dataset.facts import label_path
from ..dataset.tags import IN_ANNOTATION, samples_tagged, tag_pulled
from ..progress import part_of, silent
from ..record.baseline import replace_frames
from ..record.following import expect_following
from ..record.round import Pull, Round, Unlisted
from ..record.rounds import holding, load_round, save_round
from ..stock.adoption import find_round
from ..stock.new_values import with_types
from ..stock.stock import note_labels
from .collector import collector_paused
from .comparison import compare, list_jobs, review_frame, with_classes
from .finishing import (
    finished_newly,
    finished_samples,
    what_is_left_open,
)
from .merge import ConflictPolicy, MergedFrame, merge_frame
from .provenance import declare_provenance, stamped
from .report import PullReport, report_of, with_owed
from .undo import (
    UndoWriter,
    forget_old_pulls,
    take_back_torn_pull,
    update_undo,
    without_torn_pull,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    import fiftyone as fo

    from ...cvat import CvatClient, Job
    from ..progress import Progress
    from ..record.places import Place
    from .review import Review, ReviewedFrame

_ATTEMPTS = 3


@dataclass(frozen=True)
class _Terms:
    """How changes are merged; see :func:`pull`."""

    policy: ConflictPolicy
    leave_out: Collection[str]
    provenance: bool


@collector_paused()
def pull(
    dataset: fo.Dataset,
    key: str,
    client: CvatClient,
    choice: Choice = FINISHED,
    *,
    policy: ConflictPolicy = ConflictPolicy.SKIP,
    leave_out: Collection[str] = (),
    provenance: bool = False,
    progress: Progress = silent,
    before_writing: Callable[[], None] = lambda: None,
) -> PullReport:
    """Merges what annotators did into the dataset.

    Only labels that were changed are written, and only where they are still as they were read: an
    edit made in FiftyOne meanwhile becomes a conflict. :func:`undo_pull` takes a pull back. One
    that is interrupted is taken back by the next call that looks at the round.

    If no job has changed since it was last pulled, this is one request and no write.

    Args:
        dataset: the dataset
        key: the round
        client: the server that has it
        choice: which jobs and samples are pulled
        policy: what becomes of labels that were changed in FiftyOne as well
        leave_out: the ids of samples and the references of changes (see
            :func:`change_reference`) that stay open, and are shown again at the next pull
        provenance: whether changed labels get the attributes :data:`PROVENANCE`, which say where
            the change comes from
        progress: hears how far it is; if it raises, nothing has been written. It is silent while
            labels are written
        before_writing: called once, right before anything is written; may raise to cancel

    Raises:
        UnknownRound: if there is no such round
        RoundBusy: if somebody else is pulling it
        TooLargeToUndo, TooLargeToKeep: if what it changes of an image cannot be kept; nothing is
            changed then
        CvatError: if the server cannot be asked; nothing has been changed then
    """
    record = take_back_torn_pull(dataset, find_round(dataset, key))
    listed = list_jobs(record, client)
    if not jobs_to_pull(record.pulled, listed, choice):
        report = report_of(compare(dataset, record, client, listed, choice), [], set())
        return with_owed(report, dataset, record, listed)
    with holding(record):
        record = without_torn_pull(dataset, load_round(dataset, key))
        record = with_types(dataset, with_classes(record, listed, client), listed, client)
        terms = _Terms(policy, leave_out, provenance)
        found = _look(
            dataset,
            record,
            client,
            listed,
            choice=choice,
            terms=terms,
            progress=progress,
            before_writing=before_writing,
        )
        report = _write(dataset, record, found, terms)
    return with_owed(report, dataset, record, listed)


def report_owed(dataset: fo.Dataset, key: str, client: CvatClient) -> PullReport:
    """What is still to follow the pulls of a round, as the report of one that brings nothing new.

    Args:
        dataset: the dataset
        key: the round
        client: the server that has it

    Raises:
        UnknownRound: if there is no such round
        CvatError: if the server cannot be asked
    """
    record = take_back_torn_pull(dataset, find_round(dataset, key))
    return with_owed(PullReport(key, {}, (), 0), dataset, record, list_jobs(record, client))


@dataclass(frozen=True)
class _Found:
    """What a pull is about to write.

    Args:
        number: the number of the pull; under it is kept what it overwrites
        review: what was found
        merged: place -> the outcome of its merge
        open_frames: the frames that it leaves open, as pairs of task and number
        finished: the samples that annotators are done with
        changes: whether it changes labels or tags, so that there is something to undo
    """

    number: int
    review: Review
    merged: dict[Place, MergedFrame]
    open_frames: set[tuple[int, int]]
    finished: list[str]
    changes: bool


def _look(
    dataset: fo.Dataset,
    record: Round,
    client: CvatClient,
    listed: Sequence[Job],
    *,
    choice: Choice,
    terms: _Terms,
    progress: Progress,
    before_writing: Callable[[], None],
) -> _Found:
    """Merges what annotators did, in memory, and saves meanwhile what that would overwrite."""
    number = record.pulls[-1].number + 1 if record.pulls else 1
    merged: dict[Place, MergedFrame] = {}
    with UndoWriter(dataset, record.id, number) as undo:

        def merge(frames: Sequence[ReviewedFrame]) -> None:
            of_task = [_merge(frame, record, terms) for frame in frames]
            merged.update((frame.place, frame) for frame in of_task)
            undo.keep([frame for frame in of_task if frame.is_settled])

        comparing = part_of(progress, 0, 0.5)
        review = compare(dataset, record, client, listed, choice, progress=comparing, take=merge)
        changed = sum(bool(frame.applied) for frame in merged.values())
        progress(0.5, f"Writing the labels of {changed:,} images")
        open_frames = _open_frames(review, merged, lost=())
        finished = finished_samples(dataset, record, review, open_frames)
        tagged = samples_tagged(dataset, finished, IN_ANNOTATION)
        undo.finish(tagged)
        before_writing()  # what was saved goes if it raises
    changes = bool(tagged) or any(frame.is_settled for frame in merged.values())
    return _Found(number, review, merged, open_frames, finished, changes)


def _merge(frame: ReviewedFrame, record: Round, terms: _Terms) -> MergedFrame:
    changes = frame.diff.changes
    merged = merge_frame(
        frame.documents,
        frame.diff,
        frame.present,
        record.schemas[frame.place.field],
        terms.policy,
        leave_out=left_out(frame.sample_id, changes, terms.leave_out),
    )
    has_attributes = record.kinds[frame.place.field].put_together is None
    return (
        stamped(merged, frame.job, record.key) if terms.provenance and has_attributes else merged
    )


def _write(dataset: fo.Dataset, record: Round, found: _Found, terms: _Terms) -> PullReport:
    """Writes a merge.

    What is overwritten has been saved. First it is noted that a pull is being written; see
    :func:`revert`.
    """
    review, merged = found.review, found.merged
    open_frames, finished = found.open_frames, found.finished
    expect_following(record.id)
    lost: set[Place] = set()
    if found.changes:
        before = {job.id: record.pulled.get(job.id) for job in review.jobs}
        begun = Pull(found.number, datetime.now(UTC), before)
        record = replace(record, pulls=(*record.pulls, begun), unfollowed=record.unfollowed + 1)
        save_round(record)
        lost = _write_labels(dataset, record, review, merged, terms)
        if terms.provenance:
            for field, kind in record.kinds.items():
                if kind.put_together is None:  # else there is no label to hold attributes
                    declare_provenance(dataset, label_path(field, kind))
    kept = [frame for place, frame in merged.items() if place not in lost]
    replace_frames(record.id, (f.baseline for f in kept if f.baseline != f.sent))
    note_labels(dataset, record, [f.baseline for f in kept if f.has_other_labels])
    still_open = _open_frames(review, merged, lost)
    if still_open != open_frames:  # labels were edited while they were being written
        open_frames = still_open
        finished = finished_samples(dataset, record, review, open_frames)
    tag_pulled(dataset, finished)
    report = report_of(review, list(merged.values()), lost)
    newly = finished_newly(dataset, record, review, finished)
    report = replace(report, finished=tuple(finished), newly=tuple(newly))
    if found.changes:
        report = replace(report, number=found.number)
    elif newly:  # that they were right is something as well
        record = replace(record, unfollowed=record.unfollowed + 1)
    if found.changes or newly:
        jobs = tuple(job.id for job in review.jobs)
        cost = Unlisted(str(ObjectId()), report.number, jobs, report.changed, len(newly))
        report = replace(report, id=cost.id)
        record = replace(record, unlisted=(*record.unlisted, cost))
    _close(record, review.jobs, open_frames)
    if found.changes:
        forget_old_pulls(dataset)
    return report


def _write_labels(
    dataset: fo.Dataset,
    record: Round,
    review: Review,
    merged: dict[Place, MergedFrame],
    terms: _Terms,
) -> set[Place]:
    """Writes labels. Where they were edited meanwhile, looks again and merges anew.

    Args:
        dataset: the dataset
        record: the round
        review: what was found
        merged: place -> the outcome of its merge, which is brought up to date
        terms: how changes are merged

    Returns:
        the places whose labels were edited again and again, and which were left as they are
    """
    reviewed = {frame.place: frame for frame in review.frames}
    remaining = {place for place, frame in merged.items() if frame.applied}
    for attempt in range(_ATTEMPTS):
        if attempt:
            present = storage.read_labels(dataset, remaining, record.kinds)
            again = []
            for place in remaining & present.keys():
                old = reviewed[place]
                schema = record.schemas[place.field]
                frame = review_frame(old.job, old.diff.frame, old.shapes, present[place], schema)
                merged[place] = _merge(frame, record, terms)
                again.append(merged[place])
            update_undo(record.id, record.pulls[-1].number, again)
        changes = {place: (merged[place].before, merged[place].after) for place in remaining}
        remaining = storage.write_labels(dataset, changes, record.kinds)
        if not remaining:
            break
    return remaining


def _open_frames(
    review: Review, merged: dict[Place, MergedFrame], lost: Collection[Place]
) -> set[tuple[int, int]]:
    """The frames that a pull leaves open, as pairs of task and number."""
    left = {
        (frame.sent.task_id, frame.sent.frame)
        for place, frame in merged.items()
        if frame.left or place in lost
    }
    return left | review.open_frames


def _close(record: Round, jobs: Sequence[Job], open_frames: set[tuple[int, int]]) -> None:
    """Marks a pull as done. Jobs that left something open are to be looked at again."""
    settled = {
        job.id: job_version(job)
        for job in jobs
        if not any(
            (job.task_id, frame) in open_frames
            for frame in range(job.start_frame, job.stop_frame + 1)
        )
    }
    left_open = dict(record.left_open)
    for job in jobs:
        left_open.pop(job.id, None)
        if job.state == JobState.COMPLETED and job.id not in settled:
            left_open[job.id] = what_is_left_open(record, job, open_frames)
    pulls = tuple(replace(pull_record, writing=False) for pull_record in record.pulls)
    save_round(
        replace(
            record,
            pulled={**record.pulled, **settled},
            left_open=left_open,
            pulls=pulls,
        )
    )
