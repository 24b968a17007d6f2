"""Draws the labels of a video in CVAT, and records them as the baseline of its frames."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from ...cvat import Annotations
from ...labels.tracks import FrameShape, build_tracks
from ..comparing.diff import match_shapes
from ..comparing.drawing import draw_images, read_shapes
from ..comparing.following import follow
from ..comparing.naming import TaskNames
from ..comparing.parts import join_parts
from ..comparing.placing import shared_images
from ..dataset.starting import find_starts
from ..dataset.videos import frames_of
from ..errors import RoundError
from ..record.baseline import SentFrame, SentLabel, forget_frames, save_frames
from ..record.round import TaskStep

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    import fiftyone as fo

    from ...cvat import CvatClient, Job, Shape
    from ..comparing.drawing import PulledShapes
    from ..dataset.media import RoundImage
    from ..record.round import Round, SentTask

_TRIES = 3


@dataclass(frozen=True)
class VideoPainter:
    """Draws the labels of a round's videos; see :class:`.painting.Painter`.

    Args:
        dataset: the dataset
        client: the server
        record: the round
        resumed: whether an earlier push may have drawn them, and may still be at it
    """

    dataset: fo.Dataset
    client: CvatClient
    record: Round
    resumed: bool

    def draw(self, task: SentTask, video: RoundImage, jobs: Sequence[Job]) -> SentTask:
        """Draws the labels of a video.

        Args:
            task: its task
            video: the video
            jobs: the jobs of the task, in the order of their frames

        Returns:
            the task as it is then
        """
        last = max(job.stop_frame for job in jobs)
        labels = tuple(self.client.task_labels(task.id))
        names = TaskNames(self.record.fields, labels)
        span = self.record.request.span if self.record.request else None
        assert span is not None  # noqa: S101 - a round that is being sent has its request
        frames = self._frames(task.id, frames_of(video, span, last + 1))
        borders = {frame for job in jobs for frame in (job.start_frame, job.stop_frame)}
        put = self._put(task.id, _annotations(frames, names, borders, last), last)
        forget_frames(self.record.id, task.id)
        shared = {
            frame
            for one, other in pairwise(jobs)
            for frame in range(other.start_frame, one.stop_frame + 1)
        }
        save_frames(self.record.id, _with_ids(frames, read_shapes(put, names), shared))
        return replace(
            task,
            images=last + 1,
            labels=labels,
            jobs=tuple(job.id for job in jobs),
            step=TaskStep.DRAWN,
            overlap=shared_images(jobs),
        )

    def _frames(self, task_id: int, images: Sequence[RoundImage]) -> list[SentFrame]:
        """The baseline of the frames; nothing of it has an id in CVAT yet."""
        frames = []
        for field in self.record.fields:
            starts = find_starts(self.dataset, self.record.id, field, images)
            labels = draw_images(self.dataset, field, images, starts)
            frames += [
                SentFrame(
                    task_id=task_id,
                    frame=number,
                    place=image.place(field.name),
                    size=image.size,
                    labels=tuple(
                        SentLabel(label_id, 0, label, start=start.get(label_id))
                        for label_id, label in drawn.items()
                    ),
                )
                for number, (image, drawn, start) in enumerate(
                    zip(images, labels, starts, strict=True)
                )
            ]
        return frames

    def _put(self, task_id: int, annotations: Annotations, last: int) -> list[Shape]:
        """Draws; returns what is to be seen then on each frame.

        Raises:
            RoundError: if somebody else draws there at the same time
        """
        every = [(0, last)]
        if not (annotations.shapes or annotations.tracks or self.resumed):
            return []
        for _ in range(_TRIES):
            put = self.client.put_task_annotations(task_id, annotations).on_frames(every)
            if not self.resumed:
                return put
            # What was interrupted may have been stored meanwhile, beside what is put now.
            if len(self.client.task_annotations(task_id).on_frames(every)) == len(put):
                return put
        raise RoundError(
            f"Somebody draws in task {task_id} while it is being sent.",
            "Send it again when nobody does.",
        )


def _annotations(
    frames: Sequence[SentFrame], names: TaskNames, borders: set[int], last: int
) -> Annotations:
    """What is drawn for the labels of a video: tracks, and shapes of single frames."""
    groups = itertools.count(1)
    single: list[Shape] = []
    followed: list[FrameShape] = []
    carriers: set[int] = set()
    for frame in frames:
        own = names.of_field(frame.place.field)
        carriers |= own.carriers
        for label in frame.labels:
            drawn = label.drawn
            group = next(groups) if drawn.more else 0
            shapes = own.shapes(drawn, label.id, frame.frame, group)
            if drawn.index is None:
                single += shapes
            else:
                keyframe = drawn.keyframe is not False
                followed += (FrameShape(drawn.index, shape, keyframe) for shape in shapes)
    return Annotations(tuple(single), tuple(build_tracks(followed, borders, last, carriers)))


def _with_ids(
    frames: Sequence[SentFrame], pulled: PulledShapes, shared: Container[int]
) -> list[SentFrame]:
    """The baseline with the ids that the labels got in CVAT.

    Args:
        frames: the baseline without them
        pulled: what was drawn
        shared: the frames that two jobs share, in each of which it was drawn
    """
    seen = follow(pulled, frames, {}, shared)
    found = []
    for frame in frames:
        shapes = join_parts(seen.at(frame), {label.id: label.drawn for label in frame.labels})
        matched, _ = match_shapes(frame.labels, shapes)
        missing = len(frame.labels) - len(matched)
        if missing:
            raise RoundError(f"CVAT did not keep {missing} labels of frame {frame.frame}.")
        labels = (label._replace(shape_id=matched[label.id].shape_id) for label in frame.labels)
        found.append(replace(frame, labels=tuple(labels)))
    return found
