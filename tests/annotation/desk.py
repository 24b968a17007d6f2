"""An annotator at work on single jobs."""

from __future__ import annotations

from dataclasses import replace

from relabel.cvat import JobState, JobType, Shape


class Desk:
    """Works on single jobs of a round's task in CVAT."""

    def __init__(self, client, record):
        self.client = client
        self.task = record.tasks[0]

    def jobs(self, job_type=JobType.ANNOTATION):
        return self.client.jobs([self.task.id], types=(job_type,))

    def names(self):
        return self.client.frame_names(self.task.id)

    def shapes(self, job, frame=None):
        shapes = self.client.job_annotations(job.id).shapes
        return [shape for shape in shapes if frame in {None, shape.frame}]

    def move(self, job, shape, by=1.5):
        """Moves a shape, as an annotator of one job does."""
        points = tuple(value + by for value in shape.points)
        item = replace(shape, points=points).to_json() | {"id": shape.id}
        body = {"version": 0, "tags": [], "tracks": [], "shapes": [item]}
        path = f"/api/jobs/{job.id}/annotations"
        self.client._transport.send_json("PATCH", path, body, {"action": "update"})

    def draw(self, job, frame, name="cat", points=(1.0, 2.0, 11.0, 12.0)):
        label_id = next(label.id for label in self.task.labels if label.name == name)
        self.client.add_job_shapes(job.id, [Shape("rectangle", frame, label_id, points)])

    def finish(self, *jobs):
        for job in jobs:
            self.client.set_job(job.id, state=JobState.COMPLETED)
