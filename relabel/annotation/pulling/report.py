"""What a pull did, and what is still to follow those before it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..record.places import Place, samples_of
from .finishing import finished_earlier, samples_of_jobs
from .review import Review, count

if TYPE_CHECKING:
    from collections.abc import Sequence

    import fiftyone as fo

    from ...cvat import Job
    from ..record.round import Round, Unlisted
    from .merge import MergedFrame

_CONFLICT = "conflict"


@dataclass(frozen=True)
class CaughtUp:
    """A pull that nothing has followed yet.

    Args:
        pull: what it cost
        sample_ids: the samples of the jobs that it took, changed or not
    """

    pull: Unlisted
    sample_ids: tuple[str, ...]


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
        finished: the samples that annotators are done with, changed or not
        newly: those of them that no pull before has brought back as they are in CVAT now
        owed: whether before it something had been pulled or taken back without that it was noted
            that all was done that follows, see :func:`note_followed`
        earlier: if so, the samples that annotators were done with in the pulls before
        caught_up: if so, these pulls, but for those that were taken back
        number: the number of the pull, 0 if there is nothing of it to undo
        id: tells it from every other pull; empty if nothing follows it
    """

    key: str
    counts: dict[str, int]
    sample_ids: tuple[str, ...]
    jobs: int
    problems: tuple[str, ...] = ()
    finished: tuple[str, ...] = ()
    newly: tuple[str, ...] = ()
    owed: bool = False
    earlier: tuple[str, ...] = ()
    caught_up: tuple[CaughtUp, ...] = ()
    number: int = 0
    id: str = ""

    @property
    def latest(self) -> int:
        """The number of the last pull that can be undone: this one, or one that it catches up."""
        return self.number or max((one.pull.number for one in self.caught_up), default=0)

    @property
    def changed(self) -> int:
        """How many labels were changed in FiftyOne."""
        return sum(number for kind, number in self.counts.items() if kind != _CONFLICT)


def with_owed(
    report: PullReport, dataset: fo.Dataset, record: Round, listed: Sequence[Job]
) -> PullReport:
    """Says of the pulls before what is still to follow, if there is anything."""
    if not record.unfollowed and not record.unlisted:
        return report
    earlier = tuple(finished_earlier(dataset, record, listed))
    caught_up = []
    for one in record.unlisted:
        jobs = [job for job in listed if job.id in one.jobs]
        caught_up.append(CaughtUp(one, tuple(samples_of_jobs(record, jobs))))
    return replace(report, owed=True, earlier=earlier, caught_up=tuple(caught_up))


def report_of(review: Review, merged: Sequence[MergedFrame], lost: set[Place]) -> PullReport:
    """Says what a pull did.

    Args:
        review: what was found
        merged: the outcomes of its merges
        lost: the places whose labels were left as they are, as somebody was editing them
    """
    done = [frame for frame in merged if frame.place not in lost]
    applied = (change for frame in done for change in frame.applied)
    conflicts = (c for frame in merged for c in (*frame.left, *frame.overruled) if c.conflict)
    return PullReport(
        key=review.key,
        counts=count(applied, settled=True) | count(conflicts),
        sample_ids=tuple(samples_of(frame.place for frame in done if frame.applied)),
        jobs=len(review.jobs),
        problems=_problems(review, merged, lost),
    )


def _problems(review: Review, merged: Sequence[MergedFrame], lost: set[Place]) -> tuple[str, ...]:
    problems = [problem for frame in merged for problem in frame.problems]
    if lost:
        problems.append(
            f"{len(samples_of(lost))} images were edited in FiftyOne at the same moment and were "
            "left as they are. Pull again."
        )
    return (*problems, *review.problems)
