"""The steps of a push, each recorded before the next is taken."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...cvat import CvatDataRejected, JobType, Yardstick
from ..comparing.naming import label_specs
from ..comparing.placing import by_name, in_order
from ..dataset.media import find_corrupt
from ..dataset.tags import tag_sent
from ..dataset.videos import is_video
from ..errors import EmptySelection, RoundError
from ..planning.division import choose_yardstick
from ..planning.planned import forget_plan, load_plan, save_plan
from ..progress import part_of
from ..record.baseline import load_frames, samples_of_round
from ..record.request import Validation
from ..record.round import Round, RoundState, SentTask, TaskStep, trackers
from ..record.rounds import save_round, save_task
from ..stock.stock import save_results
from .assigning import assign_jobs
from .checking import checked_media
from .painting import Painter
from .projects import ensure_project
from .strays import delete_strays
from .uploading import UPLOADING, TaskJournal, check_reference, send_media
from .video_painting import VideoPainter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import fiftyone as fo

    from ...cvat import CvatClient, Job, User
    from ..comparing.placing import Placed
    from ..dataset.media import RoundImage
    from ..progress import Progress
    from ..record.baseline import SentFrame
    from ..record.request import Request

_NAMED, _MANY = 5, ", "


class Sending:
    """A round on its way. The caller holds it.

    Args:
        dataset: the dataset
        client: where to
        people: the persons of the round by their names
        tell: hears how far it is
        resumed: whether an earlier push of it was interrupted
        before_out: called once, right before it is noted that it is out; may raise
    """

    def __init__(
        self,
        dataset: fo.Dataset,
        client: CvatClient,
        people: Mapping[str, User],
        tell: Progress,
        *,
        resumed: bool,
        before_out: Callable[[], None],
    ) -> None:
        self.client = client
        self.tell = tell
        self._before_out = before_out
        self._dataset = dataset
        self._people = people
        self._resumed = resumed
        self._checked_order = False

    def run(self, record: Round, sample_ids: Sequence[str]) -> Round:
        """Does whatever is left to do.

        Args:
            record: the round as it stands
            sample_ids: the samples to send, if none has been recorded yet

        Returns:
            the round, which is out
        """
        if record.request is None:
            raise RoundError(f"Nothing is known of how the round {record.key!r} was to be sent.")
        self._record = record
        self._request: Request = record.request
        self._tasks = list(record.tasks)
        self.tell(0.0, "Checking images")
        if not self._tasks:
            self._plan(sample_ids)
            check_reference(self.client, self._request, self._images(0))
        if self._resumed:
            self._look_around()
        self._enter_project()
        for number in range(len(self._tasks)):
            self._upload(number)
        jobs = self._wait()
        for number in range(len(self._tasks)):
            self._draw(number, jobs[self._tasks[number].id])
        assign_jobs(
            self.client,
            [job for task in self._tasks for job in jobs[task.id]],
            self._request,
            self._people,
            part_of(self.tell, 0.95, 1),
        )
        if self._resumed:
            delete_strays(replace(self._record, tasks=tuple(self._tasks)), self.client)
        return self._finish()

    def explain(self, error: BaseException) -> CvatDataRejected | None:
        """Adds which files are corrupt, which CVAT does not say."""
        if not isinstance(error, CvatDataRejected) or self._request.media is not None:
            return None
        images = (
            image
            for number, task in enumerate(self._tasks)
            if task.id == error.task_id
            for image in self._images(number)
        )
        corrupt = find_corrupt(images)
        if not corrupt:
            return None
        return CvatDataRejected(
            f"{error.message} {_MANY.join(corrupt[:_NAMED])} cannot be read to the end.",
            "Repair it, or leave this sample out.",
            task_id=error.task_id,
        )

    # Before anything is sent

    def _plan(self, sample_ids: Sequence[str]) -> None:
        """Checks and records all images, then into which tasks they go."""
        checking = part_of(self.tell, 0, 0.05)
        media = checked_media(self._dataset, self._record, self._request, sample_ids, checking)
        count = save_plan(self._record.id, media)
        if not count:
            raise EmptySelection("The images of this plan are no longer in the dataset.")
        size = 1 if is_video(self._dataset) else self._request.images_per_task or count
        starts = range(0, count, size)
        digits = len(str(len(starts)))
        self._tasks = [
            SentTask(
                id=0,
                name=self._record.key
                if len(starts) == 1
                else f"{self._record.key}_{number:0{digits}d}",
                images=min(size, count - start),
                step=TaskStep.PLANNED,
            )
            for number, start in enumerate(starts, 1)
        ]
        self._record = replace(self._record, tasks=tuple(self._tasks))
        save_round(self._record)

    # What an interruption may have left

    def _look_around(self) -> None:
        """Finds tasks whose creation was never answered, and data that was half sent."""
        found = self.client.find_tasks(trackers(self._record))
        for number, (task, tracker) in enumerate(
            zip(self._tasks, trackers(self._record), strict=True)
        ):
            ids = found.get(tracker, [])
            if task.step is TaskStep.PLANNED and ids:
                self._save(number, replace(task, id=ids[0], step=TaskStep.CREATED))
            for task_id in ids:
                if task_id != self._tasks[number].id:
                    self.client.delete_task(task_id)
        half = [task.id for task in self._tasks if task.step in UPLOADING]
        empty = self.client.wait_until_read(half)
        self._settle(empty, {task_id for ids in found.values() for task_id in ids})

    def _settle(self, empty: set[int], there: set[int]) -> None:
        """Makes anew the tasks of which it is not known what they got: data cannot be added to.

        Those of which it is known are gone on with.
        """
        for number, task in enumerate(self._tasks):
            if task.step not in UPLOADING:
                continue
            if task.id not in empty:
                self._save(number, replace(task, step=TaskStep.UPLOADED))
            elif task.id not in there or (task.step is TaskStep.CREATED and not task.sent):
                self.client.delete_task(task.id)
                self._save(number, replace(task, id=0, step=TaskStep.PLANNED))

    # Task by task

    def _enter_project(self) -> None:
        """Finds or makes the project of the tasks, if they are to be in one."""
        project_id = ensure_project(self._record, self._request, self.client)
        if project_id != self._record.project_id:
            self._record = replace(self._record, project_id=project_id)
            save_round(replace(self._record, tasks=tuple(self._tasks)))

    def _upload(self, number: int) -> None:
        task = self._tasks[number]
        if task.step is TaskStep.PLANNED:
            task_id = self.client.create_task(
                task.name,
                label_specs(self._record.fields),
                images_per_job=self._request.images_per_job,
                overlap=self._request.overlap,
                replicas=self._request.consensus_replicas,
                project_id=self._record.project_id or None,
                assignee=self._manager(number),
                tracker=trackers(self._record)[number],
            )
            task = replace(task, id=task_id, step=TaskStep.CREATED)
            self._save(number, task)
        if task.step in UPLOADING:
            images = self._images(number)
            journal = TaskJournal(
                self._record.id,
                task,
                images,
                lambda now: self._save(number, now),
            )
            send_media(
                self.client,
                task.id,
                images,
                self._request,
                journal=journal,
                yardstick=self._yardstick(number, images),
                progress=lambda sent, total: self._tell_upload(number, sent, total),
            )
            self._save(number, replace(task, step=TaskStep.UPLOADED))

    def _manager(self, number: int) -> User | None:
        """Who gets a task."""
        names = self._request.task_assignees
        return self._people[names[number % len(names)]] if names else None

    def _yardstick(self, number: int, images: Sequence[RoundImage]) -> Yardstick | None:
        """Which images of a task measure the annotators; always the same, however often asked."""
        if not self._request.validation:
            return None
        chosen = choose_yardstick(len(images), self._request, f"{self._record.key} {number}")
        in_jobs = self._request.validation == Validation.HONEYPOTS
        return Yardstick(
            tuple(images[index].file.name for index in chosen),
            self._request.honeypots_per_job if in_jobs else 0,
        )

    def _tell_upload(self, number: int, sent: int, total: int) -> None:
        done = (number + sent / max(total, 1)) / len(self._tasks)
        of_tasks = f" of task {number + 1} of {len(self._tasks)}" if len(self._tasks) > 1 else ""
        self.tell(0.05 + 0.75 * done, f"Sent {sent / 1e6:.0f} of {total / 1e6:.0f} MB{of_tasks}")

    def _tell_reading(self, left: int, total: int) -> None:
        self.tell(0.8, f"CVAT reads the media of {left:,} of {total:,} tasks")

    def _wait(self) -> dict[int, list[Job]]:
        """Waits until CVAT has read all images; returns the jobs of each task, of every type."""
        waiting = [task.id for task in self._tasks if task.step is TaskStep.UPLOADED]
        empty = self.client.wait_until_read(waiting, self._tell_reading)
        if empty:
            raise CvatDataRejected(
                f"CVAT made no images of what task {min(empty)} was sent, and does not say why.",
                "Send it again; ask the server's administrator if it happens again.",
                task_id=min(empty),
            )
        jobs: dict[int, list[Job]] = {task.id: [] for task in self._tasks}
        for job in self.client.jobs(jobs, types=tuple(JobType)):
            jobs[job.task_id].append(job)
        return jobs

    def _draw(self, number: int, jobs: Sequence[Job]) -> None:
        """Draws the labels of a task, and records them as the baseline."""
        task = self._tasks[number]
        if task.step is not TaskStep.UPLOADED:
            return
        self.tell(0.8 + 0.15 * number / len(self._tasks), "Sending labels")
        if is_video(self._dataset):
            (video,) = self._images(number)
            of_videos = VideoPainter(
                self._dataset, self.client, self._record, resumed=self._resumed
            )
            self._save(number, of_videos.draw(task, video, jobs))
            return
        placed = self._place(number, [job for job in jobs if job.type == JobType.ANNOTATION])
        painter = Painter(self._dataset, self.client, self._record, resumed=self._resumed)
        share = 0.15 / len(self._tasks)
        drawing = part_of(self.tell, 0.8 + share * number, 0.8 + share * (number + 1))
        self._save(number, painter.draw(task, placed, jobs, drawing))

    def _place(self, number: int, jobs: Sequence[Job]) -> list[Placed]:
        """Finds out which image is on which frame of a task."""
        task, images = self._tasks[number], self._images(number)
        yardstick = self._yardstick(number, images)
        if yardstick and yardstick.honeypots_per_job:
            return by_name(images, self.client.frame_names(task.id), yardstick, task.id)
        self._check_order(number, jobs)
        return in_order(images, yardstick)

    def _check_order(self, number: int, jobs: Sequence[Job]) -> None:
        """Holds that every image is a frame, and for one task of each push that the order is kept.

        Of images that CVAT finds itself, for every task, and that they are the ones we know. How
        many frames there are is known from the jobs; names cost a request.
        """
        frames = {frame for job in jobs for frame in range(job.start_frame, job.stop_frame + 1)}
        task = self._tasks[number]
        named_only = self._request.media is not None
        if self._checked_order and len(frames) == task.images and not named_only:
            return
        images = self._images(number)
        self.client.check_frames(
            task.id,
            [image.file.name for image in images],
            [image.size for image in images] if named_only else None,
        )
        self._checked_order = True

    # At the end

    def _finish(self) -> Round:
        view = self._dataset.load_annotation_view(self._record.key)
        labels = sum(len(frame.labels) for frame in self._sent())
        record = replace(
            self._record, state=RoundState.OUT, tasks=tuple(self._tasks), labels=labels
        )
        self.tell(1.0, "Sent")
        self._before_out()
        save_results(view, record, self._sent())
        tag_sent(self._dataset, samples_of_round(record.id))
        save_round(record)
        forget_plan(record.id)
        self._dataset.reload()
        return record

    def _sent(self) -> Iterator[SentFrame]:
        for task in self._tasks:
            yield from load_frames(self._record.id, task.id, [(0, task.last_frame)])

    def _images(self, number: int) -> list[RoundImage]:
        if is_video(self._dataset):
            return list(load_plan(self._record.id, number, 1))
        first = sum(task.images for task in self._tasks[:number])
        return list(load_plan(self._record.id, first, self._tasks[number].images))

    def _save(self, number: int, task: SentTask) -> None:
        self._tasks[number] = task
        save_task(self._record.id, number, task)
