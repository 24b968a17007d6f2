"""What a pull would change."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..record.places import Place, samples_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ...cvat import Job
    from ...labels import Drawn
    from ..comparing.diff import Change, FrameDiff
    from ..comparing.pulled_shape import PulledShape
    from ..dataset.storage import Labels
    from ..record.baseline import SentFrame

CONFLICT = "conflict"
_NAMED = 10


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
