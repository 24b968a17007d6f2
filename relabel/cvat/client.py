"""What Relabel asks of a CVAT server, one method for each endpoint that it uses."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections import defaultdict
from types import EllipsisType
from typing import TYPE_CHECKING, Self

from .annotating import AnnotatingClient
from .errors import CvatForbidden, CvatNotFound, UnknownAssignee
from .models import Job, JobType, LabelSpec, ServerInfo, User
from .projects import Projects
from .reading import wait_until_read
from .reviews import Issue
from .storages import Storages
from .transport import Transport
from .uploads import check_frames, frame_names, send_images, send_video

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence
    from datetime import datetime
    from types import TracebackType

    from .config import CvatConfig
    from .models import JobStage, JobState
    from .reading import ReadingProgress
    from .uploads import FrameSpan, ImageFile, UploadJournal, UploadProgress, Yardstick

_TEXTS_PER_FILTER = 50
_IDS_PER_FILTER = 300  # keeps the address of a request below 4 kB, which every proxy takes


class CvatClient(AnnotatingClient):
    """A logged-in user of one CVAT server. Use it as a context manager, or close it.

    Args:
        config: where the server is and who we are

    Raises:
        CvatError: if the server cannot be reached, is not CVAT or does not accept the log-in
    """

    def __init__(self, config: CvatConfig) -> None:
        super().__init__(Transport(config))
        try:
            version = str(self._transport.about()["version"])
            self._transport.log_in()
            self.user = User.from_json(self._transport.get("/api/users/self"))
        except BaseException:
            self._transport.close()
            raise
        self.server = ServerInfo(url=self._transport.url, version=version)
        self.projects = Projects(self._transport)
        self.storages = Storages(self._transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    # People

    def user_names(self) -> list[str]:
        """The names of the people whom the server shows us."""
        users = self._transport.pages("/api/users", is_active="true")
        return sorted({self.user.username, *(user["username"] for user in users)})

    def find_users(self, names: Iterable[str]) -> dict[str, User]:
        """Finds users by name. Case does not matter, as at the server's own log-in.

        Args:
            names: user names

        Returns:
            the users by the names that were asked for

        Raises:
            UnknownAssignee: if one of them does not exist, or may not be seen by us
        """
        wanted = sorted(set(names))
        if not wanted:
            return {}
        found = {self.user.username.lower(): self.user}
        if any(name.lower() not in found for name in wanted):
            users = map(User.from_json, self._transport.pages("/api/users", is_active="true"))
            found.update((user.username.lower(), user) for user in users)
        unknown = [name for name in wanted if name.lower() not in found]
        if unknown:
            raise UnknownAssignee(
                f"CVAT does not show {self.user.username!r} a user named "
                f"{' or '.join(map(repr, unknown))}.",
                "Check the spelling. Users see each other only inside an organization: set "
                "FIFTYONE_CVAT_ORGANIZATION, or use an administrator's account.",
            )
        return {name: found[name.lower()] for name in wanted}

    # Tasks

    def create_task(
        self,
        name: str,
        labels: Sequence[LabelSpec],
        *,
        images_per_job: int | None = None,
        overlap: int = 0,
        replicas: int = 0,
        project_id: int | None = None,
        assignee: User | None = None,
        tracker: str = "",
    ) -> int:
        """Creates a task that has no images yet.

        Args:
            name: its name
            labels: the classes that annotators can choose; a task in a project has those of the
                project
            images_per_job: the size of its jobs, or None for one job
            overlap: how many images two neighbouring jobs share, at most half a job
            replicas: how many replicas each job has, 0 or 2 to 11
            project_id: the project that it is in, or None
            assignee: the person who has it, or None
            tracker: a text of ours that :meth:`find_tasks` finds it by

        Returns:
            its id
        """
        body: dict[str, object] = {"name": name, "overlap": overlap}
        if project_id is None:
            body["labels"] = [label.to_json() for label in labels]
        options: dict[str, object] = {
            "segment_size": images_per_job,
            "consensus_replicas": replicas,
            "project_id": project_id,
            "assignee_id": assignee and assignee.id,
            "bug_tracker": tracker,
        }
        body |= {name: value for name, value in options.items() if value}
        return int(self._transport.send_json("POST", "/api/tasks", body)["id"])

    def find_tasks(self, trackers: Iterable[str]) -> dict[str, list[int]]:
        """Finds tasks by the text that :meth:`create_task` gave them; tracker -> ids."""
        found: dict[str, list[int]] = {}
        remaining = iter(trackers)
        while texts := list(itertools.islice(remaining, _TEXTS_PER_FILTER)):
            condition = json.dumps({"in": [{"var": "tracker_link"}, texts]})
            for task in self._transport.pages("/api/tasks", filter=condition):
                found.setdefault(task["bug_tracker"], []).append(task["id"])
        return found

    def upload_images(
        self,
        task_id: int,
        images: Sequence[ImageFile],
        *,
        image_quality: int = 75,
        yardstick: Yardstick | None = None,
        journal: UploadJournal | None = None,
        progress: UploadProgress | None = None,
    ) -> None:
        """Sends images to a task; frame ``i`` will be image ``i``, unless there are honeypots.

        Large files travel in chunks. The server reads them afterwards: see
        :meth:`wait_until_read`.

        Args:
            task_id: the task, which must be empty
            images: the files and the names that annotators see
            image_quality: of the copies that the server shows, in percent
            yardstick: which of them measure the annotators, and how
            journal: what is remembered of an upload that was cut off, and where it is noted
            progress: called with the bytes that were sent, after each request
        """
        send_images(
            self._transport,
            task_id,
            images,
            image_quality=image_quality,
            yardstick=yardstick,
            journal=journal,
            progress=progress,
        )

    def upload_video(
        self,
        task_id: int,
        video: ImageFile,
        span: FrameSpan,
        *,
        image_quality: int = 75,
        journal: UploadJournal | None = None,
        progress: UploadProgress | None = None,
    ) -> None:
        """Sends a video to a task, which must be empty; frame ``i`` will be the span's ``i``-th.

        Args:
            task_id: the task
            video: the file and the name that annotators see
            span: which of its frames are taken
            image_quality: of the copies that the server shows, in percent
            journal: remembers how far the upload of a large file is
            progress: called with the bytes that were sent
        """
        send_video(
            self._transport,
            task_id,
            video,
            span,
            image_quality=image_quality,
            journal=journal,
            progress=progress,
        )

    def wait_until_read(
        self, task_ids: Iterable[int], progress: ReadingProgress | None = None
    ) -> set[int]:
        """Waits until the server has read the images of tasks and has cut them into jobs.

        Args:
            task_ids: the tasks
            progress: called each time that the server is asked; it may raise to stop waiting

        Returns:
            the tasks that have no frames and get none: nothing was sent

        Raises:
            CvatDataRejected: if the server cannot read one of the images
            CvatNeverRead: if it reads none of them for longer than the configuration allows
        """
        return wait_until_read(self._transport, task_ids, progress)

    def check_frames(
        self,
        task_id: int,
        names: Sequence[str],
        sizes: Sequence[tuple[int, int]] | None = None,
    ) -> None:
        """Holds that frame ``i`` of a task is the image of the ``i``-th name, and of its size.

        Raises:
            CvatDataRejected: if it is not
        """
        check_frames(self._transport, task_id, names, sizes)

    def frame_names(self, task_id: int) -> list[str]:
        """The names of the images of a task, frame by frame."""
        return frame_names(self._transport, task_id)

    def task_exists(self, task_id: int) -> bool:
        """Whether a task is there and may be seen."""
        try:
            self._transport.get(f"/api/tasks/{task_id}")
        except (CvatForbidden, CvatNotFound):
            return False
        return True

    def delete_task(self, task_id: int) -> None:
        """Deletes a task with all that is drawn in it. One that is gone is no error."""
        with contextlib.suppress(CvatNotFound):
            self._transport.request("DELETE", f"/api/tasks/{task_id}")

    def task_labels(self, task_id: int) -> list[LabelSpec]:
        """The classes of a task with their ids."""
        return [
            LabelSpec.from_json(item)
            for item in self._transport.pages("/api/labels", task_id=task_id)
        ]

    def job_labels(self, job_id: int) -> list[LabelSpec]:
        """The same, for who may see one job only."""
        return [
            LabelSpec.from_json(item)
            for item in self._transport.pages("/api/labels", job_id=job_id)
        ]

    # Jobs

    def jobs(
        self,
        task_ids: Iterable[int],
        *,
        types: Container[str] = (JobType.ANNOTATION,),
        since: datetime | None = None,
    ) -> list[Job]:
        """The jobs of tasks, in the order of their frames.

        Args:
            task_ids: the tasks; those that are gone or not ours have no jobs
            types: the types of jobs, which CVAT keeps in the same list
            since: leaves out what has not changed since then
        """
        jobs: list[Job] = []
        remaining = iter(task_ids)
        while ids := list(itertools.islice(remaining, _IDS_PER_FILTER)):
            condition: dict[str, object] = {"in": [{"var": "task_id"}, ids]}
            if since is not None:
                newer = {">": [{"var": "updated_date"}, since.isoformat()]}
                condition = {"and": [condition, newer]}
            jobs += map(
                Job.from_json, self._transport.pages("/api/jobs", filter=json.dumps(condition))
            )
        return sorted(
            (job for job in jobs if job.type in types),
            key=lambda job: (job.task_id, job.start_frame, job.id),
        )

    def assign_job(self, job_id: int, user: User | None) -> None:
        """Gives a job to a person, or to nobody."""
        self._change_job(job_id, {"assignee": user and user.id})

    def set_job(
        self,
        job_id: int,
        *,
        state: JobState | str,
        stage: JobStage | str | None = None,
        assignee: User | EllipsisType | None = ...,
    ) -> None:
        """Changes the state of a job, and its stage and assignee if they are given.

        All travel in one request, because CVAT resets the state when only the stage changes.

        Args:
            job_id: the job
            state: its state
            stage: its stage, or None to leave it
            assignee: who gets it, None for nobody; left as it is if it is not given
        """
        body: dict[str, object] = {"state": str(state)}
        if stage is not None:
            body["stage"] = str(stage)
        if not isinstance(assignee, EllipsisType):
            body["assignee"] = assignee and assignee.id
        self._change_job(job_id, body)

    def _change_job(self, job_id: int, body: dict[str, object]) -> None:
        self._transport.send_json("PATCH", f"/api/jobs/{job_id}", body)

    # Reviews

    def issues(self, job_ids: Iterable[int]) -> list[Issue]:
        """What reviewers remarked in some jobs, with the comments.

        Two requests for each 300 jobs, one where there are no remarks.
        """
        issues: list[Issue] = []
        remaining = iter(job_ids)
        while ids := list(itertools.islice(remaining, _IDS_PER_FILTER)):
            of_jobs = json.dumps({"in": [{"var": "job_id"}, ids]})
            found = list(self._transport.pages("/api/issues", filter=of_jobs))
            comments: dict[int, list[dict[str, object]]] = defaultdict(list)
            if found:
                for comment in self._transport.pages("/api/comments", filter=of_jobs):
                    comments[comment["issue"]].append(comment)
            issues += [Issue.from_json(item, comments[item["id"]]) for item in found]
        return issues

    def add_issue(self, job_id: int, frame: int, position: Sequence[float], message: str) -> None:
        """Remarks something at a place of an image, as a reviewer does.

        Args:
            job_id: the job
            frame: the frame of the task
            position: a box as left, top, right, bottom in pixels
            message: what is remarked, its first comment
        """
        body = {"job": job_id, "frame": frame, "position": [*position], "message": message}
        self._transport.send_json("POST", "/api/issues", body)

    # Addresses

    def task_url(self, task_id: int) -> str:
        """Where a person opens a task."""
        return f"{self.server.url}/tasks/{task_id}"

    def job_url(self, task_id: int, job_id: int) -> str:
        """Where a person opens a job."""
        return f"{self.server.url}/tasks/{task_id}/jobs/{job_id}"
