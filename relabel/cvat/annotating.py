"""What is drawn in tasks and jobs: how it is stored and read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import CvatForbidden
from .tracks import Annotations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .models import Job, Shape
    from .transport import Transport


class AnnotatingClient:
    """The part of a client that draws.

    Args:
        transport: the connection
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def put_task_annotations(self, task_id: int, annotations: Annotations) -> Annotations:
        """Replaces all that is drawn in a task.

        Two of these at once store both sets, so the caller sees to it that there is one.

        Returns:
            the same with the ids that the server gave it; tracks are cut at the borders of jobs
            and joined again
        """
        return self._save("PUT", f"tasks/{task_id}", annotations)

    def put_job_annotations(self, job_id: int, annotations: Annotations) -> Annotations:
        """The same for one job, also for a ground-truth job or a replica."""
        return self._save("PUT", f"jobs/{job_id}", annotations)

    def put_task_shapes(self, task_id: int, shapes: Sequence[Shape]) -> list[Shape]:
        """Replaces all that is drawn in a task by the labels of single frames.

        Returns:
            the shapes with the ids that the server gave them, in the same order, and then the tags
        """
        return list(self.put_task_annotations(task_id, Annotations(tuple(shapes))).shapes)

    def put_job_shapes(self, job_id: int, shapes: Sequence[Shape]) -> list[Shape]:
        """The same for one job, also for a ground-truth job or a replica."""
        return list(self.put_job_annotations(job_id, Annotations(tuple(shapes))).shapes)

    def add_task_shapes(self, task_id: int, shapes: Sequence[Shape]) -> list[Shape]:
        """Adds to what is drawn in a task.

        Returns:
            the shapes with the ids that the server gave them, in the same order
        """
        sent = Annotations(tuple(shapes))
        return list(self._save("PATCH", f"tasks/{task_id}", sent, {"action": "create"}).shapes)

    def add_job_shapes(self, job_id: int, shapes: Sequence[Shape]) -> list[Shape]:
        """The same for one job, also for a ground-truth job or a replica."""
        sent = Annotations(tuple(shapes))
        return list(self._save("PATCH", f"jobs/{job_id}", sent, {"action": "create"}).shapes)

    def _save(
        self,
        method: str,
        owner: str,
        annotations: Annotations,
        params: dict[str, str] | None = None,
    ) -> Annotations:
        path, timeout = f"/api/{owner}/annotations", self._transport.slow
        answer = self._transport.send_json(
            method, path, annotations.to_json(), params, timeout=timeout
        )
        return Annotations.from_json(answer)

    def task_annotations(self, task_id: int) -> Annotations:
        """What is drawn in a task, its ground-truth jobs and replicas left out."""
        return self._read(f"tasks/{task_id}")

    def job_annotations(self, job_id: int) -> Annotations:
        """What is drawn in a job."""
        return self._read(f"jobs/{job_id}")

    def _read(self, owner: str) -> Annotations:
        return Annotations.from_json(self._transport.get_slowly(f"/api/{owner}/annotations"))

    def annotations_of(self, jobs: Sequence[Job]) -> list[Shape]:
        """What is drawn in some jobs of one task, in as few requests as our rights allow.

        Args:
            jobs: jobs of one task

        Returns:
            the shapes on the frames of those jobs
        """
        spans = [(job.start_frame, job.stop_frame) for job in jobs]
        if len(jobs) > 1:
            try:
                return self.task_annotations(jobs[0].task_id).on_frames(spans)
            except CvatForbidden:
                pass  # a mere job assignee may read the jobs, one by one
        return [
            shape
            for job, span in zip(jobs, spans, strict=True)
            for shape in self.job_annotations(job.id).on_frames([span])
        ]
