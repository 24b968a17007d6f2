"""Sends a round to CVAT: all of it, or nothing."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime
from itertools import cycle
from typing import TYPE_CHECKING, Protocol

from ..cvat import CvatDataRejected, CvatError
from ..labels.schema import ServerNames
from .baseline import SentFrame, SentLabel, save_frames
from .drawing import draw_images, shape_ids, to_shapes
from .errors import EmptySelection, RoundError
from .media import find_corrupt, find_images
from .plan import check_key
from .rounds import Round, RoundState, SentTask, forget_orphans, forget_round, save_round
from .stock import delete_run, register_run, save_results

if TYPE_CHECKING:
    from collections.abc import Sequence

    import fiftyone as fo

    from ..cvat import CvatClient, User
    from ..labels import Drawn
    from .media import RoundImage
    from .plan import Plan

logger = logging.getLogger(__name__)

_NAMED, _MANY = 5, ", "


class Progress(Protocol):
    """Hears how far a push is."""

    def __call__(self, share: float, label: str) -> None:
        """Takes a share between 0 and 1, and what is being done."""


def push(
    dataset: fo.Dataset, plan: Plan, client: CvatClient, progress: Progress | None = None
) -> Round:
    """Sends a round.

    If any step fails, what was made in CVAT and in FiftyOne is removed again.

    Args:
        dataset: the dataset
        plan: what to send
        client: where to
        progress: hears how far it is

    Returns:
        the round, which is out

    Raises:
        UnknownAssignee: if a person is not known to the server; nothing was sent then
        UnreadableMedia: if an image is missing or cannot be read
        CvatError: if the server refuses something or cannot be reached
    """
    return _Push(dataset, plan, client, progress or _silent).run()


def _silent(share: float, label: str) -> None:
    """Tells nobody."""


class _Push:
    """One push on its way."""

    def __init__(
        self, dataset: fo.Dataset, plan: Plan, client: CvatClient, tell: Progress
    ) -> None:
        self._dataset = dataset
        self._plan = plan
        self._request = plan.request
        self._client = client
        self._tell = tell
        self._task_id: int | None = None

    def run(self) -> Round:
        self._tell(0.0, "Checking people and images")
        check_key(self._dataset, self._request.key)
        forget_orphans()
        people = self._client.find_users(self._request.assignees)
        team = [people[name] for name in self._request.assignees]
        view = self._dataset.select(self._plan.sample_ids, ordered=True)
        images = find_images(view)
        if not images:
            raise EmptySelection("The images of this plan are no longer in the dataset.")
        drawn = draw_images(self._dataset, self._request.label_field, images, self._request.schema)
        record = self._register(view)
        try:
            return self._send(view, record, images, drawn, team)
        except BaseException as error:
            self._clean_up(record)
            if isinstance(error, CvatDataRejected):
                raise _with_names(error, images) from error
            raise

    def _register(self, view: fo.DatasetView) -> Round:
        run_id = register_run(
            view,
            self._request.key,
            url=self._client.server.url,
            label_field=self._request.label_field,
            schema=self._request.schema,
        )
        record = Round(
            id=run_id,
            key=self._request.key,
            dataset_id=self._dataset._doc.id,  # noqa: SLF001 - the id has no public name
            url=self._client.server.url,
            label_field=self._request.label_field,
            schema=self._request.schema,
            state=RoundState.PUSHING,
            created_at=datetime.now(UTC),
        )
        save_round(record)
        return record

    def _send(
        self,
        view: fo.DatasetView,
        record: Round,
        images: Sequence[RoundImage],
        drawn: Sequence[dict[str, Drawn]],
        team: Sequence[User],
    ) -> Round:
        client = self._client
        self._task_id = client.create_task(
            record.key, record.schema.to_specs(), images_per_job=self._request.images_per_job
        )
        task = SentTask(self._task_id, record.key, len(images))
        save_round(replace(record, tasks=(task,)))
        client.upload_images(
            task.id,
            [image.file for image in images],
            image_quality=self._request.image_quality,
            progress=self._tell_upload,
        )
        self._tell(0.85, "Sending labels")
        task = replace(task, labels=tuple(client.task_labels(task.id)))
        frames = self._put_labels(record, task, images, drawn)
        self._tell(0.95, "Assigning jobs")
        jobs = client.jobs([task.id])
        if team:
            for job, user in zip(jobs, cycle(team), strict=False):
                client.assign_job(job.id, user)
        task = replace(task, jobs=tuple(job.id for job in jobs))
        save_frames(record.id, frames)
        labels = sum(len(frame.labels) for frame in frames)
        record = replace(record, state=RoundState.OUT, tasks=(task,), labels=labels)
        save_results(view, record, frames)
        save_round(record)
        self._dataset.reload()
        self._tell(1.0, "Sent")
        return record

    def _tell_upload(self, sent: int, total: int) -> None:
        done = sent / max(total, 1)
        self._tell(0.05 + 0.75 * done, f"Sent {sent / 1e6:.0f} of {total / 1e6:.0f} MB")

    def _put_labels(
        self,
        record: Round,
        task: SentTask,
        images: Sequence[RoundImage],
        drawn: Sequence[dict[str, Drawn]],
    ) -> list[SentFrame]:
        """Draws the labels in CVAT; returns the baseline with the ids that they got there."""
        names = ServerNames(task.labels)
        shapes = to_shapes(drawn, names)
        put = self._client.put_task_shapes(task.id, shapes) if shapes else []
        ids = shape_ids(put, names, record.schema)
        missing = sum(label_id not in ids for labels in drawn for label_id in labels)
        if missing:
            raise RoundError(f"CVAT did not keep {missing} of {len(shapes)} labels.")
        return [
            SentFrame(
                task_id=task.id,
                frame=frame,
                sample_id=image.sample_id,
                size=image.size,
                labels=tuple(
                    SentLabel(label_id, ids[label_id], item) for label_id, item in labels.items()
                ),
            )
            for frame, (image, labels) in enumerate(zip(images, drawn, strict=True))
        ]

    def _clean_up(self, record: Round) -> None:
        """Removes what a failed push made, on both sides."""
        self._tell(1.0, "Removing what was sent")
        if self._task_id is not None:
            try:
                self._client.delete_task(self._task_id)
            except CvatError as error:
                logger.warning("Task %d could not be removed: %s", self._task_id, error)
        delete_run(self._dataset, record.key)
        forget_round(record.id)


def _with_names(error: CvatDataRejected, images: Sequence[RoundImage]) -> CvatDataRejected:
    """Adds which files are corrupt, which CVAT does not say."""
    corrupt = find_corrupt(images)
    if not corrupt:
        return error
    return CvatDataRejected(
        f"{error.message} {_MANY.join(corrupt[:_NAMED])} cannot be read to the end.",
        "Repair it, or leave this sample out.",
    )
