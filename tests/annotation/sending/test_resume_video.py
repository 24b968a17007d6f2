"""A push of videos that is killed goes on, also in the middle of a file and of its labels."""

from __future__ import annotations

import fiftyone as fo
import fiftyone.core.odm as foo
import pytest

from relabel.annotation import load_round, make_plan, push
from relabel.cvat import tus, uploads
from tests.annotation.sending.small_push import remove, request_of, tasks_of, unique
from tests.annotation.sending.test_resume import killed
from tests.annotation.sending.test_resume_large import counted
from tests.videos import write_video

__all__ = ["killed"]

pytestmark = pytest.mark.cvat

KEY = unique("videos")
CHUNK = 4096
OPTIONS = {
    "field": "frames.gt",
    "images_per_task": None,
    "images_per_job": 8,
    "overlap": 2,
    "start_frame": 2,
    "frame_step": 2,
}


@pytest.fixture
def dataset(tmp_path):
    """A small video and one of several chunks, each with two objects and labels of one frame."""
    dataset = fo.Dataset(persistent=True)
    for name, size in (("small", (64, 48)), ("large", (320, 240))):
        path = write_video(tmp_path / f"{name}.mp4", 30, size)
        sample = fo.Sample(filepath=str(path))
        for frame in range(1, 31):
            labels = [
                fo.Detection(label="car", bounding_box=[0.01 * frame, 0.1, 0.3, 0.37], index=1),
                fo.Detection(label="bus", bounding_box=[0.5, 0.5, 1 / 3, 0.2]),
            ]
            if not 12 <= frame <= 15:
                labels.append(fo.Detection(label="bus", bounding_box=[0, 0, 0.1, 0.2], index=2))
            sample.frames[frame] = fo.Frame(gt=fo.Detections(detections=labels))
        dataset.add_sample(sample, dynamic=True)
    yield dataset
    dataset.delete()


def state_of(dataset, client):
    """All that a push of videos makes, in CVAT and in the database, without the server's ids."""
    record = load_round(dataset, KEY)
    assert [task["id"] for task in tasks_of(client, KEY)] == [task.id for task in record.tasks]
    frames = foo.get_db_conn()["relabel_frames"].find({"round_id": record.id})
    numbers = {task.id: number for number, task in enumerate(record.tasks)}
    return {
        "state": (record.state, record.labels, dataset.list_annotation_runs()),
        "tasks": [_task(client, task) for task in record.tasks],
        "baseline": sorted(
            (
                numbers[frame["task_id"]],
                frame["frame"],
                frame["sample_id"],
                frame["frame_number"],
                [
                    (label["id"], label["drawn"], bool(label["shape_id"]))
                    for label in frame["labels"]
                ],
            )
            for frame in frames
        ),
    }


def _task(client, task):
    names = {label.id: label.name for label in task.labels}
    drawn = client.task_annotations(task.id)
    return {
        "name": task.name,
        "frames": task.images,
        "jobs": [(job.start_frame, job.stop_frame, job.state) for job in client.jobs([task.id])],
        "shapes": sorted(_said(shape, names) for shape in drawn.shapes),
        "tracks": sorted(
            [_said(shape, names) for shape in track.shapes] for track in drawn.tracks
        ),
    }


def _said(shape, names):
    texts = sorted(shape.attributes.values())
    return shape.frame, names[shape.label_id], shape.points, shape.outside, texts


def test_push__of_videos_killed_after_any_request_goes_on(dataset, client, killed, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_REQUEST_BYTES", CHUNK)
    monkeypatch.setattr(tus, "CHUNK_BYTES", CHUNK)
    request = request_of(dataset, KEY, (), **OPTIONS)
    with counted() as methods:
        push(dataset, make_plan(dataset, request), client)
    undisturbed, chunks = state_of(dataset, client), methods.count("PATCH")
    remove(dataset, client, KEY)
    assert chunks > 1, "one of them travels in chunks"
    number, status = 0, -9
    while status == -9:
        number += 1
        status = killed(dataset, KEY, (), number, chunk=CHUNK, **OPTIONS)
        dataset.reload()
        if status == -9:
            push(dataset, make_plan(dataset, request), client)
        assert state_of(dataset, client) == undisturbed, f"killed after request {number}"
        remove(dataset, client, KEY)
    assert status == 0
    assert number > 12 + chunks
