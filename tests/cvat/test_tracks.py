"""Videos and labels over time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relabel.cvat import (
    Annotations,
    CvatDataRejected,
    FrameSpan,
    ImageFile,
    LabelSpec,
    Shape,
    Track,
)
from tests.annotation.conftest import client
from tests.videos import write_video

__all__ = ["client"]

pytestmark = pytest.mark.cvat


@pytest.fixture
def make_task(client):
    """Makes tasks that are deleted after the test."""
    ids = []

    def make_task(path, span, **options):
        label = LabelSpec("car", "any", sublabels=options.pop("sublabels", ()))
        task_id = client.create_task("relabel test", [label], **options)
        ids.append(task_id)
        client.upload_video(task_id, ImageFile(path, path.name, path.stat().st_size), span)
        client.wait_until_read([task_id])
        return task_id

    yield make_task
    for task_id in ids:
        client.delete_task(task_id)


def without_ids(track):
    shapes = tuple(replace(shape, id=None) for shape in track.shapes)
    return replace(track, id=None, shapes=shapes, elements=tuple(map(without_ids, track.elements)))


def test_upload_video__takes_the_frames_of_the_span(client, make_task, tmp_path):
    span = FrameSpan(2, 16, 3)
    path = write_video(tmp_path / "film.mp4", frames=20)
    task_id = make_task(path, span, images_per_job=3, overlap=1)
    jobs = client.jobs([task_id])
    assert [(job.start_frame, job.stop_frame) for job in jobs] == [(0, 2), (2, 4)]
    assert list(span.numbers(20)) == [2, 5, 8, 11, 14]


def test_upload_video__that_is_none_is_rejected(make_task, tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"no film")
    with pytest.raises(CvatDataRejected, match="Invalid data"):
        make_task(path, FrameSpan())


def test_put_task_annotations__tracks_come_back_as_they_were_sent(client, make_task, tmp_path):
    task_id = make_task(write_video(tmp_path / "film.mp4", frames=8), FrameSpan())
    (label,) = client.task_labels(task_id)
    shapes = (
        Shape("rectangle", 1, label.id, (0.1, 0.2, 30.3, 40.4), 12.5, occluded=True),
        Shape("rectangle", 4, label.id, (0.1, 0.2, 30.3, 40.4), outside=True),
    )
    sent = Annotations(
        (Shape("rectangle", 0, label.id, (1, 2, 3, 4)),), (Track(label.id, shapes),)
    )
    put = client.put_task_annotations(task_id, sent)
    assert [shape.id is None for shape in (*put.tracks, *put.tracks[0].shapes)] == [False] * 3
    found = client.task_annotations(task_id)
    assert [without_ids(track) for track in found.tracks] == list(sent.tracks)
    assert len(found.shapes) == 1
