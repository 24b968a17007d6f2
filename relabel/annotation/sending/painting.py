"""Draws the labels of a task in CVAT, and records them as the baseline."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from ...cvat import JobType
from ..comparing.drawing import draw_images, shape_ids, to_shapes
from ..comparing.naming import TaskNames
from ..comparing.placing import images_of, shared_images
from ..dataset.starting import find_starts
from ..errors import RoundError
from ..progress import silent
from ..record.baseline import SentFrame, SentLabel, forget_frames, save_frames
from ..record.round import TaskStep
from .canvas import Canvas

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import fiftyone as fo

    from ...cvat import CvatClient, Job, Shape
    from ...labels import Drawn, LabelKind
    from ..comparing.placing import Placed
    from ..progress import Progress
    from ..record.baseline import Start
    from ..record.round import Round, SentTask

    LabelsOfImages: TypeAlias = dict[str, list[dict[str, Drawn]]]
    """Field -> the labels of each of some images, by their ids."""

_IMAGES_AT_ONCE = 500  # what is held in memory does not grow with the round


@dataclass(frozen=True)
class _Drawing:
    """What was drawn on some images.

    Args:
        items: the images
        labels: what was drawn
        starts: label id -> what it starts from, of those that are not in FiftyOne yet
        put: the shapes that will come back
    """

    items: Sequence[Placed]
    labels: LabelsOfImages
    starts: Mapping[str, Start]
    put: Sequence[Shape]

    def values(self, kinds: Mapping[str, LabelKind]) -> dict[tuple[int, str], str]:
        """Frame and field -> the id of the label, of fields whose shapes carry none."""
        return {
            (item.frame, field): label_id
            for field, of_images in self.labels.items()
            if not kinds[field].carries_id
            for item, labels in zip(self.items, of_images, strict=True)
            for label_id in labels
        }


@dataclass(frozen=True)
class Painter:
    """Draws the labels of a round's tasks.

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

    def draw(
        self,
        task: SentTask,
        placed: Sequence[Placed],
        jobs: Sequence[Job],
        progress: Progress = silent,
    ) -> SentTask:
        """Draws the labels of a task in all its jobs.

        Replicas and ground-truth jobs begin with the labels too, but are no baseline.

        Args:
            task: the task
            placed: the images on its frames
            jobs: its jobs of every type, in the order of their frames
            progress: hears of how many of the images the labels are drawn

        Returns:
            the task as it is then
        """
        annotation = [job for job in jobs if job.type == JobType.ANNOTATION]
        last = max((job.stop_frame for job in annotation), default=-1)
        in_jobs = [item for item in placed if item.frame <= last]
        labels = tuple(self.client.task_labels(task.id))
        names = TaskNames(self.record.fields, labels)
        forget_frames(self.record.id, task.id)
        canvas = Canvas.of_task(self.client, task.id, resumed=self.resumed)
        done, count = 0, len(in_jobs)
        for drawing in self._draw_on(canvas, in_jobs, names):
            ids = shape_ids(drawing.put, names, drawing.values(self.record.kinds))
            save_frames(self.record.id, _baseline(task.id, drawing, ids))
            done += len(drawing.items)
            progress(done / count, f"Sent the labels of {done:,} of {count:,} images")
        for job in jobs:
            if job.type != JobType.ANNOTATION:
                canvas = Canvas.of_job(self.client, job.id, resumed=self.resumed)
                for _ in self._draw_on(canvas, images_of(job, placed), names):
                    pass
        return replace(
            task,
            labels=labels,
            jobs=tuple(job.id for job in annotation),
            step=TaskStep.DRAWN,
            overlap=shared_images(annotation),
            honeypots=tuple(item.frame for item in in_jobs if not item.result),
            pool=len(placed) - len(in_jobs),
        )

    def _draw_on(
        self, canvas: Canvas, items: Sequence[Placed], names: TaskNames
    ) -> Iterator[_Drawing]:
        """Draws the labels of images, some images at a time."""
        groups = itertools.count(1)
        remaining = iter(items)
        while some := list(itertools.islice(remaining, _IMAGES_AT_ONCE)):
            images = [item.image for item in some]
            starts = {
                field.name: find_starts(self.dataset, self.record.id, field, images)
                for field in self.record.fields
            }
            drawn = {
                field.name: draw_images(self.dataset, field, images, starts[field.name])
                for field in self.record.fields
            }
            frames = [item.frame for item in some]
            put = canvas.draw(
                [
                    shape
                    for field, labels_of in drawn.items()
                    for shape in to_shapes(labels_of, names.of_field(field), frames, groups)
                ]
            )
            results = {item.frame for item in some if item.result}
            begun = {
                start_id: start
                for field in starts.values()
                for of_image in field
                for start_id, start in of_image.items()
            }
            yield _Drawing(some, drawn, begun, [shape for shape in put if shape.frame in results])


def _baseline(task_id: int, drawing: _Drawing, ids: dict[str, int]) -> list[SentFrame]:
    """The baseline of some images.

    Args:
        task_id: the task
        drawing: what was drawn on them
        ids: label id -> the id that it got in CVAT
    """
    kept = [
        (field, item, labels)
        for field, of_images in drawing.labels.items()
        for item, labels in zip(drawing.items, of_images, strict=True)
        if item.result
    ]
    sent = [label_id for _, _, labels in kept for label_id in labels]
    missing = sum(label_id not in ids for label_id in sent)
    if missing:
        raise RoundError(f"CVAT did not keep {missing} of {len(sent)} labels.")
    return [
        SentFrame(
            task_id=task_id,
            frame=item.frame,
            place=item.image.place(field),
            size=item.image.size,
            labels=tuple(
                SentLabel(label_id, ids[label_id], label, start=drawing.starts.get(label_id))
                for label_id, label in labels.items()
            ),
        )
        for field, item, labels in kept
    ]
